package laravel

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/generate/php"
	"github.com/queuefleet/queuefleet/internal/proc"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) {
	proc.RunStub()
	os.Exit(m.Run())
}

// interpreter is the real PHP. One Processes serves all tests, as in a program.
func interpreter(t *testing.T) *php.Interpreter {
	t.Helper()
	redistest.Need(t, "php")
	path, err := php.Find("php")
	if err != nil {
		t.Fatal(err)
	}
	p, err := php.NewProcesses()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return &php.Interpreter{Path: path, Run: p.Run}
}

func load(t *testing.T, text string) *configs.Config {
	t.Helper()
	c, err := configs.Parse("test.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func plan(t *testing.T, text string, o Options) *Plan {
	t.Helper()
	p, err := New(load(t, text), "shop", o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// at returns what a table holds under a path of keys.
func at(t *testing.T, v value, path ...string) value {
	t.Helper()
	for _, key := range path {
		in, ok := v.(table)
		if !ok {
			t.Fatalf("%v: no table above %s", path, key)
		}
		if v, ok = in.find(key); !ok {
			t.Fatalf("%v: there is no %s", path, key)
		}
	}
	return v
}

func keys(v value) []string {
	var list []string
	for _, f := range v.(table) {
		list = append(list, f.key)
	}
	return list
}

const fleet = `
global: {environment: production}
connections:
  - {name: shop-eu, address: "redis.eu:6380", username: app, password: hunter2-eu, database: 3, tls: {server_name: x.eu, min_version: TLS13}}
  - {name: mail.a, address: "unix:///run/redis.sock", options: {key_prefix: "mail:"}}
  - {name: shop-cluster, cluster: {addresses: ["a:1", "b:2"]}, password: hunter2-cluster}
  - {name: caching, address: "[::1]:6379", database: 1}
  - {name: gone, address: "gone:6379", active: false}
applications:
  - slug: shop
    connections: [{connection: mail.a, priority: 30}, {connection: gone}, {connection: shop-cluster, priority: 20}, {connection: shop-eu, primary: true, priority: 40}]
    cache: {connection: caching}
    horizon: {connection: mail.a, prefix: "shop_horizon:"}
queues:
  - {name: orders, application: shop, connection: shop-eu, queue_names: [high, "tenant-*", low], key_prefix: "", max_wait: 90s}
  - {name: long, application: shop, connection: shop-eu, queue_names: [reports], timeout: 1h, retry_after: 2h, worker: {preset: horizon, queue_connection: redis-long}}
  - {name: mails, application: shop, connection: mail.a, queue_names: [a, default], balance: "off", min_processes: 0, sleep: 250ms, backoff: 1500ms, hosts: [web-1]}
  - {name: own, application: shop, connection: shop-cluster, queue_names: ["{x}"], worker: {preset: laravel, queue_connection: redis-x}}
`

func TestPlan(t *testing.T) {
	p := plan(t, fleet, Options{})
	redis, queues, horizon := p.redisTable(), p.queueTable(), p.horizonTable()
	for _, c := range []struct {
		what string
		got  any
		want any
	}{
		{"Redis connections", keys(redis), []string{"shop-cluster", "mail_a", "default", "cache", "clusters"}},
		{"login", at(t, redis, "default", "password"), list{"app", reference("QF_SHOP_EU_PASSWORD")}},
		{"no prefix is not the application's prefix", at(t, redis, "default", "options", "prefix"), ""},
		{"prefix of the connection", at(t, redis, "mail_a", "options", "prefix"), "mail:"},
		{"TLS", at(t, redis, "default", "context", "stream", "crypto_method"), tls13},
		{"socket", at(t, redis, "mail_a", "host"), "/run/redis.sock"},
		{"IPv6", at(t, redis, "cache", "host"), "[::1]"},
		{"a server does not hide the cluster", at(t, redis, "shop-cluster"), nil},
		{"node", at(t, redis, "clusters", "shop-cluster", "1", "port"), 2},
		{"queue connections", keys(queues), []string{"redis-x", "mail_a", "redis", "redis-long"}},
		{"retry_after", at(t, queues, "redis-long", "retry_after"), 7200},
		{"queue of jobs that name none", at(t, queues, "redis", "queue"), "low"},
		{"and where there is a default", at(t, queues, "mail_a", "queue"), "default"},
		{"Horizon's own connection", at(t, horizon, "use"), "mail_a"},
		{"environments", keys(at(t, horizon, "environments")), []string{"production", "*"}},
		{"supervisors", keys(at(t, horizon, "environments", "*")), []string{"orders", "long", "mails"}},
		{"no defaults", len(at(t, horizon, "defaults").(table)), 0},
		{"patterns are left out", at(t, horizon, "environments", "production", "orders", "queue"), list{"high", "low"}},
		{"off", at(t, horizon, "environments", "*", "mails", "balance"), false},
		{"least processes", at(t, horizon, "environments", "*", "mails", "minProcesses"), 1},
		{"sleep", at(t, horizon, "environments", "*", "mails", "sleep"), 0.25},
		{"backoff", at(t, horizon, "environments", "*", "mails", "backoff"), 2},
		{"waits", keys(at(t, horizon, "waits")), []string{"redis:high", "redis:low", "redis-long:reports", "mail_a:a,default"}},
		{"warnings", p.Warnings, []string{
			`queue configuration orders: the pattern "tenant-*" is left out: neither Laravel nor Horizon has patterns`,
			`queue configuration mails: min_processes is 0 and becomes 1: Horizon has no less`,
			`queue configuration mails: Horizon has no hosts: it runs on each machine where Horizon is started`,
			`queue configuration mails: backoff of 1s500ms becomes 2 s: Laravel has whole seconds`,
		}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s: %s", c.what, d)
		}
	}
}

func TestMistakes(t *testing.T) {
	const connections = `
connections:
  - {name: eu, address: "a:1"}
  - {name: us.a, address: "b:1", password: x}
  - {name: us_a, address: "c:1", password: x, environment: staging}
  - {name: horizon, address: "d:1"}
  - {name: watched, environment: live, sentinel: {master: m, addresses: ["s:1"]}}
`
	for _, c := range []struct{ name, app, queues, want string }{
		{"two environments", "connections: [{connection: watched}, {connection: us_a}]", "", "staging (us_a); choose one by --environment"},
		{"no primary", "connections: [{connection: eu}, {connection: us.a}]", "", "none of its connections (eu, us.a) is primary"},
		{"names that collide", "connections: [{connection: eu, primary: true}, {connection: us.a}, {connection: us_a}]", "", "would both be database.redis.us_a"},
		{"reserved", "connections: [{connection: eu, primary: true}, {connection: horizon}]", "", "database.redis.horizon, which is not free"},
		{"Sentinel", "connections: [{connection: eu, primary: true}, {connection: watched}]", "", "connection watched is found by Sentinel"},
		{"nothing", "", "", "no active connection"},
		{
			"one name for two queue connections", "connections: [{connection: eu, primary: true}, {connection: us.a}]",
			"[{name: a, application: shop, connection: eu, queue_names: [a], worker: {}}, {name: b, application: shop, connection: us.a, queue_names: [a], worker: {}}]",
			`a (connection eu) and b (connection us.a) have the same queue connection "redis"`,
		},
		{
			"a dot", "connections: [{connection: eu}]",
			"[{name: a, application: shop, connection: eu, queue_names: [a], worker: {queue_connection: a.b}}]",
			`queue configuration a: worker.queue_connection: "a.b" cannot be`,
		},
		{
			"prefixes", "connections: [{connection: eu}]",
			"[{name: a, application: shop, connection: eu, queue_names: [a], key_prefix: x}, {name: b, application: shop, connection: eu, queue_names: [b], key_prefix: y}]",
			`different values of key_prefix ("x", "y")`,
		},
		{
			"retry_after", "connections: [{connection: eu}], horizon: {connection: eu}",
			"[{name: a, application: shop, connection: eu, queue_names: [a], retry_after: 65s}]",
			"timeout (1m) and 10s must not exceed retry_after (1m5s)",
		},
	} {
		text := connections + "applications: [{slug: shop, " + c.app + "}]\n"
		if c.name == "names that collide" {
			text = strings.ReplaceAll(text, ", environment: staging", "")
		}
		if c.queues != "" {
			text += "queues: " + c.queues + "\n"
		}
		if _, err := New(load(t, text), "shop", Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// Predis wants the same things in other places, and can do Sentinel.
func TestPredis(t *testing.T) {
	text := strings.Replace(fleet, `address: "[::1]:6379"`, `password: hunter2, sentinel: {master: m, addresses: ["s1:1", "s2:2"], password: hunter2}`, 1)
	p := plan(t, strings.Replace(text, "horizon: {connection: mail.a", "horizon: {connection: shop-cluster", 1), Options{Client: Predis})
	redis := p.redisTable()
	for _, c := range []struct {
		what string
		got  any
		want any
	}{
		{"socket", at(t, redis, "mail_a", "path"), "/run/redis.sock"},
		{"password", at(t, redis, "default", "password"), reference("QF_SHOP_EU_PASSWORD")},
		{"user", at(t, redis, "default", "username"), "app"},
		{"TLS", at(t, redis, "default", "ssl", "peer_name"), "x.eu"},
		{"sentinels", keys(at(t, redis, "cache")), []string{"0", "1", "options"}},
		{"sentinels' password", at(t, redis, "cache", "1", "password"), reference("QF_CACHING_SENTINEL_PASSWORD")},
		{"password behind them", at(t, redis, "cache", "options", "parameters", "password"), reference("QF_CACHING_PASSWORD")},
		{"warnings", p.Warnings[1:3], []string{
			"connection shop-cluster is a Redis Cluster, and Horizon keeps its records there: before 2026 Horizon takes the first node for all of it",
			"connection caching: its sentinels have a password, which Predis knows from its version 2 on",
		}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s: %s", c.what, d)
		}
	}
}

// One deployment has one environment's connections.
func TestEnvironment(t *testing.T) {
	text := strings.Replace(fleet, "database: 3", "database: 3, environment: staging", 1)
	if _, err := New(load(t, text), "shop", Options{Environment: "nowhere"}); err == nil || !strings.Contains(err.Error(), "staging") {
		t.Errorf("an environment that does not exist: %v", err)
	}
	text = strings.Replace(text, "priority: 20", "priority: 20, primary: false", 1)
	_, err := New(load(t, text), "shop", Options{Environment: "production"})
	if err == nil || !strings.Contains(err.Error(), "is primary") { // the primary one is staging's
		t.Errorf("production without a primary connection: %v", err)
	}
	text = strings.ReplaceAll(text, "horizon: {connection: mail.a", "horizon: {connection: shop-eu")
	p := plan(t, text, Options{Environment: "staging"})
	if d := cmp.Diff([]string{"default"}, keys(p.redisTable())); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"staging", "*"}, keys(at(t, p.horizonTable(), "environments"))); d != "" {
		t.Error(d)
	}
}

// PHP reads what was meant, whatever the names and addresses hold.
func TestVerify(t *testing.T) {
	i := interpreter(t)
	files, err := plan(t, fleet, Options{}).Render(Source{Files: []string{"a*/b?>\n.yml"}, Hash: "x"}, FormatPHP)
	if err != nil {
		t.Fatal(err)
	}
	odd := table{
		{key: `'\`, value: "quote ' backslash \\ dollar $x {$x} \x01 newline \n ü \\'", comment: "c"},
		{key: "list", value: list{1, -2.5, true, nil, "", table{{key: "0", value: list{}}, {key: "5", value: table{}}}}},
	}
	var b strings.Builder
	phpText(&b, odd, 0)
	files = append(files, File{Name: "odd.php", Text: "<?php\nreturn " + b.String() + ";\n", value: odd})
	if err := Verify(t.Context(), i, files); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(string) string{
		"other":  func(s string) string { return strings.Replace(s, "6380", "6381", 1) },
		"syntax": func(s string) string { return strings.Replace(s, "=>", "=", 1) },
		"order": func(s string) string {
			return strings.Replace(s, "'host' => 'redis.eu',\n        'port' => 6380", "'port' => 6380, 'host' => 'redis.eu'", 1)
		},
		"type": func(s string) string { return strings.Replace(s, "=> 6380", "=> '6380'", 1) },
	} {
		bad := files[0]
		if bad.Text = change(bad.Text); bad.Text == files[0].Text {
			t.Fatalf("%s: nothing changed", name)
		}
		if err := Verify(t.Context(), i, []File{bad}); err == nil {
			t.Errorf("%s: a file that says something else passes", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Verify(ctx, i, files); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
