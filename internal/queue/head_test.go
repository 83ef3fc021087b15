package queue

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// unknown stands in tables for a figure that must be absent.
var unknown = math.NaN()

func same(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-3
}

// job is a payload as Laravel 12.11 writes it.
func job(uuid string, created time.Time, padding int) string {
	return fmt.Sprintf(`{"uuid":%q,"displayName":"App\\Jobs\\Work","job":"Illuminate\\Queue\\CallQueuedHandler@call","data":{"command":%q},"createdAt":%d,"delay":null,"id":%q,"attempts":0}`,
		uuid, strings.Repeat("x", padding), created.Unix(), uuid)
}

// oldJob is one of Laravel 8.83: nothing tells when it was made.
func oldJob(uuid string, attempts int) string {
	return fmt.Sprintf(`{"uuid":%q,"data":{"command":"O:13:\"App\\Jobs\\Work\""},"id":"x%s","attempts":%d}`, uuid, uuid, attempts)
}

// step is one scrape of a list: what Redis would answer, and what must come out.
type step struct {
	after  time.Duration // since the step before
	length int64
	head   string // empty = nil reply
	err    error  // reply to LINDEX

	asked      bool // must LINDEX be asked?
	age, bound float64
}

func runHead(t *testing.T, steps []step) {
	t.Helper()
	b := newBatch(Options{HeadBytes: 1000, Elided: elideAbove4000})
	h := newHead("q")
	now := at
	for i, s := range steps {
		now = now.Add(s.after)
		b.begin(now)
		h.enqueue(&b)
		if h.fetch.asked != s.asked {
			t.Fatalf("step %d: asked = %v, want %v", i, h.fetch.asked, s.asked)
		}
		if h.fetch.asked {
			h.cmd.SetErr(s.err)
			h.cmd.SetVal(s.head)
			if s.head == "" && s.err == nil {
				h.cmd.SetErr(redis.Nil)
			}
		}
		var r Reading
		r.reset()
		h.read(now, s.length, &b, &r)
		b.end()
		if !same(r.OldestAge, s.age) || !same(r.OldestAgeLowerBound, s.bound) {
			t.Fatalf("step %d: age %v, bound %v; want %v, %v", i, r.OldestAge, r.OldestAgeLowerBound, s.age, s.bound)
		}
	}
}

// elideAbove4000 pretends that longer payloads are what is left of 40 MiB.
func elideAbove4000(s string) (head, tail string, size int64, ok bool) {
	if len(s) <= 4000 {
		return "", "", 0, false
	}
	return s[:2000], s[len(s)-2000:], 40 << 20, true
}

func TestHead(t *testing.T) {
	const s15 = 15 * time.Second
	big, bigger := job("big", at, 2000), job("bigger", at, 4000) // 2 kB, 40 MiB; the limit of these tests is 1 kB
	failed := errors.New("connection reset")
	refused := error(redis.ErrCrossSlot) // any error of the server's will do
	for name, steps := range map[string][]step{
		"empty": {{0, 0, "", nil, true, 0, 0}, {s15, 0, "", nil, true, 0, 0}},
		"a time in the payload": {
			{0, 1, job("a", at.Add(-30*time.Second), 0), nil, true, 30, 0},
			{s15, 1, job("a", at.Add(-30*time.Second), 0), nil, true, 45, 15},
			{s15, 2, job("b", at.Add(20*time.Second), 0), nil, true, 10, 0},
			{s15, 0, "", nil, true, 0, 0},
		},
		"a clock that is ahead of ours": {{0, 1, job("a", at.Add(time.Hour), 0), nil, true, 0, 0}},
		"no time in the payload": {
			{0, 1, oldJob("a", 0), nil, true, unknown, 0},
			{s15, 1, oldJob("a", 0), nil, true, unknown, 15},
			{s15, 1, oldJob("a", 1), nil, true, unknown, 30}, // tried again: the same job
			{s15, 1, oldJob("b", 0), nil, true, unknown, 0},
			{s15, 0, "", nil, true, 0, 0},
			{s15, 1, oldJob("b", 0), nil, true, unknown, 0}, // the queue was empty between
		},
		"nothing to recognise it by": {
			{0, 1, `not json`, nil, true, unknown, 0},
			{s15, 1, `not json`, nil, true, unknown, 15},
			{s15, 1, `not json either`, nil, true, unknown, 0},
		},
		"popped after it was counted": {{0, 1, "", nil, true, 0, 0}},
		"pushed after they were counted": {
			{0, 0, job("a", at, 0), nil, true, 0, 0},
			{s15, 1, job("a", at, 0), nil, true, 15, 15},
		},
		"large: fetched at every scrape": {
			{0, 5, big, nil, true, 0, 0},
			{s15, 5, big, nil, true, 15, 15},
		},
		"larger: fetched seldom, and nothing is known between": {
			{0, 5, bigger, nil, true, 0, 0},
			{s15, 5, "", nil, false, unknown, unknown},
			{s15, 6, "", nil, false, unknown, unknown},
			{130 * time.Second, 6, bigger, nil, true, 160, 160},
			{s15, 9, "", nil, false, unknown, unknown},
		},
		"larger and gone": {
			{0, 5, bigger, nil, true, 0, 0},
			{160 * time.Second, 5, bigger, nil, true, 160, 160},
			{s15, 4, "", nil, false, unknown, unknown},
			{145 * time.Second, 4, job("b", at, 0), nil, true, 320, 0},
			{s15, 4, job("b", at, 0), nil, true, 335, 15},
		},
		"larger and drained": {
			{0, 5, bigger, nil, true, 0, 0},
			{s15, 0, "", nil, false, 0, 0},
			{145 * time.Second, 1, bigger, nil, true, 160, 0},
		},
		"refused": {
			{0, 5, "", refused, true, unknown, unknown},
			{s15, 5, job("a", at, 0), nil, true, 15, 0},
		},
		"the pipeline ends in it": {
			{0, 5, job("a", at, 0), nil, true, 0, 0},
			{s15, 5, "", failed, true, unknown, unknown},
			{s15, 5, "", nil, false, unknown, unknown}, // none is fetched
			{firstPenalty, 5, job("a", at, 0), nil, true, 330, 330},
		},
		"the pipeline ends behind it": {
			{0, 5, job("a", at, 0), nil, true, 0, 0},
			{s15, 5, job("a", at, 0), failed, true, unknown, unknown},
			{s15, 5, job("a", at, 0), nil, true, 30, 30},
		},
		"the pipeline ends before it": {
			{0, 5, job("a", at, 0), nil, true, 0, 0},
			{s15, 5, "", ErrNotRun, true, unknown, unknown},
			{s15, 5, job("a", at, 0), nil, true, 30, 30},
		},
	} {
		t.Run(name, func(t *testing.T) {
			runHead(t, steps)
		})
	}
}

// A thousand queues with jobs are not all asked at once, each has its turn,
// and after payloads that were too much for the connection it begins with one.
func TestUnknownPayloadsAreTakenInSteps(t *testing.T) {
	b := newBatch(Options{HeadBytes: 1000})
	fetches := make([]fetch, 1000)
	now := at
	scrape := func(size int64, err error) int {
		now = now.Add(15 * time.Second)
		b.begin(now)
		asked := 0
		for i := range fetches {
			f := &fetches[i]
			if f.weighed && !b.careful || !b.allow(f) {
				continue
			}
			if asked++; err == nil {
				b.fetched(f, size)
			} else if !b.blamed {
				b.failed(f, err, false, 0)
			}
		}
		b.end()
		return asked
	}
	for i, c := range []struct {
		size int64
		err  error
		want int
	}{{500, nil, 128}, {500, nil, 872}} {
		if got := scrape(c.size, c.err); got != c.want {
			t.Fatalf("scrape %d: asked for %d payloads, want %d", i, got, c.want)
		}
	}
	clear(fetches)
	b = newBatch(Options{HeadBytes: 1000})
	for i, c := range []struct {
		size int64
		err  error
		want int
	}{
		{0, io.ErrUnexpectedEOF, 128},
		{0, nil, 0},
		{900, nil, 1},
		{900, nil, 8},
		{4 << 20, nil, 64},
		{900, nil, 1}, // by the weight of the last ones
		{900, nil, 8},
	} {
		if got := scrape(c.size, c.err); got != c.want {
			t.Fatalf("scrape %d: asked for %d payloads, want %d", i, got, c.want)
		}
	}
}

// Where the sum was too much, half of what arrived is asked for, and twice as
// much an hour later.
func TestBytesOfAScrapeFollowTheConnection(t *testing.T) {
	b := newBatch(Options{HeadBytes: 1 << 20})
	fetches := make([]fetch, 20)
	for i := range fetches {
		fetches[i] = fetch{weighed: true, size: 1 << 20}
	}
	for i, c := range []struct {
		after  time.Duration
		broken int // the pipeline ends at this one; 0 = it does not
		want   int
	}{
		{0, 0, 16}, {15 * time.Second, 10, 16}, {15 * time.Second, 0, 0},
		{15 * time.Second, 0, 1}, {15 * time.Second, 0, 4}, {15 * time.Second, 0, 4},
		{time.Hour, 0, 4}, {15 * time.Second, 0, 9}, {time.Hour, 0, 9}, {15 * time.Second, 0, 16},
	} {
		b.begin(b.now.Add(c.after))
		asked := 0
		for j := range fetches {
			f := &fetches[j]
			if !b.allow(f) {
				continue
			}
			switch asked++; {
			case c.broken == 0 || asked < c.broken:
				b.fetched(f, 1<<20)
			case asked == c.broken:
				b.failed(f, io.ErrUnexpectedEOF, false, 0)
			}
		}
		b.end()
		if asked != c.want {
			t.Errorf("scrape %d: asked for %d payloads of 1 MiB, want %d", i, asked, c.want)
		}
	}
}

// What is known to be large is fetched within the bytes of a scrape, one at
// least, and each has its turn.
func TestLargePayloadsShareTheBytes(t *testing.T) {
	b := newBatch(Options{HeadBytes: 1000})
	b.begin(at)
	for _, c := range []struct {
		size int64
		want bool
	}{{10 << 20, true}, {10 << 20, false}, {6 << 20, true}, {1000, false}} {
		f := fetch{weighed: true, size: c.size}
		if got := b.allow(&f); got != c.want {
			t.Errorf("%d bytes: allowed = %v, want %v", c.size, got, c.want)
		}
	}
	b.begin(at)
	if f := (fetch{weighed: true, size: 100 << 20}); !b.allow(&f) {
		t.Error("one that is larger than all bytes of a scrape is never fetched")
	}
}
