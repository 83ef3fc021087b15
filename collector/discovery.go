package collector

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/queue"
)

// scansAtOnce is how many connections are scanned at a time. A scan takes at
// most a hundredth of its Redis, so the bound is for this process.
const scansAtOnce = 16

// discovery looks for queues by pattern on one connection and remembers them.
type discovery struct {
	scanner  *queue.Discoverer
	scanning atomic.Bool
	dropped  map[string]int // by pattern, as last counted; guarded by Collector.mu
}

// found are the queues that discovery hands to a probe. It is immutable.
type found struct {
	queues []*queueSpec // on this connection
	pauses []*queueSpec // queues anywhere whose pause flags lie on this connection
}

// Run looks for queues by pattern until ctx ends: after each Apply and then
// every DiscoveryInterval. It is never part of a scrape. It returns nil when
// the scans under way have ended.
func (c *Collector) Run(ctx context.Context) error {
	ticker := time.NewTicker(c.options.DiscoveryInterval)
	defer ticker.Stop()
	var scans sync.WaitGroup
	defer scans.Wait()
	limit := make(chan struct{}, scansAtOnce)
	early := func(connection string, err error) {
		// What was found before stays, and a connection that is down says so itself.
		c.logger.Debug("looking for queues by pattern ended early", "connection", connection, "err", err)
	}
	for {
		c.discover(ctx, &scans, limit, early)
		select {
		case <-ctx.Done():
			return nil
		case <-c.applied:
		case <-ticker.C:
		}
	}
}

// Discover looks once for queues by pattern and returns when it is through
// with every connection. The error names the connections that it could not
// look through to the end; what was found on them until then is kept.
func (c *Collector) Discover(ctx context.Context) error {
	var scans sync.WaitGroup
	var mu sync.Mutex // guards errs
	var errs []error
	c.discover(ctx, &scans, make(chan struct{}, scansAtOnce), func(connection string, err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, fmt.Errorf("look for queues by pattern on %s: %w", connection, err))
	})
	scans.Wait()
	return errors.Join(errs...)
}

// discover starts a scan of every connection with patterns, unless one runs
// already: a scan of many keys takes longer than the interval. early is told of
// those that did not get to the end.
func (c *Collector) discover(ctx context.Context, scans *sync.WaitGroup, limit chan struct{}, early func(connection string, err error)) {
	for _, p := range c.current.Load().probes {
		if len(p.spec.Load().patterns) == 0 || !p.discovery.scanning.CompareAndSwap(false, true) {
			continue
		}
		scans.Go(func() {
			defer p.discovery.scanning.Store(false)
			select {
			case limit <- struct{}{}:
				defer func() { <-limit }()
				if err := c.scan(ctx, p); err != nil {
					early(p.spec.Load().connection.Name, err)
				}
			case <-ctx.Done():
				early(p.spec.Load().connection.Name, ctx.Err())
			}
		})
	}
}

func (c *Collector) scan(ctx context.Context, p *probe) error {
	err := p.discovery.scanner.Scan(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publish()
	return err
}

func newDiscovery(c *Collector, connection string) *discovery {
	return &discovery{
		scanner: queue.NewDiscoverer(queue.DiscovererOptions{Now: c.now, Nodes: c.masters(connection)}),
		dropped: map[string]int{},
	}
}

// publish hands all that was found to the probes. Call it with c.mu held.
func (c *Collector) publish() {
	f := c.current.Load()
	next := make([]found, len(f.probes))
	for i, p := range f.probes {
		s := f.plan.specs[i]
		next[i].queues = c.foundOn(p, s)
		for _, q := range next[i].queues {
			if q.cache == nil {
				continue
			}
			if at, ok := f.plan.byName[q.cache.Connection]; ok {
				if q.cachePrefixes == nil { // once: probes read it
					q.cachePrefixes = f.plan.cachePrefixes(q, f.plan.specs[at])
				}
				next[at].pauses = append(next[at].pauses, q)
			}
		}
	}
	for i, p := range f.probes {
		if len(next[i].queues) == 0 && len(next[i].pauses) == 0 {
			p.found.Store(nil)
			continue
		}
		p.found.Store(&next[i])
	}
}

// foundOn makes the specs of what was found on one connection. A queue that the
// configuration names, or that an earlier pattern found, is not found again.
func (c *Collector) foundOn(p *probe, s *spec) []*queueSpec {
	if len(s.patterns) == 0 {
		return nil
	}
	taken := map[queueKey]bool{}
	for _, q := range s.queues {
		taken[q.key()] = true
	}
	var queues []*queueSpec
	for i, pattern := range s.patterns {
		names, dropped := p.discovery.scanner.Queues(i)
		c.countDropped(p, pattern, dropped)
		for _, q := range pattern.specs(names) {
			if key := q.key(); !taken[key] {
				taken[key] = true
				queues = append(queues, q)
			}
		}
	}
	return queues
}

func (c *Collector) countDropped(p *probe, pattern *patternSpec, dropped int) {
	id := pattern.pattern.Application + "\x00" + pattern.pattern.Pattern + "\x00" + strconv.Itoa(pattern.pattern.Max)
	if more := dropped - p.discovery.dropped[id]; more > 0 {
		c.metrics.dropped.Add(float64(more))
		c.logger.Warn("a pattern finds more queues than max_discovered allows", "connection", pattern.pattern.Connection,
			"application", pattern.pattern.Application, "pattern", pattern.pattern.Pattern,
			"max_discovered", pattern.pattern.Max, "dropped", dropped)
	}
	p.discovery.dropped[id] = dropped
}

func (q *queueSpec) key() queueKey {
	return queueKey{q.target.Application, q.target.Connection, q.target.Queue}
}

// masters visits, one after another, every server that holds keys of the connection.
func (c *Collector) masters(name string) func(context.Context, func(context.Context, *redis.Client) error) error {
	return func(ctx context.Context, each func(context.Context, *redis.Client) error) error {
		client, release, ok := c.set.Acquire(name)
		if !ok {
			return ErrUnknownConnection
		}
		defer release()
		switch r := client.Redis().(type) {
		case *redis.Client:
			return each(ctx, r)
		case *redis.ClusterClient:
			var mu sync.Mutex // ForEachMaster is parallel
			return r.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
				mu.Lock()
				defer mu.Unlock()
				return each(ctx, master)
			})
		default:
			return errors.ErrUnsupported
		}
	}
}
