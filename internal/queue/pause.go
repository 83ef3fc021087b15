package queue

import (
	"context"
	"math"

	"github.com/redis/go-redis/v9"
)

// PauseTarget is one queue whose pause flag is read. The flag lies on the
// connection of the application's cache, not on the queue's.
type PauseTarget struct {
	Application string
	Connection  string // of the queue; with Application and Queue it identifies the queue series
	Queue       string
	// QueueConnection is the connection's name in the application's
	// config/queue.php; empty = redis.
	QueueConnection string
	// CachePrefix is the cache's own prefix; empty = its usual forms.
	CachePrefix string
	// PrefixHints are the prefixes that the cache's Redis connection may put in
	// front of that; see LaravelPrefixes.
	PrefixHints []string
	Cluster     bool // the cache's connection is a Redis Cluster
}

// PauseReader reads the pause flags that lie on one connection. Like a Reader
// it is used by one goroutine at a time.
type PauseReader struct {
	entries []*pauseEntry
	cmds    []redis.Cmder
}

type pauseEntry struct {
	target PauseTarget
	cmds   []*redis.IntCmd
}

// NewPauseReader makes a PauseReader without targets.
func NewPauseReader() *PauseReader { return &PauseReader{} }

// SetTargets replaces the list of queues.
func (r *PauseReader) SetTargets(targets []PauseTarget) {
	r.entries = make([]*pauseEntry, 0, len(targets))
	for i := range targets {
		r.entries = append(r.entries, &pauseEntry{target: targets[i]})
	}
}

// Enqueue adds this scrape's commands to pipe.
func (r *PauseReader) Enqueue(ctx context.Context, pipe redis.Pipeliner) {
	_ = pipe.BatchProcess(ctx, r.cmds...)
}

// Results calls yield once for each target, in the order of SetTargets.
// paused is 1 or 0, and NaN where err says why it is not known.
func (r *PauseReader) Results(yield func(t *PauseTarget, paused float64, err error)) {
	for _, e := range r.entries {
		yield(&e.target, math.NaN(), ErrNotRun)
	}
}
