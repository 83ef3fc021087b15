package supervisor

import (
	"context"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// planner makes commands of the configuration. plan may take long, or not come
// back at all where a file system does not answer.
type planner interface {
	traits(preset string) (traits, bool)
	plan(ctx context.Context, r planRequest) planResult
}

// planRequest is what commands are to be made of.
type planRequest struct {
	def     *definition
	parts   []part
	version any       // of the application, nil = not known
	nominal proc.Hash // of the command whose connection has been proven
	proven  bool
	anew    bool // ask the application again
}

// planResult is the commands, or why there are none.
type planResult struct {
	cannot      *CannotStart
	version     any
	versionText string
	deaf        bool               // workers will handle no signals
	nominal     proc.Hash          // of the command for all queue names as configured
	specs       map[string]command // by sub-pool
}

type command struct {
	spec *proc.Spec
	hash proc.Hash
}

const (
	prepareTimeout = time.Minute
	prepareAgain   = 30 * time.Second // after a failure
)

// prepare has the commands of a pool made and checked.
func (l *loop) prepare(p *pool) {
	l.mark(p)
	if p.preparation != 0 {
		p.again = true
		return
	}
	l.preparations++
	number := l.preparations
	p.preparation, p.again = number, false
	r := planRequest{def: p.def, version: p.version, nominal: p.nominal, proven: p.proven, anew: p.restartWanted}
	for _, s := range p.live() {
		r.parts = append(r.parts, s.part)
	}
	l.wakes.add(l.now().Add(prepareTimeout), func() {
		l.prepared(p, number, r.anew, planResult{cannot: &CannotStart{Reason: ReasonCheckHangs, Text: "the check of the command does not come to an end"}})
	})
	go func() {
		ctx, cancel := context.WithTimeout(l.background, prepareTimeout)
		defer cancel()
		result := l.s.planner.plan(ctx, r)
		l.s.post(func(l *loop) { l.prepared(p, number, r.anew, result) })
	}()
}

// prepared takes commands into use. Where there are none, workers with the
// commands from before go on, and are started again when they end.
func (l *loop) prepared(p *pool, number int, anew bool, r planResult) {
	if p.preparation != number {
		return // given up
	}
	p.preparation = 0
	if p.gone || l.draining {
		return
	}
	if p.again {
		l.prepare(p) // what it was made of has changed meanwhile
	}
	l.cannot(p, r.cannot)
	if r.cannot != nil {
		l.wakes.add(l.now().Add(prepareAgain), func() {
			if p.cannot != nil && l.pools[p.def.key] == p && !p.gone {
				l.prepare(p)
			}
		})
		l.touch(p)
		return
	}
	p.version, p.versionText, p.nominal, p.proven, p.deaf = r.version, r.versionText, r.nominal, true, r.deaf
	changed := false
	for _, s := range p.live() {
		c, ok := r.specs[s.name]
		if !ok {
			continue // found meanwhile: another preparation is on its way
		}
		changed = changed || s.ready && s.hash != c.hash
		s.spec, s.hash, s.ready = c.spec, c.hash, true
	}
	l.renew(p, changed, anew && p.restartWanted)
	l.touch(p)
}

// renew begins a new generation where commands have changed or a restart is
// wanted.
func (l *loop) renew(p *pool, changed, restart bool) {
	if !changed && !restart {
		return
	}
	if restart {
		p.epoch++
		p.restartWanted = false
	}
	p.generation++
	p.intensity = intensity{}
	now := l.now()
	p.all(func(w *worker) {
		if w.state == Backoff && !w.held {
			w.failures, w.retryAt = 0, now // the new command may be right
		}
	})
	l.tell(p, nil, EventPool, "workers are replaced")
	l.log.Info("Workers are replaced", "pool", p.def.name, "generation", p.generation)
}

// cannot notes why a pool cannot start workers, nil = it can.
func (l *loop) cannot(p *pool, why *CannotStart) {
	before := p.cannot
	p.cannot = why
	l.mark(p)
	if why == nil || before != nil && *before == *why {
		return
	}
	l.log.Error("A pool cannot start workers", "pool", p.def.name, "reason", why.Reason, "err", why.Text)
	l.event(Event{Pool: p.def.name, Slot: -1, Kind: EventCannotStart, Text: why.Text, Fields: map[string]any{"reason": why.Reason}})
}
