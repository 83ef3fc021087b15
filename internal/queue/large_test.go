package queue

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// sent is how many bytes the server has sent to anybody.
func sent(t *testing.T, c *redis.Client) int64 {
	t.Helper()
	info, err := c.Info(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(info, "total_net_output_bytes:")
	number, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A payload of 10 MB at the head of a queue, and one among the overdue jobs,
// is carried now and then only, and through the exporter's own connections its
// age is known then. Between, it is not known: another one may stand there.
func TestLargePayload(t *testing.T) {
	const size, overdueSize = 10 << 20, 5 << 20
	server := redistest.Start(t, redistest.Options{})
	admin := server.Client()
	admin.RPush(t.Context(), "queues:large", job("a", at.Add(-time.Minute), size), job("b", at, 0))
	admin.ZAdd(t.Context(), "queues:large:delayed", redis.Z{Score: float64(at.Unix() - 30), Member: job("c", at, overdueSize)})
	admin.RPush(t.Context(), "queues:small", job("d", at.Add(-time.Minute), 0))

	client := connection.New(configs.Connection{Name: "main", Address: server.Addr})
	defer client.Close()
	r := NewReader(Options{Ages: true, Elided: connection.Elided})
	r.SetTargets([]Target{{Queue: "large", Prefix: new(string)}, {Queue: "small", Prefix: new(string)}})
	fetched, heaviest := 0, int64(0)
	const scrapes = 9 // two minutes
	for i := range scrapes {
		now := at.Add(time.Duration(i) * 15 * time.Second)
		before := sent(t, admin)
		got := scrape(t, r, client.Redis(), now)
		heaviest = max(heaviest, sent(t, admin)-before)
		large, small := got["large"], got["small"]
		age := 60 + 15*float64(i)
		if small.OldestAge != age {
			t.Errorf("scrape %d: small: age %v, want %v", i, small.OldestAge, age)
		}
		if large.Jobs[Ready] != 2 || large.DelayedOverdue != 1 {
			t.Errorf("scrape %d: %v ready, %v overdue", i, large.Jobs[Ready], large.DelayedOverdue)
		}
		switch {
		case large.OldestAge == age && large.OldestAgeLowerBound == 15*float64(i):
			fetched++
		case !same(large.OldestAge, unknown) || !same(large.OldestAgeLowerBound, unknown) || !large.Withheld:
			t.Errorf("scrape %d, not fetched: %+v", i, figuresOf(large))
		}
	}
	if fetched < 2 || fetched > scrapes/2 {
		t.Errorf("fetched at %d of %d scrapes, want some", fetched, scrapes)
	}
	if heaviest > scrapeBytes+1<<20 {
		t.Errorf("a scrape carried %d bytes, want at most %d", heaviest, scrapeBytes)
	}
}

// A connection that cannot carry a payload before its deadline is down once,
// not for ever: the next scrape leaves payloads alone, the one to blame is found
// and left alone, and the ages of all other queues come back.
func TestPayloadTooLargeForTheConnection(t *testing.T) {
	const queues, carries = 40, 1 << 20
	server := redistest.Start(t, redistest.Options{})
	admin := server.Client()
	var targets []Target
	for i := range queues {
		name := fmt.Sprint("q", i)
		padding := 0
		if i == 25 {
			padding = 3 * carries
		}
		admin.RPush(t.Context(), "queues:"+name, job(name, at, padding))
		targets = append(targets, Target{Queue: name, Prefix: new(string)})
	}
	var left atomic.Int64
	c := redis.NewClient(&redis.Options{
		Addr: server.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			return limitedConn{conn, &left}, err
		},
	})
	defer c.Close()
	r := NewReader(Options{Ages: true})
	r.SetTargets(targets)
	down, now := 0, at
	var ages int
	for i := range 12 {
		left.Store(carries)
		now = now.Add(15 * time.Second)
		pipe := c.Pipeline()
		r.Enqueue(t.Context(), pipe, now)
		_, err := pipe.Exec(t.Context())
		up := err == nil || replied(err)
		if !up {
			down++
		}
		ages = 0
		for name, reading := range results(r, now) {
			if up != (reading.Err == nil) || up && reading.Jobs[Ready] != 1 {
				t.Fatalf("scrape %d: %s: %+v", i, name, reading)
			}
			if reading.OldestAge == now.Sub(at).Seconds() {
				ages++
			} else if !same(reading.OldestAge, unknown) {
				t.Fatalf("scrape %d: %s: age %v", i, name, reading.OldestAge)
			}
		}
	}
	if down != 1 {
		t.Errorf("the connection was down at %d of 12 scrapes, want the first only", down)
	}
	if ages != queues-1 {
		t.Errorf("at the end %d ages are known, want %d", ages, queues-1)
	}
}
