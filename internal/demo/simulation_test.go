package demo

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// figures are what an exporter would see of a queue.
type figures struct{ ready, delayed, overdue, reserved, expired int64 }

func look(t *testing.T, c *redis.Client, s *spec, now time.Time) figures {
	t.Helper()
	until := strconv.FormatInt(now.Unix(), 10)
	p := c.Pipeline()
	ready, delayed, reserved := p.LLen(t.Context(), s.key("")), p.ZCard(t.Context(), s.key(":delayed")), p.ZCard(t.Context(), s.key(":reserved"))
	overdue, expired := p.ZCount(t.Context(), s.key(":delayed"), "-inf", until), p.ZCount(t.Context(), s.key(":reserved"), "-inf", until)
	if _, err := p.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	return figures{ready.Val(), delayed.Val(), overdue.Val(), reserved.Val(), expired.Val()}
}

// extremes are the largest figures seen, and how often the ready list was empty
// after it had not been.
type extremes struct {
	figures
	drained int
}

func (e *extremes) note(f figures, before int64) {
	e.ready, e.delayed, e.overdue = max(e.ready, f.ready), max(e.delayed, f.delayed), max(e.overdue, f.overdue)
	e.reserved, e.expired = max(e.reserved, f.reserved), max(e.expired, f.expired)
	if f.ready == 0 && before > 0 {
		e.drained++
	}
}

// play runs a queue for the given number of seconds on a clock of its own.
func play(t *testing.T, c *redis.Client, s *spec, seconds float64) extremes {
	t.Helper()
	start := time.Unix(1_700_000_000, 0)
	sim := &simulation{spec: *s, speed: 1, maker: newMaker(1)}
	if err := sim.seed(t.Context(), c, start); err != nil {
		t.Fatal(err)
	}
	var e extremes
	var before int64
	const dt = 0.5
	for at := 0.0; at < seconds; at += dt {
		now := start.Add(time.Duration(at * float64(time.Second)))
		if err := sim.step(t.Context(), c, moment{t: at, dt: dt, now: now}); err != nil {
			t.Fatal(err)
		}
		f := look(t, c, s, now)
		e.note(f, before)
		before = f.ready
		if total := f.ready + f.delayed; total > int64(s.limit) {
			t.Fatalf("%s: %d jobs wait after %.1f s, more than the limit of %d", s.name, total, at, s.limit)
		}
	}
	return e
}

// TestQueuesShowWhatTheyAreFor plays six minutes of every queue, on a real
// Redis and on an embedded one.
func TestQueuesShowWhatTheyAreFor(t *testing.T) {
	servers := map[string]func(*testing.T) *redis.Client{
		"redis": func(t *testing.T) *redis.Client { return redistest.Start(t, redistest.Options{}).Client() },
		"embedded": func(t *testing.T) *redis.Client {
			s, err := startEmbedded("")
			if err != nil {
				t.Fatal(err)
			}
			c := redis.NewClient(&redis.Options{Addr: s.Addr(), DisableIdentity: true})
			t.Cleanup(func() {
				_ = c.Close()
				s.Close()
			})
			return c
		},
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			seen := map[string]extremes{}
			for _, s := range specs() {
				seen[s.name] = play(t, c, &s, 360)
			}
			checkExtremes(t, seen)
		})
	}
}

func checkExtremes(t *testing.T, seen map[string]extremes) {
	t.Helper()
	for name, e := range seen {
		if e.ready == 0 || e.reserved == 0 {
			t.Errorf("%s: never had a ready and a reserved job: %+v", name, e)
		}
		if e.expired > 0 != (name == "imports") {
			t.Errorf("%s: %d reserved jobs expired; only those of imports should", name, e.expired)
		}
	}
	if e := seen["high"]; e.ready < 50 || e.drained < 3 {
		t.Errorf("high: a burst should be seen and caught up each minute: %+v", e)
	}
	if e := seen["newsletter"]; e.overdue < 20 || e.drained == 0 {
		t.Errorf("newsletter: overdue jobs should pile up and be worked off: %+v", e)
	}
	if e := seen["mail"]; e.ready < 40 || e.drained == 0 {
		t.Errorf("mail: should grow while paused and be caught up: %+v", e)
	}
}

func TestPayloadForms(t *testing.T) {
	at := time.Unix(1_700_000_000, 123_456_000)
	for _, test := range []struct {
		name string
		form form
		want map[string]any // nil: the field must be absent
	}{
		{"older", formOlder, map[string]any{"createdAt": nil, "pushedAt": nil, "attempts": 0.0}},
		{"newer", formNewer, map[string]any{"createdAt": 1_700_000_000.0, "pushedAt": nil}},
		{"horizon", formHorizon, map[string]any{"createdAt": nil, "pushedAt": "1700000000.1235", "type": "job"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			id, text := newMaker(7).make(`App\Jobs\Work`, test.form, at)
			var got map[string]any
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			for key, want := range test.want {
				if value, ok := got[key]; value != want || ok != (want != nil) {
					t.Errorf("%s is %v, want %v", key, value, want)
				}
			}
			if got["uuid"] != id || got["displayName"] != `App\Jobs\Work` {
				t.Errorf("uuid %v, displayName %v, want %s and the class", got["uuid"], got["displayName"], id)
			}
			if field(text, "uuid") != id || field(text, "displayName") != `App\Jobs\Work` {
				t.Errorf("field reads %q and %q", field(text, "uuid"), field(text, "displayName"))
			}
			if err := json.Unmarshal([]byte(raiseAttempts(raiseAttempts(text))), &got); err != nil || got["attempts"] != 2.0 {
				t.Errorf("attempts after two tries: %v, %v", got["attempts"], err)
			}
		})
	}
}
