package supervisor

import (
	"math"
	"slices"
)

// The mended rules: what differs from Horizon, and why, is in docs/scaling.md.
// A decision has three parts. Claims say what each sub-pool could use, Allocate
// shares the maximum among them, and a plan walks from the wanted counts to
// that target at the configured pace.

// claimFunc makes a claim of each sub-pool.
type claimFunc func(o *Observation, loads []load) []Claim

func decideMended(claim claimFunc) func(*Observation) Decision {
	return func(o *Observation) Decision {
		loads := measure(o)
		p := newPlan(o, loads, claim(o, loads))
		p.shrink()
		p.cut()
		p.grow()
		return p.decision()
	}
}

// claimByNeed asks for a worker for each job that waits or is being worked:
// more would find nothing to do, whatever share of the load the queue has.
func claimByNeed(o *Observation, loads []load) []Claim {
	claims := make([]Claim, len(loads))
	top := max(0, o.Bounds.Max)
	for i, l := range loads {
		s, floor := &o.SubPools[i], o.min(i)
		if !l.answered || o.Paused {
			claims[i] = claimStanding(o, i)
			continue
		}
		c := Claim{Floor: floor, Weight: l.weight, Age: l.age}
		switch {
		case l.demand > 0 && s.Busy >= 0:
			c.Need = whole(l.demand, top) + min(s.Busy, top)
		case l.demand > 0:
			// Any of them may be busy.
			c.Need = whole(l.demand, top) + min(s.Starting+s.Running, top)
		case s.Busy >= 0:
			// Nothing waits: busy workers are kept until their jobs end, but
			// those that were given up already are not taken back.
			c.Keep = min(s.Busy, s.Wanted)
		}
		c.Need = min(max(c.Need, c.Keep, floor), top)
		c.Hold = min(s.Wanted, s.Pace.Need.see(o.Now, o.Bounds.Cooldown, c.Need).highest())
		claims[i] = c
	}
	return claims
}

// claimEvenly asks for all, with equal weight: the load does not matter, except
// that a discovered queue takes part only while it has work.
func claimEvenly(o *Observation, loads []load) []Claim {
	claims := make([]Claim, len(loads))
	for i, l := range loads {
		s := &o.SubPools[i]
		if !l.answered || o.Paused {
			claims[i] = claimStanding(o, i)
			continue
		}
		c := Claim{Floor: o.min(i), Weight: 1, Age: Unknown()}
		if !s.Discovered || l.demand > 0 || s.Busy > 0 {
			c.Need = max(0, o.Bounds.Max)
		}
		claims[i] = c
	}
	return claims
}

// claimStanding asks for what the sub-pool has: nothing is known of its queues,
// and a silent Redis must not look like an empty one.
func claimStanding(o *Observation, i int) Claim {
	n := max(o.min(i), o.SubPools[i].Wanted)
	return Claim{Floor: o.min(i), Keep: n, Need: n, Age: Unknown()}
}

// startFunc says where a sub-pool begins, from its claim and its target.
type startFunc func(c Claim, target int) int

// atFloor begins with the minimum: the first decision knows more than the
// configuration does. atTarget is for what no load will ever change.
func atFloor(c Claim, target int) int  { return min(c.Floor, target) }
func atTarget(_ Claim, target int) int { return target }

func startMended(claim claimFunc, first startFunc) func(*Observation) Decision {
	return func(o *Observation) Decision {
		fresh := *o
		fresh.SubPools = slices.Clone(o.SubPools)
		for i := range fresh.SubPools {
			fresh.SubPools[i].Wanted, fresh.SubPools[i].Pace = 0, Pace{}
		}
		loads := measure(&fresh)
		p := newPlan(&fresh, loads, claim(&fresh, loads))
		p.why = ReasonStart
		for i := range p.next {
			p.next[i] = first(p.claims[i], p.target[i])
		}
		return p.decision()
	}
}

// decideOverride gives the pool as many workers as an operator ordered, within
// its bounds and whatever its rules are. The order is carried out at once;
// afterwards workers only move between the sub-pools, at the usual pace.
func decideOverride(o *Observation) Decision {
	loads := measure(o)
	claims := claimByNeed(o, loads)
	least, idle := 0, true
	for i := range claims {
		least += o.min(i)
		idle = idle && claims[i].Weight == 0
	}
	total := min(max(o.Override.Processes, least, 0), max(0, o.Bounds.Max))
	needs := make([]int, len(claims))
	for i := range claims {
		needs[i] = claims[i].Need
		if idle {
			claims[i].Weight = 1
		}
		if claims[i].Weight > 0 {
			claims[i].Need = total
		}
		claims[i].Hold = 0
	}
	p := newPlan(o, loads, claims)
	p.why, p.limit, p.needs = ReasonManual, LimitManual, needs
	p.places = total
	p.target = Allocate(total, claims)
	if p.wanted() == total {
		p.shrink()
		p.cut()
		p.grow()
	} else {
		copy(p.next, p.target)
	}
	return p.decision()
}

// need is how many workers would find something to do, for a reader.
func need(c Claim) int { return min(max(c.Floor, c.Keep, c.Need), math.MaxInt32) }
