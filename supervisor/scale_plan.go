package supervisor

import "slices"

// plan is the way from the wanted counts to a target.
type plan struct {
	o      *Observation
	loads  []load
	claims []Claim
	needs  []int // workers that would find something to do
	places int   // what the sum may not exceed
	target []int
	next   []int // the outcome so far
	limits [][]LimitedBy
	why    Reason    // of every change, where there is one for all
	limit  LimitedBy // what a shortage of places is called
}

func newPlan(o *Observation, loads []load, claims []Claim) *plan {
	n := len(claims)
	p := &plan{
		o: o, loads: loads, claims: claims,
		places: max(0, o.Bounds.Max), limit: LimitMax,
		needs: make([]int, n), next: make([]int, n), limits: make([][]LimitedBy, n),
	}
	p.target = Allocate(p.places, claims)
	for i := range claims {
		p.needs[i] = need(claims[i])
		if o.Balance == BalanceSimple {
			p.needs[i] = p.target[i] // an even part is all it ever asks for
		}
		p.next[i] = max(0, o.SubPools[i].Wanted)
	}
	return p
}

func (p *plan) wanted() int {
	sum := 0
	for i := range p.o.SubPools {
		sum += p.o.SubPools[i].Wanted
	}
	return sum
}

func (p *plan) sum() int {
	sum := 0
	for _, n := range p.next {
		sum += n
	}
	return sum
}

func (p *plan) limitedBy(i int, why LimitedBy) {
	if !slices.Contains(p.limits[i], why) {
		p.limits[i] = append(p.limits[i], why)
	}
}

// shrink takes what is above the target, at most balance_max_shift in a
// cooldown, and nothing of a sub-pool that grew within one: with more waiting
// queues than places, workers would else do little but boot.
func (p *plan) shrink() {
	o := p.o
	for i, target := range p.target {
		down := p.next[i] - target
		if down <= 0 {
			continue
		}
		allowed := o.SubPools[i].Pace.Shrank.left(o.Now, o.Bounds)
		if !o.SubPools[i].Pace.Grew.quiet(o.Now, o.Bounds.Cooldown) {
			allowed = 0
		}
		if allowed < down {
			p.limitedBy(i, paced(allowed))
		}
		p.next[i] -= min(down, allowed)
	}
}

// paced names what cut a step down to allowed.
func paced(allowed int) LimitedBy {
	if allowed == 0 {
		return LimitCooldown
	}
	return LimitShift
}

// cut gives sub-pools below their minimum what they lack, and takes from those
// that are furthest above their target what exceeds the places: the
// configuration's bounds hold at once.
func (p *plan) cut() {
	for i := range p.next {
		p.next[i] = max(p.next[i], min(p.o.min(i), p.target[i]))
	}
	for over := p.sum() - p.places; over > 0; over-- {
		most := 0
		for i := range p.next {
			if p.next[i]-p.target[i] > p.next[most]-p.target[most] {
				most = i
			}
		}
		p.next[most]--
	}
}

// grow hands the free places to those below their target, at most
// balance_max_shift in a cooldown.
func (p *plan) grow() {
	o := p.o
	bids := make([]bid, 0, len(p.next))
	for i, target := range p.target {
		if target <= p.next[i] {
			continue
		}
		allowed := o.SubPools[i].Pace.Grew.left(o.Now, o.Bounds)
		upper := min(target, o.SubPools[i].Wanted+allowed)
		if upper < target {
			p.limitedBy(i, paced(allowed))
		}
		if upper > p.next[i] {
			bids = append(bids, bid{i, upper, p.claims[i].Weight, p.claims[i].Age})
		}
	}
	fill(p.next, max(0, p.places-p.sum()), bids)
	for _, b := range bids {
		if p.next[b.i] < b.upper {
			p.limitedBy(b.i, p.limit)
		}
	}
}

// decision writes down the outcome.
func (p *plan) decision() Decision {
	o := p.o
	d := Decision{SubPools: make([]SubDecision, len(p.next)), Max: o.Bounds.Max, LastScale: o.LastScale}
	over := p.wanted() > p.places
	p.explain()
	for i, n := range p.next {
		s := o.sub(i, p.loads[i])
		s.Figures.Need, s.Figures.Target = p.needs[i], p.target[i]
		s.settle(n, p.reason(i, over))
		s.LimitedBy = sorted(p.limits[i])
		// What the minimum gives, at the start or later, costs no shift.
		s.Pace.Grew = s.Pace.Grew.add(o.Now, o.Bounds, n-max(s.Wanted, o.min(i)))
		s.Pace.Shrank = s.Pace.Shrank.add(o.Now, o.Bounds, s.Wanted-n)
		if p.loads[i].answered && !o.Paused {
			s.Pace.Need = s.Pace.Need.see(o.Now, o.Bounds.Cooldown, p.needs[i])
		}
		if s.Direction != Stay {
			d.LastScale = o.Now
		}
		d.SubPools[i] = s
		d.Desired += n
	}
	return d
}

// sorted brings limits into the order of Limits.
func sorted(limits []LimitedBy) []LimitedBy {
	slices.SortFunc(limits, func(a, b LimitedBy) int {
		return slices.Index(Limits(), a) - slices.Index(Limits(), b)
	})
	return limits
}

// explain adds the limits that are not a matter of pace.
func (p *plan) explain() {
	subs := make([]Occupancy, len(p.next))
	stopping := 0
	for i := range p.next {
		s, c := &p.o.SubPools[i], &p.claims[i]
		subs[i] = Occupancy{p.next[i], s.Starting + s.Running, s.Stopping, c.Age}
		stopping += s.Stopping
		switch {
		case p.o.Paused:
			p.limitedBy(i, LimitPaused)
		case !p.loads[i].answered:
			p.limitedBy(i, LimitSource)
		case p.target[i] < p.needs[i]:
			p.limitedBy(i, p.limit)
		case p.target[i] > p.needs[i] && p.limit == LimitManual:
			p.limitedBy(i, LimitManual)
		case p.target[i] > p.needs[i]:
			p.limitedBy(i, LimitCooldown)
		case c.Keep > c.Floor:
			p.limitedBy(i, LimitBusy)
		}
	}
	if stopping == 0 {
		return
	}
	for i, n := range Startable(p.o.Rules, p.o.Bounds, subs) {
		if subs[i].Active+n < subs[i].Desired {
			p.limitedBy(i, LimitStopping)
		}
	}
}

// reason says why sub-pool i moves, or stays.
func (p *plan) reason(i int, over bool) Reason {
	before, after := max(0, p.o.SubPools[i].Wanted), p.next[i]
	switch {
	case after == before && p.o.Paused:
		return ReasonPaused
	case after == before && !p.loads[i].answered:
		return ReasonSource
	case after == before:
		return ReasonSteady
	case p.why != "":
		return p.why
	case after > before && after <= p.o.min(i):
		return ReasonMin
	case after < before && over:
		return ReasonMax
	case p.o.Balance == BalanceSimple:
		return ReasonSplit
	case after > before:
		return ReasonDemand
	case p.target[i] < p.needs[i]:
		return ReasonShare
	}
	return ReasonIdle
}
