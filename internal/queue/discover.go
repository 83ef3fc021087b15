package queue

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
)

// Pattern asks for the queues of one queue configuration whose names match.
type Pattern struct {
	Application string
	Connection  string
	Framework   string
	Pattern     string        // as tenant-*: *, ?, [a-z] and \ to escape
	Prefix      *string       // nil: any of PrefixHints
	PrefixHints []string      // see LaravelPrefixes
	Cluster     bool          // names may stand in braces
	TTL         time.Duration // how long a queue that has become empty is remembered
	Max         int           // how many are remembered at most
}

// Discoverer finds the queues that match patterns on one connection. It scans
// the keys slowly enough to use less than one percent of one Redis core, and
// remembers what it found, because a drained queue has no keys.
// Its methods may be called from several goroutines; Scan by one at a time.
type Discoverer struct {
	options DiscovererOptions
	cursors map[string]*cursor // by node; owned by Scan

	mu       sync.Mutex // guards what follows
	version  int        // of patterns
	patterns []*patternMemory
}

// DiscovererOptions tune a Discoverer.
type DiscovererOptions struct {
	Now   func() time.Time                                                                 // nil = time.Now
	Sleep func(ctx context.Context, d time.Duration) error                                 // nil = a timer
	Nodes func(ctx context.Context, each func(context.Context, *redis.Client) error) error // every master of the connection, one after another
}

// patternMemory is what was found for a pattern.
type patternMemory struct {
	Pattern
	prefixes []string
	names    map[string]*nameMemory
	over     map[string]struct{} // names beyond Max and names that are no text, in the pass under way
	dropped  int                 // of the last whole pass, or of this one if that is more
}

// nameMemory is what is known of a queue found by pattern.
type nameMemory struct {
	prefix     int       // index of the prefix under which it was found
	emptySince time.Time // zero while it has jobs, or has not been seen empty
}

// maxOver bounds the memory for counting what is dropped.
const maxOver = 100_000

// NewDiscoverer makes a Discoverer without patterns.
func NewDiscoverer(o DiscovererOptions) *Discoverer {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Discoverer{options: o, cursors: map[string]*cursor{}}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// SetPatterns replaces the patterns; what was found for one that stays is kept.
func (d *Discoverer) SetPatterns(patterns []Pattern) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := make(map[string]*patternMemory, len(d.patterns))
	for _, m := range d.patterns {
		old[m.id()] = m
	}
	next := make([]*patternMemory, 0, len(patterns))
	changed := false
	for _, p := range patterns {
		m := &patternMemory{Pattern: p, prefixes: p.prefixes(), names: map[string]*nameMemory{}, over: map[string]struct{}{}}
		if was := old[m.id()]; was != nil {
			m.names, m.over, m.dropped = was.names, was.over, was.dropped
		} else {
			changed = true
		}
		next = append(next, m)
	}
	d.patterns = next
	if changed {
		d.version++ // a scan under way begins anew, or it would miss the new ones' keys
	}
}

func (p *Pattern) prefixes() []string {
	if p.Prefix != nil {
		return []string{*p.Prefix}
	}
	if len(p.PrefixHints) == 0 {
		return LaravelPrefixes("", p.Application, "")
	}
	return p.PrefixHints
}

func (p *Pattern) framework() string { return cmp.Or(p.Framework, DefaultFramework) }

// id is what two patterns have in common whose queues are the same.
func (p *Pattern) id() string {
	parts := append([]string{p.Application, p.Connection, p.framework(), p.Pattern}, p.prefixes()...)
	return strings.Join(parts, "\x00")
}

// Seen tells how many jobs a queue had at a scrape. A queue is forgotten when
// it was seen empty for the TTL; one that cannot be read is not. NaN is ignored.
func (d *Discoverer) Seen(application, queue string, jobs float64, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.patterns {
		n := m.names[queue]
		switch {
		case n == nil || m.Application != application:
		case jobs > 0:
			n.emptySince = time.Time{}
		case jobs == 0 && n.emptySince.IsZero():
			n.emptySince = now
		}
	}
}

// Queues lists the names remembered for pattern i of SetPatterns, sorted, and
// tells how many more were dropped: beyond Max, or because their names are no
// text.
func (d *Discoverer) Queues(i int) (names []string, dropped int) {
	now := d.options.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if i < 0 || i >= len(d.patterns) {
		return nil, 0
	}
	m := d.patterns[i]
	m.forget(now)
	likeliest := len(m.prefixes)
	for _, n := range m.names {
		likeliest = min(likeliest, n.prefix)
	}
	for name, n := range m.names {
		// All queues of an application have one prefix. What stands under a less
		// likely one belongs to another application.
		if n.prefix == likeliest {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, max(m.dropped, len(m.over))
}

// forget drops the queues that have been empty for the TTL.
func (m *patternMemory) forget(now time.Time) {
	for name, n := range m.names {
		if !n.emptySince.IsZero() && now.Sub(n.emptySince) >= m.TTL {
			delete(m.names, name)
		}
	}
}

// found takes in that a queue has keys.
func (m *patternMemory) found(name string, prefix int) {
	if n := m.names[name]; n != nil {
		n.emptySince = time.Time{}
		n.prefix = min(n.prefix, prefix)
		return
	}
	if len(m.names) < m.Max && isText(name) {
		m.names[name] = &nameMemory{prefix: prefix}
		return
	}
	if len(m.over) < maxOver {
		m.over[name] = struct{}{}
	}
}

// isText reports whether name can be a label's value that people read.
func isText(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}

// endPass closes the account of what was dropped.
func (m *patternMemory) endPass() {
	m.dropped = len(m.over)
	clear(m.over)
}

// matches reports whether a queue's name matches. Unlike in file names, a
// slash is a character like any other.
func (p *Pattern) matches(name string) bool {
	const slash = "\x00"
	ok, err := path.Match(strings.ReplaceAll(p.Pattern, "/", slash), strings.ReplaceAll(name, "/", slash))
	return ok && err == nil
}

// literal is what all matching names begin with.
func (p *Pattern) literal() string {
	if i := strings.IndexAny(p.Pattern, `*?[\`); i >= 0 {
		return p.Pattern[:i]
	}
	return p.Pattern
}
