package queue

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"github.com/redis/go-redis/v9"
)

// head is the job at the head of a list, and since when it has been seen there.
//
// The lower bound of its age is how long the same job has been seen at the
// head. Identity is the payload's uuid or id, which stay the same when the job
// is tried again; else a hash of the whole payload.
//
// While a large payload is not fetched, its ages are not known, unless the list
// is empty: its length says no more than whether jobs have left. Whether the
// head is still the one that was seen shows when it is fetched again, and then
// the bound counts from where it was first seen.
type head struct {
	cmd   *redis.StringCmd
	fetch fetch

	known  bool // a head was fetched, and nothing speaks against its still being there
	hash   uint64
	id     uint64
	since  time.Time // seen at the head from here
	ready  float64   // when it became ready, unix seconds
	timed  bool      // ready is known
	length int64
}

func newHead(key string) *head {
	return &head{cmd: redis.NewStringCmd(context.Background(), "lindex", key, "0")}
}

func (h *head) enqueue(b *batch) {
	h.fetch.asked = b.allow(&h.fetch)
	if h.fetch.asked {
		b.add(h.cmd)
	}
}

// take returns the payload and lets go of it, so that it is not kept until the
// next scrape. Where there is an error, the payload cannot be used.
func (h *head) take(b *batch) (string, error) {
	payload, err := h.cmd.Val(), h.cmd.Err()
	h.cmd.SetVal("")
	if err != nil {
		_, _, size := b.parts(payload)
		b.failed(&h.fetch, err, payload != "", size)
	}
	return payload, err
}

// discard is called in place of read for a reply that nobody reads.
func (h *head) discard(b *batch) {
	if h.fetch.asked {
		_, _ = h.take(b)
	}
}

// read fills in the ages of a list that has length jobs.
func (h *head) read(now time.Time, length int64, b *batch, r *Reading) {
	shorter := length < h.length
	h.length = length
	h.fetch.idle = length == 0
	if !h.fetch.asked {
		h.infer(now, shorter, r)
		return
	}
	payload, err := h.take(b)
	switch {
	case errors.Is(err, redis.Nil):
		h.known = false
		h.fetch.gone()
		r.OldestAge, r.OldestAgeLowerBound = 0, 0
		return
	case err != nil:
		r.partly(err)
		return
	}
	h.observe(now, payload, b)
	h.report(now, r)
	if length == 0 {
		// It came while the pipeline ran, after the jobs had been counted.
		r.OldestAge, r.OldestAgeLowerBound = 0, 0
	}
}

// infer says what the length alone tells.
func (h *head) infer(now time.Time, shorter bool, r *Reading) {
	switch {
	case h.length == 0:
		h.known = false
		h.fetch.gone()
		r.OldestAge, r.OldestAgeLowerBound = 0, 0
		return
	case shorter && h.known:
		h.fetch.gone()
		h.id, h.hash, h.since, h.timed = 0, 0, now, false // another head
	}
	r.Withheld = true
}

// observe takes in what was fetched.
func (h *head) observe(now time.Time, payload string, b *batch) {
	hash := maphash.String(b.seed, payload)
	if h.known && hash == h.hash {
		b.fetched(&h.fetch, h.fetch.size)
		return
	}
	f, size := b.scan(payload)
	b.fetched(&h.fetch, size)
	id := hash
	if name := f.identity(); name != "" {
		id = maphash.String(b.seed, name)
	}
	if !h.known || id != h.id {
		h.since = now
	}
	h.known, h.hash, h.id = true, hash, id
	h.ready, h.timed = f.readySince(now)
}

// report writes down the ages of a head that has just been seen.
func (h *head) report(now time.Time, r *Reading) {
	r.OldestAgeLowerBound = seconds(now, h.since)
	if h.timed {
		r.OldestAge = max(0, unix(now)-h.ready)
	}
}

// seconds returns how much later a is than b, never less than nothing.
func seconds(a, b time.Time) float64 { return max(0, a.Sub(b).Seconds()) }

func unix(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// member is the longest overdue member of a sorted set of due times. Its score
// is what is wanted; Redis sends the payload with it.
type member struct {
	cmd   *redis.ZSliceCmd
	fetch fetch
}

func newMember(key string, now *string) *member {
	args := []any{"zrangebyscore", key, "-inf", now, "withscores", "limit", "0", "1"}
	return &member{cmd: redis.NewZSliceCmd(context.Background(), args...)}
}

func (m *member) enqueue(b *batch) {
	m.fetch.asked = b.allow(&m.fetch)
	if m.fetch.asked {
		b.add(m.cmd)
	}
}

// take returns the member's size and score, or that there is none, and lets go
// of the payload.
func (m *member) take(b *batch) (size int64, due float64, none bool, err error) {
	list, err := m.cmd.Val(), m.cmd.Err()
	m.cmd.SetVal(nil)
	none = len(list) == 0
	arrived := list != nil
	if !none {
		var payload string
		payload, arrived = list[0].Member.(string)
		_, _, size = b.parts(payload)
		due = list[0].Score
	}
	if err != nil {
		b.failed(&m.fetch, err, arrived, size)
	}
	return size, due, none, err
}

// discard is called in place of read for a reply that nobody reads.
func (m *member) discard(b *batch) {
	if m.fetch.asked {
		_, _, _, _ = m.take(b)
	}
}

// read fills in the age of the longest overdue of overdue jobs (NaN = not known
// how many).
func (m *member) read(now time.Time, overdue float64, b *batch, r *Reading) {
	m.fetch.idle = overdue == 0
	if overdue == 0 {
		m.fetch.gone()
		r.OldestOverdueAge = 0
	}
	if !m.fetch.asked {
		r.Withheld = r.Withheld || overdue != 0
		return
	}
	size, due, none, err := m.take(b)
	switch {
	case err != nil:
		r.partly(err)
	case none:
		m.fetch.gone()
		r.OldestOverdueAge = 0
	default:
		b.fetched(&m.fetch, size)
		if due, ok := sane(due, now); ok && overdue != 0 {
			r.OldestOverdueAge = max(0, unix(now)-due)
		}
	}
}
