package queue

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scrape runs one scrape and returns what it reported by queue.
func scrape(t testing.TB, r *Reader, c redis.UniversalClient, now time.Time) map[string]Reading {
	t.Helper()
	pipe := c.Pipeline()
	r.Enqueue(t.Context(), pipe, now)
	_, _ = pipe.Exec(t.Context()) // what failed shows in the readings
	return results(r, now)
}

func results(r *Reader, now time.Time) map[string]Reading {
	got := map[string]Reading{}
	r.Results(now, func(t *Target, reading *Reading) { got[t.Queue] = *reading })
	return got
}

// figures are a reading's numbers, to be compared; NaN is -1.
type figures struct {
	Ready, Delayed, Reserved         float64
	Age, Bound                       float64
	Overdue, OverdueAge, Expired     float64
	Retry, Failed, Workers, Finished float64
	Readable                         bool
}

func figuresOf(r Reading) figures {
	n := func(v float64) float64 {
		if math.IsNaN(v) {
			return -1
		}
		return math.Round(v*1e3) / 1e3
	}
	return figures{
		n(r.Jobs[Ready]), n(r.Jobs[Delayed]), n(r.Jobs[Reserved]), n(r.OldestAge), n(r.OldestAgeLowerBound),
		n(r.DelayedOverdue), n(r.OldestOverdueAge), n(r.ReservedExpired),
		n(r.Jobs[Retry]), n(r.Jobs[Failed]), n(r.Workers), n(r.Processed), r.Err == nil,
	}
}

// absent is a queue of which nothing is known.
var absent = figures{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, false}

func diff(t testing.TB, name string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

func TestUnknownFramework(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	r := NewReader(Options{})
	r.SetTargets([]Target{{Queue: "a", Framework: "cron"}, {Queue: "b", Prefix: new(string)}})
	got := scrape(t, r, server.Client(), at)
	if got["a"].Err == nil || got["b"].Err != nil {
		t.Errorf("a: %v, b: %v", got["a"].Err, got["b"].Err)
	}
}

// Depths alone need three commands and report no ages.
func TestDepthsOnly(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	want := laravelFixture.fillAll(t, c)
	r := NewReader(Options{})
	r.SetTargets(laravelFixture.targets())
	pipe := c.Pipeline()
	r.Enqueue(t.Context(), pipe, at)
	if pipe.Len() != 3*contractQueues {
		t.Errorf("%d commands for %d queues", pipe.Len(), contractQueues)
	}
	if _, err := pipe.Exec(t.Context()); err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	for name, w := range want {
		w.Age, w.Bound, w.Overdue, w.OverdueAge, w.Expired = -1, -1, -1, -1, -1
		want[name] = w
	}
	compare(t, results(r, at), want)
}

// Targets that stay keep their memory, whatever else comes and goes.
func TestSetTargetsKeepsMemory(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	c.RPush(t.Context(), "x-queues:a", oldJob("1", 0))
	c.RPush(t.Context(), "x-queues:b", oldJob("2", 0))
	target := func(queue string, hints ...string) Target {
		return Target{Application: "shop", Connection: "main", Queue: queue, PrefixHints: hints}
	}
	r := NewReader(Options{Ages: true})
	r.SetTargets([]Target{target("a", "y-", "x-")})
	scrape(t, r, c, at)
	r.SetTargets([]Target{target("b", "x-", "z-"), target("a", "x-", "z-")}) // a reload with other hints
	got := scrape(t, r, c, at.Add(10*time.Second))
	for name, bound := range map[string]float64{"a": 10, "b": 0} {
		if got[name].OldestAgeLowerBound != bound || got[name].Jobs[Ready] != 1 {
			t.Errorf("%s: %v ready, seen for %v s, want 1 and %v", name, got[name].Jobs[Ready], got[name].OldestAgeLowerBound, bound)
		}
	}
}
