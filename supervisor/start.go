package supervisor

import "time"

// queue has a pool wait for its turn to start workers.
func (l *loop) queue(p *pool) {
	if !p.waiting {
		p.waiting = true
		l.waiting = append(l.waiting, p)
	}
}

// startWaiting starts what the limiter allows, in turns, so that one large pool
// does not keep the others waiting.
func (l *loop) startWaiting() {
	for len(l.waiting) > 0 {
		now := l.now()
		free := l.starts.available(now)
		if free == 0 {
			if at := l.starts.next(now); l.turnAt.Before(now) || at.Before(l.turnAt) {
				l.turnAt = at
				l.wakes.add(at, func() { l.turnAt = time.Time{} })
			}
			return
		}
		p := l.waiting[0]
		l.waiting = l.waiting[1:]
		p.waiting = false
		share := max(1, free/(len(l.waiting)+1))
		if l.startSome(p, share) {
			l.queue(p)
		}
	}
}

// startSome starts at most so many workers of a pool and reports whether it
// wants more.
func (l *loop) startSome(p *pool, most int) (more bool) {
	plan := l.plan(p)
	more = plan.starts > most
	for _, w := range plan.due[:min(len(plan.due), most)] {
		l.launch(w)
		most--
	}
	for i, s := range p.subs {
		for range min(plan.fresh[i], most) {
			w := &worker{pool: p, sub: s, slot: p.takeSlot()}
			s.workers = append(s.workers, w)
			l.launch(w)
			most--
		}
	}
	l.mark(p)
	return more
}

// throttle leaves one start at a time to a pool whose workers keep ending, and
// ends that when one has stayed.
func (l *loop) throttle(p *pool, plan *workPlan) {
	if !p.intensity.throttled {
		return
	}
	now, probing := l.now(), false
	p.all(func(w *worker) {
		switch {
		case w.state != Starting && w.state != Running:
		case w.running.IsZero() || now.Sub(w.running) < healthyAfter:
			probing = true
			if !w.running.IsZero() {
				l.wake(p, w.running.Add(healthyAfter))
			}
		case w.running.After(p.intensity.since):
			p.intensity = intensity{}
		}
	})
	if !p.intensity.throttled {
		p.all(func(w *worker) {
			if w.state == Backoff {
				w.failures, w.retryAt = 0, now
			}
		})
		l.touch(p)
		return
	}
	allowed := 1
	if probing {
		allowed = 0
	}
	plan.due = plan.due[:min(len(plan.due), allowed)]
	allowed -= len(plan.due)
	plan.starts = len(plan.due)
	for i := range plan.fresh {
		plan.fresh[i] = min(plan.fresh[i], allowed)
		allowed -= plan.fresh[i]
		plan.starts += plan.fresh[i]
		plan.retire[i] = 0
	}
}
