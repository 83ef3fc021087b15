package queue

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// laravelLayouts are the prefixes and, in a Cluster, each of them with the
// queue's name as it is and with the hash tag that Laravel 13.5 and later puts
// around it.
func laravelLayouts(t *Target) []layout {
	prefixes := t.PrefixHints
	if t.Prefix != nil {
		prefixes = []string{*t.Prefix}
	}
	if len(prefixes) == 0 {
		prefixes = LaravelPrefixes("", t.Application, "")
	}
	wrap := t.Cluster && !hasHashTag(t.Queue)
	list := make([]layout, 0, 2*len(prefixes))
	for _, p := range prefixes {
		list = append(list, layout{prefix: p})
		if wrap {
			list = append(list, layout{prefix: p, wrapped: true})
		}
	}
	return list
}

// hasHashTag reports whether a Cluster would hash only a part of name.
func hasHashTag(name string) bool {
	_, rest, open := strings.Cut(name, "{")
	return open && strings.Index(rest, "}") > 0
}

const laravelStem = "queues:"

func laravelKey(name string, l layout) string {
	if l.wrapped {
		return l.prefix + laravelStem + "{" + name + "}"
	}
	return l.prefix + laravelStem + name
}

// laravelCandidates reads a key backwards. A queue's name may contain anything,
// ":delayed" at its end as well; the type tells whether that belongs to it.
// Notify lists are no sign of a queue: they outlive its jobs.
func laravelCandidates(key string, cluster bool) []candidate {
	name, ok := strings.CutPrefix(key, laravelStem)
	if !ok || name == "" || strings.HasSuffix(name, ":notify") {
		return nil
	}
	list := []candidate{{name, "list"}}
	for _, suffix := range [...]string{":delayed", ":reserved"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && base != "" {
			list = append(list, candidate{base, "zset"})
		}
	}
	if !cluster {
		return list
	}
	for _, c := range list {
		if inner, ok := strings.CutPrefix(c.queue, "{"); ok && strings.HasSuffix(inner, "}") && len(inner) > 1 {
			list = append(list, candidate{inner[:len(inner)-1], c.kind})
		}
	}
	return list
}

// laravel is a queue of Laravel's redis driver: a list of ready jobs and two
// sorted sets, delayed by due time and reserved by expiry, in unix seconds.
type laravel struct {
	ready, delayed, reserved *redis.IntCmd

	// nil without ages
	overdue, expired *redis.IntCmd
	head             *head
	due              *member
}

func openLaravel(t *Target, l layout, c *clock, ages bool) source {
	key := laravelKey(t.Queue, l)
	q := &laravel{
		ready:    intCmd("llen", key),
		delayed:  intCmd("zcard", key+":delayed"),
		reserved: intCmd("zcard", key+":reserved"),
	}
	if !ages {
		return q
	}
	q.overdue = intCmd("zcount", key+":delayed", "-inf", &c.unix)
	q.expired = intCmd("zcount", key+":reserved", "-inf", &c.unix)
	q.head = newHead(key)
	q.due = newMember(key+":delayed", &c.unix)
	return q
}

// intCmd makes a command that is reused at every scrape.
func intCmd(args ...any) *redis.IntCmd { return redis.NewIntCmd(context.Background(), args...) }

func (q *laravel) enqueue(b *batch) {
	b.add(q.ready)
	b.add(q.delayed)
	b.add(q.reserved)
	if q.head == nil {
		return
	}
	b.add(q.overdue)
	b.add(q.expired)
}

func (q *laravel) enqueueHead(b *batch) {
	if q.head == nil {
		return
	}
	q.head.enqueue(b)
	q.due.enqueue(b)
}

func (q *laravel) jobs() (float64, error) {
	sum := 0.0
	for _, cmd := range [...]*redis.IntCmd{q.ready, q.delayed, q.reserved} {
		if err := failed(cmd); err != nil {
			return 0, err
		}
		sum += float64(cmd.Val())
	}
	return sum, nil
}

func (q *laravel) read(now time.Time, b *batch, r *Reading) {
	for _, c := range [...]struct {
		cmd   *redis.IntCmd
		state State
	}{{q.ready, Ready}, {q.delayed, Delayed}, {q.reserved, Reserved}} {
		if err := failed(c.cmd); err != nil {
			q.discard(b)
			r.fail(err)
			return
		}
		r.Jobs[c.state] = float64(c.cmd.Val())
	}
	if q.head == nil {
		return
	}
	r.DelayedOverdue = r.count(q.overdue)
	r.ReservedExpired = r.count(q.expired)
	q.head.read(now, q.ready.Val(), b, r)
	q.due.read(now, r.DelayedOverdue, b, r)
}

func (q *laravel) discard(b *batch) {
	if q.head != nil {
		q.head.discard(b)
		q.due.discard(b)
	}
}

// count returns the value of cmd, or NaN with a note of the reason.
func (r *Reading) count(cmd *redis.IntCmd) float64 {
	if err := failed(cmd); err != nil {
		r.partly(err)
		return math.NaN()
	}
	return float64(cmd.Val())
}
