package demo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// spec describes one queue of the demo: who pushes into it and who works it.
type spec struct {
	connection string   // where it lives
	prefix     string   // the Redis connection's key prefix in Laravel
	name       string   // the queue's name in Laravel
	jobs       []string // the classes of its jobs
	form       form
	arrivals   rate
	delayed    float64 // share of the jobs that are pushed for later
	backlog    int     // jobs waiting at the start
	limit      int     // nothing is pushed beyond this many waiting jobs, so that the demo stays small
	workers    crew
	runtime    float64 // seconds that a job takes
	retryAfter time.Duration
	dies       bool // when its workers go, they die with their jobs in hand
	supervised bool // the demo's supervisor runs workers for it, where there is one

	pausePeriod, pauseLength float64 // paused for pauseLength at the end of each pausePeriod, in seconds
}

// key names one of the queue's keys: suffix is empty, ":delayed" or ":reserved".
func (s *spec) key(suffix string) string { return s.prefix + "queues:" + s.name + suffix }

// running is a job in the hands of a worker.
type running struct {
	id, text, class string
	seconds         float64 // that it takes
	until           float64 // in the demo's time
}

// moment is a step in time.
type moment struct {
	t, dt float64   // when it ends and how long it is, in seconds of the demo's time
	now   time.Time // what stands in payloads and scores
}

// simulation moves the jobs of one queue. All of its state but the jobs in hand
// is in Redis, where a worker of Laravel would find it too.
type simulation struct {
	spec    spec
	maker   *maker
	speed   float64  // how much faster than life time passes
	horizon *horizon // nil where the application does not run Horizon
	due     float64  // jobs to push, the fraction included
	budget  float64  // jobs that the workers can take, the fraction included
	hands   []running
}

// batch is how many jobs are moved at most in one step.
const batch = 200

// seed fills the queue as if it had been in use for a while.
func (s *simulation) seed(ctx context.Context, c redis.Cmdable, now time.Time) error {
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range s.spec.backlog {
			s.push(ctx, p, now.Add(-time.Duration(s.spec.backlog-i)*time.Second))
		}
		return nil
	})
	return err
}

// push adds one job made at the given time.
func (s *simulation) push(ctx context.Context, p redis.Pipeliner, at time.Time) {
	class := s.spec.jobs[s.maker.rand.IntN(len(s.spec.jobs))]
	id, text := s.maker.make(class, s.spec.form, at)
	if s.maker.rand.Float64() < s.spec.delayed {
		due := at.Add(time.Duration((5 + s.maker.rand.Float64()*40) / s.speed * float64(time.Second)))
		p.ZAdd(ctx, s.spec.key(":delayed"), redis.Z{Score: float64(due.Unix()), Member: text})
	} else {
		p.RPush(ctx, s.spec.key(""), text)
	}
	if s.horizon != nil {
		s.horizon.pushed(ctx, p, id, at)
	}
}

// step moves the queue on to m.
func (s *simulation) step(ctx context.Context, c redis.Cmdable, m moment) error {
	workers := s.spec.workers(m.t)
	if paused(m.t, s.spec.pausePeriod, s.spec.pauseLength) {
		workers = 0
	}
	waiting, due, err := s.look(ctx, c, workers > 0, m.now)
	if err != nil {
		return err
	}
	take := s.capacity(workers, m.dt)
	var popped *redis.StringSliceCmd
	_, err = c.Pipelined(ctx, func(p redis.Pipeliner) error {
		s.finish(ctx, p, workers, m)
		s.arrive(ctx, p, waiting, m)
		s.migrate(ctx, p, due)
		if take > 0 {
			popped = p.LPopCount(ctx, s.spec.key(""), take)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if popped == nil || len(popped.Val()) == 0 {
		return nil
	}
	return s.reserve(ctx, c, popped.Val(), m)
}

// due is what a worker moves to the ready list before it takes a job.
type due struct{ delayed, expired []string }

// look counts what waits and, as a worker does that polls the queue, looks for
// jobs whose time has come.
func (s *simulation) look(ctx context.Context, c redis.Cmdable, polled bool, now time.Time) (int64, due, error) {
	var ready, later *redis.IntCmd
	var delayed, expired *redis.StringSliceCmd
	until := &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.Unix(), 10), Count: batch}
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		ready, later = p.LLen(ctx, s.spec.key("")), p.ZCard(ctx, s.spec.key(":delayed"))
		if polled {
			delayed = p.ZRangeByScore(ctx, s.spec.key(":delayed"), until)
			expired = p.ZRangeByScore(ctx, s.spec.key(":reserved"), until)
		}
		return nil
	})
	if err != nil {
		return 0, due{}, err
	}
	var d due
	if polled {
		d = due{delayed: delayed.Val(), expired: expired.Val()}
	}
	return ready.Val() + later.Val(), d, nil
}

// capacity is how many jobs workers can take now.
func (s *simulation) capacity(workers int, dt float64) int {
	perStep := float64(workers) * dt / s.spec.runtime
	s.budget = min(s.budget+perStep, max(float64(workers), perStep))
	if workers == 0 {
		s.budget = 0
	}
	n := min(math.Floor(s.budget), batch)
	s.budget -= n
	return int(n)
}

// finish removes the jobs that are done. A crew that dies leaves its jobs reserved.
func (s *simulation) finish(ctx context.Context, p redis.Pipeliner, workers int, m moment) {
	if workers == 0 && s.spec.dies {
		s.hands = s.hands[:0]
		return
	}
	kept := s.hands[:0]
	for _, job := range s.hands {
		if job.until > m.t {
			kept = append(kept, job)
			continue
		}
		p.ZRem(ctx, s.spec.key(":reserved"), job.text)
		if s.horizon != nil {
			s.horizon.done(ctx, p, job, m.now)
		}
	}
	s.hands = kept
}

func (s *simulation) arrive(ctx context.Context, p redis.Pipeliner, waiting int64, m moment) {
	s.due = min(s.due+s.spec.arrivals(m.t)*m.dt, batch)
	for ; s.due >= 1; s.due-- {
		if waiting < int64(s.spec.limit) {
			s.push(ctx, p, m.now)
			waiting++
		}
	}
}

// migrate moves what is due to the end of the ready list.
func (s *simulation) migrate(ctx context.Context, p redis.Pipeliner, d due) {
	for _, text := range d.delayed {
		p.ZRem(ctx, s.spec.key(":delayed"), text)
		p.RPush(ctx, s.spec.key(""), text)
	}
	for _, text := range d.expired {
		p.ZRem(ctx, s.spec.key(":reserved"), text)
		p.RPush(ctx, s.spec.key(""), text)
	}
}

// reserve notes the jobs taken, with the second at which they count as lost.
func (s *simulation) reserve(ctx context.Context, c redis.Cmdable, texts []string, m moment) error {
	members := make([]redis.Z, len(texts))
	for i, text := range texts {
		text = raiseAttempts(text)
		members[i] = redis.Z{Score: float64(m.now.Add(s.spec.retryAfter).Unix()), Member: text}
		length := s.spec.runtime * (0.5 + s.maker.rand.Float64())
		s.hands = append(s.hands, running{id: field(text, "uuid"), class: field(text, "displayName"), text: text, seconds: length, until: m.t + length})
	}
	if err := c.ZAdd(ctx, s.spec.key(":reserved"), members...).Err(); err != nil {
		return fmt.Errorf("reserve jobs of %s: %w", s.spec.name, err)
	}
	return nil
}

// field returns a text field of a payload that maker made.
func field(text, name string) string {
	_, rest, found := strings.Cut(text, `"`+name+`":"`)
	if !found {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return strings.ReplaceAll(value, `\\`, `\`)
}
