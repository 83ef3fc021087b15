package supervisor

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// loop is what Run owns. Nothing in it waits: what may take time runs in a
// goroutine of its own, which posts its result.
type loop struct {
	s          *Supervisor
	log        *slog.Logger
	now        func() time.Time
	background context.Context //nolint:containedctx // ends what the loop has begun, when the loop ends
	tasks      sync.WaitGroup  // what ends with background

	pools   map[string]*pool // by definition key
	order   []*pool          // by name
	workers map[child]*worker
	late    map[child]*ended
	sources map[string]*source // by connection

	wakes   wakes
	dirty   []*pool
	asks    map[string]*timeoutAsk // by connection
	waiting []*pool                // for their turn to start workers, the next one first
	starts  startLimiter
	turnAt  time.Time // when the waiting ones are looked at again

	booting map[*worker]bool // running, but not seen to be ready
	looking bool             // a goroutine looks which of them are
	samples bool             // a goroutine measures

	lookingFor bool    // a goroutine looks for Horizons
	lookedFor  []*pool // for which the next look is

	preparations int // numbers them
	draining     bool
	hurry        time.Duration // the longest grace while draining, -1 = the workers' own

	events    ring
	statistic Histogram
	passes    uint64
	sourced   bool // the status of a source has changed

	stale      bool      // something has happened since the state was published
	publishAt  time.Time // not before
	publishBy  time.Time // even if nothing happens
	publishing bool      // is to be woken at publishAt
}

func newLoop(s *Supervisor, background context.Context) *loop {
	now := s.o.Now()
	l := &loop{
		s: s, log: s.log, now: s.o.Now, background: background,
		pools: map[string]*pool{}, workers: map[child]*worker{}, late: map[child]*ended{}, sources: map[string]*source{},
		asks:    map[string]*timeoutAsk{},
		booting: map[*worker]bool{}, starts: newStartLimiter(s.o.StartRate, now), hurry: -1,
		statistic: newHistogram(loopBounds),
	}
	l.every(time.Second, l.watchPaths)
	l.every(horizonInterval, l.watchHorizons)
	l.wakes.add(now, l.measure)
	l.every(time.Second, func() {}) // so that the state is published
	return l
}

// run is the loop. stop tells it to drain.
func (l *loop) run(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !l.over() {
		if wait, ok := l.wakes.next(l.now()); ok {
			timer.Reset(wait)
		}
		if len(l.dirty) > 0 {
			timer.Reset(0)
		}
		var begin time.Time
		select {
		case <-stop:
			begin, stop = l.now(), nil
			l.drain()
		case <-l.s.inbox.Ready():
			begin = l.now()
			for _, do := range l.s.inbox.Take() {
				do(l)
			}
		case <-l.s.processes.events().Ready():
			begin = l.now()
			for _, e := range l.s.processes.events().Take() {
				l.happened(e)
			}
		case <-l.s.notes.Ready():
			begin = l.now()
			for _, n := range l.s.notes.Take() {
				l.noted(n)
			}
		case <-timer.C:
			begin = l.now()
		}
		l.pass()
		l.passes++
		l.statistic.observe(l.now().Sub(begin).Seconds())
	}
	l.publish()
}

// over reports whether the loop has drained.
func (l *loop) over() bool { return l.draining && len(l.workers) == 0 }

// pass does what is due, brings the pools that were touched towards what is
// desired, and shows the outcome.
func (l *loop) pass() {
	now := l.now()
	for _, w := range l.wakes.due(now) {
		w.run()
	}
	for len(l.dirty) > 0 {
		dirty := l.dirty
		l.dirty = nil
		for _, p := range dirty {
			p.dirty = false
			l.reconcile(p)
		}
	}
	l.startWaiting()
	l.sendTimeoutAsks()
	l.look()
	l.mayPublish()
}

// every does something again and again, the first time at once.
func (l *loop) every(interval time.Duration, do func()) {
	var again func()
	again = func() {
		do()
		l.wakes.add(l.now().Add(interval), again)
	}
	l.wakes.add(l.now(), again)
}

// touch has a pool looked at in this pass.
func (l *loop) touch(p *pool) {
	l.mark(p)
	if !p.dirty {
		p.dirty = true
		l.dirty = append(l.dirty, p)
	}
}

// wake has a pool looked at at that time.
func (l *loop) wake(p *pool, at time.Time) {
	if !p.wakeAt.IsZero() && !at.Before(p.wakeAt) {
		return
	}
	p.wakeAt = at
	l.wakes.add(at, func() {
		if p.wakeAt.Equal(at) {
			p.wakeAt = time.Time{}
			l.touch(p)
		}
	})
}

// apply makes the pools those of the definitions.
func (l *loop) apply(definitions []*definition) {
	seen, changed := make(map[string]bool, len(definitions)), false
	for _, d := range definitions {
		seen[d.key] = true
		p := l.pools[d.key]
		if p == nil {
			p = newPool(d)
			l.pools[d.key] = p
			l.tell(p, nil, EventPool, "added")
		}
		changed = l.redefine(p, d) || changed
	}
	for key, p := range l.pools {
		if !seen[key] && !p.gone {
			p.gone, p.override, changed = true, nil, true
			for _, s := range p.subs {
				s.wanted = 0
			}
			l.tell(p, nil, EventPool, "removed")
			l.touch(p)
		}
	}
	if changed {
		l.reorder()
		l.resource()
	}
}

// redefine gives a pool its present definition and reports whether that differs.
func (l *loop) redefine(p *pool, d *definition) bool {
	old, fresh := p.def, !p.begun
	changed := p.gone || !d.sameCommand
	if d.same && !fresh && !changed && p.cannot == nil {
		p.def = d
		return false
	}
	p.def, p.gone = d, false
	if d.traits.parser != nil && p.counters.JobResults == nil {
		p.count().ofJobs()
	}
	if p.override != nil {
		p.override.Processes = min(p.override.Processes, d.bounds().Max)
	}
	p.shape(l.discovered(p))
	if fresh || changed || p.cannot != nil {
		l.prepare(p)
	}
	if !fresh && (old.balance() != d.balance() || old.queue.ScalingRules != d.queue.ScalingRules || old.bounds().Max != d.bounds().Max) {
		p.raisedMax, p.lastScale = 0, time.Time{}
	}
	l.decide(p)
	l.touch(p)
	return true
}

// reorder sorts the pools by name.
func (l *loop) reorder() {
	l.order = l.order[:0:0]
	for _, p := range l.pools {
		l.order = append(l.order, p)
	}
	slices.SortFunc(l.order, func(a, b *pool) int { return strings.Compare(a.def.name, b.def.name) })
}

// forget drops a pool that has drained.
func (l *loop) forget(p *pool) {
	delete(l.pools, p.def.key)
	l.order = slices.DeleteFunc(l.order, func(o *pool) bool { return o == p })
	l.resource()
}

const hastened = 5 * time.Second

// drain tells every worker to leave.
func (l *loop) drain() {
	l.draining = true
	l.log.Info("Workers are told to leave", "workers", len(l.workers))
	l.event(Event{Slot: -1, Kind: EventLife, Text: "the supervisor ends", Fields: map[string]any{"workers": len(l.workers)}})
	for _, p := range l.pools {
		l.touch(p)
	}
}

// hasten bounds what time the leaving workers have.
func (l *loop) hasten(grace time.Duration) {
	if !l.draining {
		return
	}
	l.log.Warn("Workers are given less time to leave", "workers", len(l.workers), "seconds", grace.Seconds())
	l.hurry = grace
	for _, w := range l.workers {
		if w.state == Stopping && l.now().Add(grace).Before(w.deadline) {
			l.stopWithin(w, grace)
		}
	}
}
