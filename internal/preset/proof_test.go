package preset

import (
	"errors"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/internal/proc"
)

func TestCompare(t *testing.T) {
	eu := endpoint{host: "redis-1.eu", port: "6380", database: 3}
	at := func(scheme, host, port, database string) resolved {
		return resolved{Driver: "redis", Redis: "default", Scheme: scheme, Host: host, Port: port, Database: database}
	}
	cases := []struct {
		want endpoint
		seen resolved
		text string // of the error
	}{
		{eu, at("", "redis-1.eu", "6380", "3"), ""},
		{eu, at("tcp", "REDIS-1.eu.", "6380", "3"), ""},
		{eu, at("", "tcp://redis-1.eu", "6380", "3"), ""},
		{eu, at("", "redis-2.eu", "6380", "3"), "redis-2.eu:6380/3"},
		{eu, at("", "redis-1.eu", "6379", "3"), "redis-1.eu:6379/3"},
		{eu, at("", "redis-1.eu", "6380", ""), "redis-1.eu:6380/0"},
		{eu, at("", "redis-1.eu", "6380", "three"), "redis-1.eu:6380/0"},
		{eu, at("tls", "redis-1.eu", "6380", "3"), "tls://redis-1.eu:6380/3"},
		{eu, at("", "tls://redis-1.eu", "6380", "3"), "tls://redis-1.eu:6380/3"},
		{endpoint{host: "redis-1.eu", port: "6380", database: 3, tls: true}, at("rediss", "redis-1.eu", "6380", "3"), ""},
		{endpoint{host: "redis-1.eu", port: "6380", database: 3, tls: true}, at("", "redis-1.eu", "6380", "3"), "redis-1.eu:6380/3"},
		{endpoint{host: "localhost", port: "1"}, at("", "127.0.0.1", "1", "0"), ""},
		{endpoint{host: "::1", port: "1"}, at("", "[::1]", "1", "0"), ""},
		{endpoint{host: "/run/redis.sock", port: "0"}, at("", "/run/redis.sock", "6379", "0"), ""},
		{endpoint{host: "/run/redis.sock", port: "0"}, resolved{Driver: "redis", Scheme: "unix", Path: "/run/redis.sock", Host: "127.0.0.1"}, ""},
		{endpoint{host: "/run/redis.sock", port: "0"}, at("", "127.0.0.1", "6379", "0"), "127.0.0.1:6379/0"},
		{eu, resolved{}, "does not exist"},
		{eu, resolved{Missing: true}, "does not exist"},
		{eu, resolved{Driver: "sync", MissingRedis: true}, "the driver sync, not Redis"},
		{eu, resolved{Driver: "redis", Redis: "gone", MissingRedis: true}, `the Redis connection "gone", which does not exist`},
		{eu, resolved{Driver: "redis", Redis: "many", MissingRedis: true, Cluster: true}, `"many", a Redis Cluster`},
	}
	for _, c := range cases {
		err := expectation{"redis", "eu", c.want}.compare(c.seen)
		if c.text == "" {
			if err != nil {
				t.Errorf("%+v: %v", c.seen, err)
			}
			continue
		}
		if reason, text := Explain(orNone(err)); reason != ReasonWrongConnection || !strings.Contains(text, c.text) ||
			!strings.HasSuffix(text, "; expected is connection eu at "+c.want.String()) {
			t.Errorf("%+v: %s: %s", c.seen, reason, text)
		}
	}
}

func TestParseProof(t *testing.T) {
	fine := &proc.Exit{}
	unproven := &UnprovenError{}
	for _, lines := range [][]string{{}, {"Laravel Framework 8.83.26"}, {proofMark + "{"}, {proofMark + `{"error": "Error"}`}, {proofMark + "[]"}} {
		if _, err := parseProof(answer{lines, fine}); !errors.As(err, &unproven) {
			t.Errorf("%q: %v", lines, err)
		}
	}
	seen, err := parseProof(answer{[]string{"Laravel Framework 8.83.26", "", proofMark + `{"connections":{"redis":{"driver":"redis","host":"h"}}}`, "bye"}, fine})
	if err != nil || seen.Connections["redis"].Host != "h" {
		t.Errorf("%+v, %v", seen, err)
	}
}

// Horizon may use several connections; those without a single address are its
// own affair.
func TestExpected(t *testing.T) {
	in := input(t, `
connections: [{name: eu, address: "a:1"}, {name: us, address: "b:2"}, {name: many, cluster: {addresses: ["c:3"]}}]
applications: [{slug: shop, connections: [{connection: eu}, {connection: us}, {connection: many}]}]
defaults: {queue: {worker: {preset: horizon}}}
queues:
  - {application: shop, connection: eu, queue_names: [a]}
  - {application: shop, connection: us, queue_names: [b], worker: {queue_connection: us}}
  - {application: shop, connection: us, queue_names: [c], name: more, worker: {queue_connection: us}}
  - {application: shop, connection: many, queue_names: [d]}
`)
	all, err := expected(in)
	if err != nil || len(all) != 2 || all[0] != (expectation{"redis", "eu", endpoint{host: "a", port: "1"}}) ||
		all[1] != (expectation{"us", "us", endpoint{host: "b", port: "2"}}) {
		t.Errorf("%+v, %v", all, err)
	}
}
