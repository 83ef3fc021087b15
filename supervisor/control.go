package supervisor

import (
	"cmp"
	"context"
	"slices"
)

type reply struct {
	result Result
	err    error
}

// Control carries out an operator's order and returns when the loop has taken
// it in, which does not mean that all workers have followed; State shows that.
// Nothing is done where an error is returned: ErrUnknownPool, ErrOutOfBounds,
// ErrUnknownAction, ErrNotRunning or ctx's.
func (s *Supervisor) Control(ctx context.Context, c Command) (Result, error) {
	answer := make(chan reply, 1)
	s.post(func(l *loop) {
		result, err := l.control(c)
		for len(l.dirty) > 0 && err == nil {
			l.pass()
		}
		l.publish()
		answer <- reply{result, err}
	})
	select {
	case r := <-answer:
		return r.result, r.err
	case <-s.ended:
		return Result{}, ErrNotRunning
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

func (l *loop) control(c Command) (Result, error) {
	if l.draining {
		return Result{}, ErrNotRunning
	}
	pools, err := l.choose(c)
	if err != nil {
		return Result{}, err
	}
	orders := map[Action]func(*pool, Command){
		ActionPause: l.orderPause, ActionContinue: l.orderContinue, ActionRestart: l.orderRestart,
		ActionScale: l.orderScale, ActionAuto: l.orderAuto,
	}
	order, ok := orders[c.Action]
	if !ok {
		return Result{}, ErrUnknownAction
	}
	if c.Action == ActionScale {
		for _, p := range pools {
			if err := p.mayScale(c.Processes); err != nil {
				return Result{}, err
			}
		}
	}
	result := Result{Pools: make([]string, 0, len(pools))}
	for _, p := range pools {
		order(p, c)
		l.event(Event{Pool: p.def.name, Slot: -1, Kind: EventControl, Text: string(c.Action), Fields: fields(c)})
		l.touch(p)
		result.Pools = append(result.Pools, p.def.name)
	}
	return result, nil
}

func fields(c Command) map[string]any {
	f := map[string]any{}
	if c.By != "" {
		f["by"] = c.By
	}
	if c.Action == ActionScale {
		f["processes"], f["seconds"] = c.Processes, cmp.Or(c.For, DefaultScaleFor).Seconds()
	}
	return f
}

// choose finds the pools that a command concerns, sorted by name.
func (l *loop) choose(c Command) ([]*pool, error) {
	chosen := map[*pool]bool{}
	for _, name := range c.Pools {
		p := l.find(name)
		if p == nil || c.Application != "" && p.def.app.Slug != c.Application {
			return nil, ErrUnknownPool{name}
		}
		chosen[p] = true
	}
	var pools []*pool
	for _, p := range l.order {
		all := len(c.Pools) == 0 && (c.Application == "" || p.def.app.Slug == c.Application)
		if (all || chosen[p]) && !p.gone {
			pools = append(pools, p)
		}
	}
	if len(pools) == 0 && c.Application != "" {
		return nil, ErrUnknownPool{c.Application}
	}
	return pools, nil
}

// find returns the pool of that name, or the one that serves the configuration
// of that name.
func (l *loop) find(name string) *pool {
	for _, p := range l.order {
		if !p.gone && (p.def.name == name || slices.Contains(p.def.configurations, name)) {
			return p
		}
	}
	return nil
}

func (p *pool) mayScale(n int) error {
	least, most := p.def.least(), max(p.def.bounds().Max, p.raisedMax)
	if p.def.traits.onePerApplication || n < least || n > most {
		return ErrOutOfBounds{Pool: p.def.name, Asked: n, Min: least, Max: most, PerApplication: p.def.traits.onePerApplication}
	}
	return nil
}

// orderPause keeps workers from taking jobs. Those that are ready are told so;
// one that boots would die of the signal, and is told to leave. Without a
// signal all are.
func (l *loop) orderPause(p *pool, _ Command) {
	if p.paused {
		return
	}
	p.paused = true
	if p.def.traits.pause == 0 {
		l.decide(p)
		return // reconcile tells them to leave
	}
	for _, s := range p.subs {
		for _, w := range slices.Clone(s.workers) {
			switch w.state {
			case Running:
				l.pause(w, true)
			case Starting:
				l.stop(w, "", false)
			}
		}
	}
	l.decide(p)
}

func (l *loop) orderContinue(p *pool, _ Command) {
	if !p.paused {
		return
	}
	p.paused = false
	p.all(func(w *worker) {
		if w.state == Running {
			l.pause(w, false)
		}
	})
	l.decide(p)
}

// orderRestart replaces all workers once the command has been made anew: a
// deploy may have changed what it depends on.
func (l *loop) orderRestart(p *pool, _ Command) {
	p.restartWanted = true
	l.prepare(p)
}

func (l *loop) orderScale(p *pool, c Command) {
	until := l.now().Add(cmp.Or(c.For, DefaultScaleFor))
	p.override = &Override{Processes: c.Processes, Until: until}
	l.wakes.add(until, func() {
		if p.override != nil && !l.now().Before(p.override.Until) {
			l.orderAuto(p, Command{})
		}
	})
	l.decide(p)
}

func (l *loop) orderAuto(p *pool, _ Command) {
	p.override = nil
	l.decide(p)
	l.touch(p)
}
