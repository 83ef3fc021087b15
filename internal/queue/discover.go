package queue

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
)

// IsPattern reports whether name is a pattern that stands for many queues.
func IsPattern(name string) bool { return configs.IsPattern(name) }

// Pattern asks for the queues of one queue configuration whose names match.
type Pattern struct {
	Application string
	Connection  string
	Framework   string
	Pattern     string   // as tenant-*; path.Match
	Prefix      *string  // nil: any of PrefixHints
	PrefixHints []string // see LaravelPrefixes
	Cluster     bool
	TTL         time.Duration // how long a queue that has become empty is remembered
	Max         int           // how many are kept at most
}

// Discoverer finds the queues that match patterns on one connection. It scans
// the keys slowly enough to use less than one percent of one Redis core, and
// remembers what it found, because a drained queue has no keys.
// Its methods may be called from several goroutines.
type Discoverer struct{}

// DiscovererOptions tune a Discoverer.
type DiscovererOptions struct {
	Now   func() time.Time                                                                 // nil = time.Now
	Sleep func(ctx context.Context, d time.Duration) error                                 // nil = a timer
	Nodes func(ctx context.Context, each func(context.Context, *redis.Client) error) error // every master of the connection, one after another
}

// NewDiscoverer makes a Discoverer without patterns.
func NewDiscoverer(o DiscovererOptions) *Discoverer { return &Discoverer{} }

// SetPatterns replaces the patterns; what was found for one that stays is kept.
func (d *Discoverer) SetPatterns(patterns []Pattern) {}

// Scan goes once through all keys of the connection. It returns ctx's error
// when it was stopped, and goes on at the same place when called again.
func (d *Discoverer) Scan(ctx context.Context) error { return errors.ErrUnsupported }

// Seen tells the Discoverer that a queue had jobs (or none) at a scrape, so
// that one which is used between two scans is not forgotten.
func (d *Discoverer) Seen(application, queue string, jobs float64, now time.Time) {}

// Queues lists the names found for pattern i of SetPatterns, sorted, and how
// many more were dropped because of Max.
func (d *Discoverer) Queues(i int) (names []string, dropped int) { return nil, 0 }
