package supervisor

import (
	"cmp"
	"math"
	"slices"
)

// Horizon's rules to the letter, harms included: what they decide is checked
// against runs of Horizon's own classes. What is odd here is odd there.

// wantFunc is the number of workers Horizon wants for sub-pool i before
// rounding and limits.
type wantFunc func(h *horizon, i int) float64

// horizon is one run of its balancing.
type horizon struct {
	max          int
	o            *Observation
	size, time   []float64 // per sub-pool: ready jobs, and these times the mean run time in ms
	sizes, times float64   // their sums
	active       []int     // workers not told to leave, dead ones included
	total        int       // active and stopping workers of the whole pool
}

func newHorizon(o *Observation) *horizon {
	n := len(o.SubPools)
	h := &horizon{o: o, max: max(o.Bounds.Max, o.RaisedMax), size: make([]float64, n), time: make([]float64, n), active: make([]int, n)}
	for i := range o.SubPools {
		s := &o.SubPools[i]
		for _, q := range s.Queues {
			size := jobs(q.Ready)
			h.size[i] += size
			if q.RuntimeMS > 0 {
				h.time[i] += size * min(float64(q.RuntimeMS), longestMS)
			}
		}
		h.sizes, h.times = h.sizes+h.size[i], h.times+h.time[i]
		h.active[i] = s.Wanted
		h.total += s.Wanted + s.Stopping
	}
	return h
}

// wantShare is the rule of balance auto: the share of the load, times max.
func wantShare(h *horizon, i int) float64 {
	switch {
	case h.times > 0 && h.o.Strategy == StrategySize && h.o.Balance == BalanceAuto:
		return h.size[i] / h.sizes * float64(h.max)
	case h.times > 0:
		return h.time[i] / h.times * float64(h.max)
	case h.size[i] > 0:
		return float64(h.max)
	}
	return float64(h.o.min(i))
}

// wantSize is the rule of balance false since 2025: a worker a job.
func wantSize(h *horizon, i int) float64 {
	return min(float64(h.max), max(float64(h.o.min(i)), h.size[i]))
}

// wantEven is the rule of balance simple.
func wantEven(h *horizon, _ int) float64 {
	return float64(h.max) / float64(len(h.o.SubPools))
}

// decideHorizon runs the rules whenever the cooldown has passed since the last
// run, whatever that run did.
func decideHorizon(want wantFunc) func(*Observation) Decision {
	return func(o *Observation) Decision {
		switch {
		case o.Paused:
			return hold(o, ReasonPaused, LimitPaused)
		case !o.LastScale.IsZero() && o.Now.Sub(o.LastScale) < o.Bounds.Cooldown:
			return hold(o, ReasonCooldown)
		case slices.ContainsFunc(measure(o), func(l load) bool { return !l.answered }):
			// The first queue that cannot be read ends Horizon's run.
			d := hold(o, ReasonSource, LimitSource)
			d.LastScale = o.Now
			return d
		}
		return newHorizon(o).run(want)
	}
}

// run scales the sub-pools in ascending order of what they want.
func (h *horizon) run(want wantFunc) Decision {
	d := Decision{SubPools: make([]SubDecision, len(h.active)), Max: h.max, LastScale: h.o.Now}
	order := make([]int, len(h.active))
	loads := measure(h.o)
	for i := range order {
		order[i] = i
		d.SubPools[i] = h.o.sub(i, loads[i])
		share := want(h, i)
		f := &d.SubPools[i].Figures
		f.Share, f.Load = Number(share), Number(h.time[i])
		f.Target = whole(share, math.MaxInt32)
		f.Need = f.Target
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(d.SubPools[a].Figures.Share, d.SubPools[b].Figures.Share)
	})
	for _, i := range order {
		desired, limits := h.scale(i, d.SubPools[i].Figures.Target)
		d.SubPools[i].settle(desired, h.reason(i, desired, d.SubPools[i].Figures.Target))
		d.SubPools[i].LimitedBy = limits
		d.Desired += desired
	}
	return d
}

// scale moves sub-pool i towards target. It compares the target with active
// and stopping workers together, but what it returns is a number of active
// ones: that is how Horizon can start workers while it shrinks.
func (h *horizon) scale(i, target int) (desired int, limits []LimitedBy) {
	count := h.active[i] + h.o.SubPools[i].Stopping
	shift := h.o.Bounds.Shift
	before := h.active[i]
	switch {
	case target > count:
		room := max(0, h.max-h.total)
		top := max(h.o.min(i), h.max-h.otherMinima(i))
		desired = min(count+min(room, shift), top, target)
		if desired < target && desired != count+shift {
			limits = append(limits, LimitMax)
		}
		if desired == count+shift && desired < target {
			limits = append(limits, LimitShift)
		}
	case target < count:
		down := min(h.total-h.o.min(i), shift)
		desired = max(count-down, h.o.min(i), target)
		if desired == count-shift && desired > target {
			limits = append(limits, LimitShift)
		}
	default:
		return before, nil
	}
	desired = max(0, desired)
	h.active[i] = desired
	// Workers that are told to leave stay in the total until they have left.
	h.total += max(0, desired-before)
	return desired, limits
}

// otherMinima is what the other sub-pools must keep.
func (h *horizon) otherMinima(i int) int {
	sum := 0
	for j := range h.o.SubPools {
		if j != i {
			sum += h.o.min(j)
		}
	}
	return sum
}

func (h *horizon) reason(i, desired, target int) Reason {
	before := h.o.SubPools[i].Wanted
	switch {
	case desired == before:
		return ReasonSteady
	case (desired > before) != (target > before):
		return ReasonQuirk
	case h.o.Balance == BalanceSimple:
		return ReasonSplit
	case desired > before:
		return ReasonDemand
	case h.size[i] > 0:
		return ReasonShare
	}
	return ReasonIdle
}

// highest is where Horizon 5.29.1 starts, and middle where it does since 2025.
func highest(b Bounds) int { return b.Max }
func middle(b Bounds) int  { return (b.Min + b.Max) / 2 }

// startHorizon starts every sub-pool with an even part, rounded down, of what
// total says less the workers that are still there from before, and raises the
// maximum to at least one worker a sub-pool.
func startHorizon(total func(Bounds) int) func(*Observation) Decision {
	return func(o *Observation) Decision {
		n := len(o.SubPools)
		first := total(o.Bounds)
		for i := range o.SubPools {
			s := &o.SubPools[i]
			first -= s.Starting + s.Running + s.Stopping
		}
		first = max(0, first)
		d := hold(o, ReasonStart)
		d.Max, d.Desired, d.LastScale = max(o.Bounds.Max, first, n), 0, o.LastScale
		for i := range d.SubPools {
			d.SubPools[i].Wanted = 0
			d.SubPools[i].settle(first/n, ReasonStart)
			d.Desired += first / n
		}
		return d
	}
}
