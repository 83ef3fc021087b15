package supervisor

import (
	"cmp"
	"math"
	"slices"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// reconcile brings a pool one step nearer to what is desired. It may be called
// at any time and as often as one likes: what was done before is not repeated.
func (l *loop) reconcile(p *pool) {
	switch {
	case l.draining:
		l.clear(p, "")
	case p.gone:
		l.clear(p, proc.ReasonReload)
	default:
		l.shrink(p)
		plan := l.plan(p)
		for i, s := range p.subs {
			l.retire(s, plan.retire[i])
		}
		if plan.starts > 0 {
			l.queue(p)
		}
	}
	p.sweep()
	if p.gone && p.empty() {
		l.forget(p)
	}
}

// clear tells all workers of a pool to leave.
func (l *loop) clear(p *pool, why proc.Reason) {
	for _, s := range p.subs {
		l.stopAll(s, why)
	}
}

func (l *loop) stopAll(s *subPool, why proc.Reason) {
	for _, w := range slices.Clone(s.workers) {
		l.stop(w, why, false)
	}
}

// shrink tells workers to leave that are too many.
func (l *loop) shrink(p *pool) {
	for _, s := range p.subs {
		target := p.target(s)
		switch {
		case s.retired && s.discovered:
			l.stopAll(s, proc.ReasonScaleDown)
		case s.retired:
			l.stopAll(s, proc.ReasonReload)
		case p.paused && p.def.traits.pause == 0:
			l.stopAll(s, proc.ReasonScaleDown)
		default:
			t := s.tally(l.now())
			// While workers are replaced, the new ones that have just begun are
			// beyond the count; the old ones leave when they have settled.
			if excess := t.fresh() - target; t.outdated > 0 && excess > 0 {
				l.dismiss(s, excess, func(w *worker) bool { return !w.outdated() })
			} else if excess := t.active() - target; t.outdated == 0 && excess > 0 {
				l.dismiss(s, excess, func(*worker) bool { return true })
			}
			if t = s.tally(l.now()); t.outdated > 0 {
				l.retire(s, t.outdated+t.settled-target)
			}
		}
	}
}

// dismiss scales down by n: places without a process first, and never a worker
// that is known to be busy.
func (l *loop) dismiss(s *subPool, n int, which func(*worker) bool) {
	var candidates []Candidate
	var those []*worker
	for _, w := range slices.Clone(s.workers) {
		switch {
		case n <= 0:
			return
		case !which(w) || w.state == Stopping:
		case w.state == Backoff:
			w.pool.remove(w)
			n--
		default:
			if at := w.doubt(l.now()); !at.IsZero() {
				l.wake(w.pool, at)
			}
			candidates, those = append(candidates, w.candidate()), append(those, w)
		}
	}
	for _, i := range Victims(candidates, n) {
		l.stop(those[i], proc.ReasonScaleDown, false)
	}
}

// retire tells n outdated workers to leave: idle ones first, but also busy ones,
// which finish their jobs.
func (l *loop) retire(s *subPool, n int) {
	if n <= 0 {
		return
	}
	var those []*worker
	for _, w := range s.workers {
		if w.outdated() {
			those = append(those, w)
		}
	}
	slices.SortStableFunc(those, func(a, b *worker) int {
		return cmp.Or(cmp.Compare(a.activity, b.activity), compareBool(b.state == Starting, a.state == Starting), a.wished.Compare(b.wished))
	})
	for _, w := range those[:min(n, len(those))] {
		l.stop(w, proc.ReasonReload, true)
	}
}

// workPlan is what a pool's workers are to do now.
type workPlan struct {
	due    []*worker // places to be filled again
	fresh  []int     // by sub-pool: workers to be added
	retire []int     // by sub-pool: outdated workers that leave before there is a new one
	starts int       // due and fresh
}

// plan says which workers of a pool may be started now, and which outdated ones
// have to make room.
func (l *loop) plan(p *pool) workPlan {
	n := len(p.subs)
	w := workPlan{fresh: make([]int, n), retire: make([]int, n)}
	if p.paused {
		for i, s := range p.subs {
			w.retire[i] = s.tally(l.now()).outdated // they do nothing anyway
		}
		return w
	}
	if !l.mayStart(p) {
		return w
	}
	l.planDue(p, &w)
	bounds := p.def.bounds()
	bounds.Max = max(bounds.Max, p.raisedMax)
	subs, extra := make([]Occupancy, n), make([]int, n)
	room := bounds.Max + max(0, bounds.MaxSurge)
	for i, s := range p.subs {
		t := s.tally(l.now())
		subs[i] = Occupancy{Desired: t.active(), Active: t.active(), Stopping: t.stopping, Age: p.age(s)}
		room -= t.total()
		if !s.ready || s.retired {
			continue
		}
		target := p.target(s)
		missing := max(0, target-t.active())
		subs[i].Desired += missing
		if t.outdated > 0 {
			l.wake(p, l.now().Add(settleAfter))                  // somebody may have settled
			under := t.fresh() - t.settled + t.rolling + missing // being replaced
			extra[i] = max(0, min(rollStep(target)-under, t.outdated, target-t.fresh()))
		}
	}
	for i := range extra {
		w.retire[i] = extra[i]
		begin := max(0, min(extra[i], room))
		subs[i].Desired += begin
		room -= begin
	}
	w.fresh = Startable(p.rules(), bounds, subs)
	for i, s := range p.subs {
		w.starts += w.fresh[i]
		missing := max(0, p.target(s)-subs[i].Active)
		w.retire[i] -= max(0, w.fresh[i]-missing) // these are replaced before they leave
	}
	l.throttle(p, &w)
	return w
}

// rollStep is how many of target workers are replaced at the same time.
func rollStep(target int) int { return max(1, (target+3)/4) }

// planDue adds the places whose wait is over, and has the pool looked at again
// when the next one's is.
func (l *loop) planDue(p *pool, plan *workPlan) {
	now := l.now()
	p.all(func(w *worker) {
		switch {
		case w.state != Backoff || !w.sub.ready:
		case w.held: // until the source answers
		case w.retryAt.After(now):
			l.wake(p, w.retryAt)
		default:
			plan.due = append(plan.due, w)
		}
	})
	plan.starts += len(plan.due)
}

// mayStart reports whether workers of the pool may be started.
func (l *loop) mayStart(p *pool) bool {
	return !l.s.o.Observe && !l.draining && !p.gone && p.begun && l.sourceUp(p) && l.mayBegin(p)
}

// rules are those by which the pool is scaled.
func (p *pool) rules() Rules {
	if p.def.traits.onePerApplication {
		return RulesMended // the others would start the next process before the last one is gone
	}
	return Rules(p.def.queue.ScalingRules)
}

// age is how long the oldest job of a sub-pool has waited.
func (p *pool) age(s *subPool) Number {
	oldest := math.NaN()
	for _, name := range s.queues {
		if f, _ := p.figures(name); f.age > oldest || math.IsNaN(oldest) {
			oldest = f.age
		}
	}
	return Number(oldest)
}
