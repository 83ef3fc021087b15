// Package collector probes every connection and queue of a configuration and
// renders what it finds in Prometheus' text format.
//
// A scrape is synchronous and whole: all connections in parallel, one
// pipelined round trip each, each under its own deadline and all under the
// scrape's. What one connection does never delays or shifts another's figures.
package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
)

const (
	defaultProbeTimeout = 2 * time.Second

	// hungGrace is how long a scrape waits for connections that hung in the
	// last probe, so that one that has come back is up in this scrape already.
	hungGrace = 50 * time.Millisecond

	// overrun is what a probe may take beyond its deadline, for a goroutine to
	// be scheduled on a busy machine, before the scrape goes on without it.
	overrun = 100 * time.Millisecond

	// landingGrace is how long beyond its deadline a scrape waits for a
	// collection that is about to end.
	landingGrace = 300 * time.Millisecond
)

// ErrUnknownConnection is returned for a name that is not configured or not probed.
var ErrUnknownConnection = errors.New("unknown connection")

// Options of a Collector. Logger and Registerer are required.
type Options struct {
	Logger            *slog.Logger
	Registerer        prometheus.Registerer
	Now               func() time.Time // nil = time.Now
	QueueAges         bool             // ages, overdue and expired counts beside depths
	Commandstats      bool             // INFO commandstats and errorstats: many series a connection
	Latency           bool             // LATENCY LATEST and INFO latencystats
	DiscoveryInterval time.Duration    // how often patterns are looked for; 0 = 30 s
}

// Collector probes the connections of the configuration that was applied last.
type Collector struct {
	options Options
	logger  *slog.Logger
	set     *connection.Set
	now     func() time.Time
	metrics *metrics

	mu      sync.Mutex // serialises Apply and discovery's writes
	current atomic.Pointer[fleet]
	flights singleflight.Group
	running sync.WaitGroup
	applied chan struct{} // wakes discovery
}

// fleet is a plan with the probes that carry it out.
type fleet struct {
	plan   *plan
	probes []*probe // as plan.specs
}

// New returns a collector over the clients of set. It serves nothing before
// the first Apply.
func New(set *connection.Set, o Options) *Collector {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.DiscoveryInterval <= 0 {
		o.DiscoveryInterval = 30 * time.Second
	}
	c := &Collector{
		options: o, logger: o.Logger, set: set, now: o.Now,
		metrics: newMetrics(o.Registerer),
		applied: make(chan struct{}, 1),
	}
	c.current.Store(&fleet{plan: newPlan(&configs.Config{})})
	return c
}

// Apply takes a new configuration into use. It cannot fail. Connections that
// stay keep their counters and what is remembered of their queues.
func (c *Collector) Apply(cfg *configs.Config) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.current.Load()
	next := &fleet{plan: newPlan(cfg)}
	next.probes = make([]*probe, len(next.plan.specs))
	for i, s := range next.plan.specs {
		p := old.probe(s.connection.Name)
		if p == nil {
			p = newProbe(c, s.connection.Name)
		}
		p.spec.Store(s)
		p.discovery.scanner.SetPatterns(s.queuePatterns())
		next.probes[i] = p
	}
	for i, p := range old.probes {
		if next.probe(old.plan.specs[i].connection.Name) != p {
			p.discovery.scanner.SetPatterns(nil) // ends a scan under way
		}
	}
	c.current.Store(next)
	c.publish()
	select {
	case c.applied <- struct{}{}:
	default:
	}
}

func (f *fleet) probe(name string) *probe {
	i, ok := f.plan.byName[name]
	if !ok {
		return nil
	}
	return f.probes[i]
}

// sub is the part of the fleet that consists of the named connections.
func (f *fleet) sub(names []string) (*fleet, error) {
	part := &fleet{plan: &plan{config: f.plan.config}}
	for _, name := range names {
		p := f.probe(name)
		if p == nil {
			return nil, fmt.Errorf("%w: %q", ErrUnknownConnection, name)
		}
		part.probes = append(part.probes, p)
		part.plan.specs = append(part.plan.specs, p.spec.Load())
	}
	return part, nil
}

// Scrape probes the named connections, all of them where names is nil, and
// returns their series as a *Page. It answers within ctx's deadline, on a busy machine
// shortly after it: what has not answered by then is down. Concurrent calls for the same names share one collection.
func (c *Collector) Scrape(ctx context.Context, names []string) (io.WriterTo, error) {
	led := false
	flight := c.flights.DoChan(strings.Join(names, "\x00"), func() (any, error) {
		led = true
		return c.collect(ctx, names)
	})
	select {
	case done := <-flight:
		return c.landed(done, led)
	case <-ctx.Done():
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("scrape: %w", ctx.Err()) // nobody waits any more
	}
	// The collection gives up before its time is over. On a busy machine that may
	// be a little late, and then it is still better than nothing.
	late := time.NewTimer(landingGrace)
	defer late.Stop()
	select {
	case done := <-flight:
		return c.landed(done, led)
	case <-late.C:
		return nil, fmt.Errorf("scrape: %w", ctx.Err())
	}
}

// landed unpacks a collection's result for one of those who waited for it.
func (c *Collector) landed(done singleflight.Result, led bool) (io.WriterTo, error) {
	if !led {
		c.metrics.coalesced.Inc()
	}
	if done.Err != nil {
		return nil, done.Err
	}
	return done.Val.(*Page), nil
}

// budget is how long ctx gives; 0 = for ever.
func budget(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(time.Until(deadline), time.Millisecond)
}

func (c *Collector) collect(ctx context.Context, names []string) (*Page, error) {
	start := c.now()
	f := c.current.Load()
	if names != nil {
		part, err := f.sub(names)
		if err != nil {
			return nil, err
		}
		f = part
	}
	results := c.results(ctx, f)
	c.metrics.scrapeDuration.Set(c.now().Sub(start).Seconds())
	return &Page{families: allFamilies, blocks: c.blocks(f, results)}, nil
}

// results probes every connection of f and returns their results in order.
func (c *Collector) results(ctx context.Context, f *fleet) []*result {
	limit := budget(ctx)
	c.metrics.scrapeTimeout.Set(limit.Seconds())
	calls := make([]*call, len(f.probes))
	hung := make([]bool, len(f.probes))
	longest := time.Duration(0)
	for i, p := range f.probes {
		timeout := f.plan.specs[i].timeout
		last := p.last.Load()
		hung[i] = last != nil && last.hung()
		if !hung[i] {
			longest = max(longest, timeout)
		}
		// Its own time, whatever the scrape's: one client in a hurry would
		// otherwise make the fleet's counters say that it was down.
		calls[i] = c.begin(ctx, p, timeout)
	}
	wait := longest + overrun
	if limit > 0 {
		// The page is still to be rendered and sent.
		wait = min(wait, limit*9/10)
	}
	c.await(calls, hung, wait)
	results := make([]*result, len(calls))
	for i, p := range f.probes {
		results[i] = p.outcome(calls[i], hung[i], f.plan.specs[i], c.now())
	}
	return results
}

// await waits for the calls: for those of hung connections only briefly.
func (c *Collector) await(calls []*call, hung []bool, wait time.Duration) {
	late := time.NewTimer(wait)
	defer late.Stop()
	grace := time.NewTimer(hungGrace)
	defer grace.Stop()
	waitFor(calls, hung, false, late.C)
	waitFor(calls, hung, true, grace.C)
}

func waitFor(calls []*call, hung []bool, which bool, late <-chan time.Time) {
	for i, call := range calls {
		if hung[i] != which {
			continue
		}
		select {
		case <-call.done:
		case <-late:
			return
		}
	}
}

// outcome is what the scrape reports of the probe. A connection that has not
// answered is down now, whatever its last result was.
func (p *probe) outcome(call *call, hung bool, s *spec, now time.Time) *result {
	select {
	case <-call.done:
		// Loaded after the call has ended: before that it is the last scrape's.
		if last := p.last.Load(); last != nil {
			return last
		}
	default:
		// One that is up is newer than what made the connection count as hung. One
		// of an earlier configuration has other labels.
		if last := p.last.Load(); hung && last != nil && last.spec == s {
			return last
		}
	}
	return p.unanswered(s, now)
}

func (c *Collector) blocks(f *fleet, results []*result) []block {
	n := len(f.plan.static)
	for _, r := range results {
		n += len(r.blocks)
	}
	blocks := make([]block, 0, n)
	blocks = append(blocks, f.plan.static...)
	for _, r := range results {
		blocks = append(blocks, r.blocks...)
	}
	return append(blocks, pauseBlocks(results, c.now())...)
}

// pauseBlocks are made when all probes are through, since a queue's pause flag
// may live on another connection than the queue.
func pauseBlocks(results []*result, now time.Time) []block {
	var blocks []block
	for _, r := range results {
		for i := range r.queues {
			q := &r.queues[i]
			if q.spec.cache == nil || q.reading.Err != nil {
				continue
			}
			b := block{labels: q.spec.labels}
			b.add(famQueuePaused, "", q.spec.pause.get(now))
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// Close waits until no probe is in flight. Probes end at their deadlines.
func (c *Collector) Close() { c.running.Wait() }
