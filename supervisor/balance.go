package supervisor

import (
	"math"
	"time"
)

// queueFigures are the last reading of one queue. What is not known is NaN.
type queueFigures struct {
	ok                                     bool // it could be read
	ready, overdue, expired, reserved, age float64
}

// decide says how many workers each sub-pool of p is to have.
func (l *loop) decide(p *pool) {
	if p.gone || l.draining {
		return
	}
	now := l.now()
	o := l.observe(p, now)
	var d Decision
	if p.begun {
		d = Decide(*o)
	} else {
		d = Start(*o)
		if d.Max > o.Bounds.Max {
			p.raisedMax = d.Max // Horizon's rules; under the others the configuration's maximum holds
		}
		p.begun = true
	}
	p.lastScale = d.LastScale
	scaled := false
	for i, s := range p.live() {
		sub := d.SubPools[i]
		s.pace = sub.Pace
		if sub.Direction == Stay {
			continue
		}
		scaled = true
		s.wanted = sub.Desired
		p.count().ScaleEvents[ScaleEvent{sub.Direction, sub.Reason}]++
		l.event(Event{
			Pool: p.def.name, Slot: -1, Kind: EventScaled, Text: sub.Sentence(),
			Fields: map[string]any{"sub_pool": sub.Name, "from": sub.Wanted, "to": sub.Desired, "reason": string(sub.Reason)},
		})
	}
	p.decision, p.observation = &d, o
	l.mark(p)
	if scaled {
		l.touch(p)
	}
}

// observe gathers what a decision depends on.
func (l *loop) observe(p *pool, now time.Time) *Observation {
	q := p.def.queue
	o := &Observation{
		Now: now, Rules: p.rules(), Balance: p.def.balance(), Strategy: Strategy(q.AutoScalingStrategy),
		Bounds: p.def.bounds(), Paused: p.paused, Override: p.override, LastScale: p.lastScale, RaisedMax: p.raisedMax,
	}
	up := l.sourceUp(p)
	for _, s := range p.live() {
		t := s.tally(l.now())
		sub := SubPool{
			Name: s.name, Discovered: s.discovered, Answered: up, Wanted: s.wanted, Pace: s.pace,
			Starting: t.starting + t.backoff, Running: t.running, Stopping: t.stopping, Busy: -1,
			Queues: make([]QueueLoad, 0, len(s.queues)),
		}
		reserved := 0.0
		for _, name := range s.queues {
			load := p.queueLoad(name)
			sub.Queues = append(sub.Queues, load)
			sub.Answered = sub.Answered && load.Ready.Known()
			f, _ := p.figures(name)
			reserved += f.reserved - f.expired
		}
		switch {
		case p.def.traits.parser != nil:
			sub.Busy = t.busy
		case sub.Answered && !math.IsNaN(reserved) && len(s.queues) > 0:
			sub.Busy = int(min(max(0, reserved), float64(t.running))) // others may work the queue, too
		}
		o.SubPools = append(o.SubPools, sub)
	}
	return o
}

func (p *pool) queueLoad(name string) QueueLoad {
	f, ok := p.figures(name)
	if !ok || !f.ok {
		nan := math.NaN()
		f = queueFigures{ready: nan, overdue: nan, expired: nan, age: nan}
	}
	load := QueueLoad{
		Name: name, Ready: Number(f.ready), DelayedOverdue: Number(f.overdue), ReservedExpired: Number(f.expired),
		OldestAge: Number(f.age), RuntimeMS: Unknown(),
	}
	if a := p.runtimes[name]; a != nil {
		load.RuntimeMS = Number(a.value)
	}
	return load
}
