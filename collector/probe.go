package collector

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// probe reads one connection, one call at a time. Everything below call is
// owned by the call in flight.
type probe struct {
	spec      atomic.Pointer[spec]
	last      atomic.Pointer[result]
	found     atomic.Pointer[found] // nil = nothing
	discovery *discovery
	tally     tally

	mu   sync.Mutex // guards call
	call *call

	read      *spec        // what the readers are set to
	readFound *found       // the same, of what discovery found
	queues    []*queueSpec // in reader's order
	reader    *queue.Reader
	paused    []*queueSpec // in pauses' order
	pauses    *queue.PauseReader
	horizons  *queue.HorizonReader
	nodes     map[string]*node
	succeeded map[string]time.Time // last success by collector
	used      map[string]time.Time // last use by application
	ambiguous map[string]bool      // applications whose ambiguous prefix was logged
}

// call is a probe in flight; done is closed when its result is in probe.last.
type call struct{ done chan struct{} }

func newProbe(c *Collector, connectionName string) *probe {
	return &probe{
		discovery: newDiscovery(c, connectionName),
		reader:    queue.NewReader(queue.Options{Ages: c.options.QueueAges, Elided: connection.Elided}),
		pauses:    queue.NewPauseReader(),
		horizons:  queue.NewHorizonReader(),
		nodes:     map[string]*node{},
		succeeded: map[string]time.Time{},
		used:      map[string]time.Time{},
		ambiguous: map[string]bool{},
	}
}

// begin starts a probe with the given time to live, or joins the one that is
// in flight: a connection is never probed twice at once.
func (c *Collector) begin(ctx context.Context, p *probe, timeout time.Duration) *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.call != nil {
		return p.call
	}
	started := &call{done: make(chan struct{})}
	p.call = started
	c.running.Add(1)
	go func() {
		defer c.running.Done()
		growStack()
		// A scrape that is given up does not cut the probe short, or a client
		// that hangs up would make connections look down. The deadline bounds it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		if r := c.probe(ctx, p); r != nil {
			c.metrics.probeDuration.Observe(r.duration.Seconds())
			c.note(p.last.Swap(r), r)
		}
		p.mu.Lock()
		p.call = nil
		p.mu.Unlock()
		close(started.done)
	}()
	return started
}

// growStack makes the goroutine's stack as large as a probe needs at once.
// Otherwise it doubles deep within the client and is copied each time: a tenth
// of all CPU with a thousand connections.
//
//go:noinline
func growStack() {
	var room [5 << 10]byte
	runtime.KeepAlive(&room)
}

// note logs a change of state, once.
func (c *Collector) note(before, now *result) {
	switch {
	case before != nil && before.up == now.up:
	case now.up && before != nil:
		c.logger.Info("connection is up again", "connection", now.spec.connection.Name)
	case !now.up:
		c.logger.Warn("connection is down", "connection", now.spec.connection.Name, "reason", string(now.reason), "err", now.err)
	}
}

// probe reads the connection once. It returns nil where the connection has
// just left the configuration.
func (c *Collector) probe(ctx context.Context, p *probe) *result {
	s := p.spec.Load()
	client, release, ok := c.set.Acquire(s.connection.Name)
	if !ok {
		return nil
	}
	defer release()
	p.setTargets(s)
	start := c.now()
	t := &trip{collector: c, probe: p, client: client, now: start, labels: s.labels}
	err := t.run(ctx)
	r := &result{spec: s, at: c.now(), up: err == nil, err: err}
	r.duration = r.at.Sub(start)
	if err != nil {
		r.reason = connection.Classify(err)
	}
	p.tally.count(r.up, r.reason, r.at)
	t.fill(r)
	return r
}

// setTargets points the readers at what the configuration and discovery name
// now. They keep their memory of what stays.
func (p *probe) setTargets(s *spec) {
	f := p.found.Load()
	if p.read == s && p.readFound == f {
		return
	}
	p.queues = s.with(f)
	p.paused = slices.Clone(s.pauses)
	if f != nil {
		p.paused = append(p.paused, f.pauses...)
	}
	targets := make([]queue.Target, len(p.queues))
	for i, q := range p.queues {
		targets[i] = q.target
	}
	p.reader.SetTargets(targets)
	pauses := make([]queue.PauseTarget, len(p.paused))
	for i, q := range p.paused {
		pauses[i] = q.pauseTarget(s)
	}
	p.pauses.SetTargets(pauses)
	if p.read != s {
		p.setServer(s)
	}
	p.read, p.readFound = s, f
}

// setServer forgets what an earlier configuration let us see of the server:
// what was refused may be allowed now.
func (p *probe) setServer(s *spec) {
	horizons := make([]queue.HorizonTarget, len(s.horizons))
	for i, h := range s.horizons {
		horizons[i] = h.target
	}
	p.horizons.SetTargets(horizons)
	p.nodes = map[string]*node{}
}

// trip is one probe's way to the connection and back.
type trip struct {
	collector *Collector
	probe     *probe
	client    *connection.Client
	now       time.Time
	labels    string

	mu    sync.Mutex // guards nodes, here and in the probe, while a cluster's are read in parallel
	nodes []*nodeRead
}

// run does the round trip: everything in one pipeline, or in a cluster one
// pipeline a node and one for the keys, in parallel. The error says why the
// connection counts as down.
func (t *trip) run(ctx context.Context) error {
	if t.client.Mode() == "cluster" {
		return t.runCluster(ctx)
	}
	node := t.visit("")
	cmds, err := t.client.Pipelined(ctx, func(pipe redis.Pipeliner) {
		node.enqueue(ctx, pipe)
		t.enqueueKeys(ctx, pipe)
	})
	return cmp.Or(broken(cmds, err), node.refused())
}

// runCluster reads the nodes and the keys in parallel. A key whose node does not
// answer is an error of that queue, not of the cluster.
func (t *trip) runCluster(ctx context.Context) error {
	var keys sync.WaitGroup
	keys.Go(func() {
		// Each command keeps its own error.
		_, _ = t.client.Pipelined(ctx, func(pipe redis.Pipeliner) { t.enqueueKeys(ctx, pipe) })
	})
	defer keys.Wait()
	err := t.client.ForEachNode(ctx, func(ctx context.Context, name string, client *redis.Client) error {
		node := t.visit(name)
		cmds, err := connection.Pipelined(ctx, client, func(pipe redis.Pipeliner) { node.enqueue(ctx, pipe) })
		node.err = cmp.Or(broken(cmds, err), node.refused())
		return nil
	})
	return cmp.Or(err, t.clusterDown())
}

// clusterDown returns an error when no node answered: a cluster with some
// nodes gone is up, and says more about itself in its own families.
func (t *trip) clusterDown() error {
	var errs []error
	for _, n := range t.nodes {
		if n.err == nil {
			return nil
		}
		errs = append(errs, n.err)
	}
	return errors.Join(errs...)
}

func (t *trip) enqueueKeys(ctx context.Context, pipe redis.Pipeliner) {
	t.probe.horizons.Enqueue(ctx, pipe, t.now)
	t.probe.pauses.Enqueue(ctx, pipe, t.now)
	t.probe.reader.Enqueue(ctx, pipe, t.now) // last: payloads stand behind all counts
}

// broken returns the error that ended the pipeline early, if one did. An error
// that the server replied concerns its own command and is not one.
func broken(cmds []redis.Cmder, err error) error {
	if err == nil || len(cmds) == 0 {
		return err
	}
	// A server that refuses the connection, by AUTH for one, leaves every
	// command as it was.
	if !slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool { return cmd.Err() != nil }) {
		return err
	}
	// go-redis gives its error to the commands that have none yet, so behind
	// the one at which the pipeline ended the readers' own mark remains.
	ended := false
	for i := len(cmds) - 1; i >= 0; i-- {
		last := cmds[i].Err()
		switch {
		case errors.Is(last, queue.ErrNotRun):
			ended = true
			continue
		case last != nil && !errors.Is(last, redis.Nil) && !isReply(last):
			return last
		case !ended:
			return nil
		}
		return err
	}
	return err
}

func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}
