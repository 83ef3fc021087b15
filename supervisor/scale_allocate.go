package supervisor

import (
	"cmp"
	"container/heap"
	"math"
)

// Claim is what one sub-pool asks of the places that a pool has. Each of its
// counts includes the ones before it; a smaller later one adds nothing.
type Claim struct {
	Floor  int     // its minimum: served before anything else
	Keep   int     // workers that are busy and would leave by themselves if nothing waits
	Need   int     // workers that would find something to do
	Hold   int     // workers it may keep where nobody else needs the place
	Weight float64 // load: how long one worker would take for what waits
	Age    Number  // of its oldest waiting job
}

// Allocate shares places among claims. It serves the floors of all claims, then
// what they keep, need and hold. While needs are served, the next place goes to
// the claim that would otherwise take longest to clear: one without a worker
// would take for ever, the oldest of these first. Floors, keeps and holds grow
// evenly. What is equal goes to the older, then to the earlier claim.
//
// The sum never exceeds places, no claim with a need goes without while a
// younger one without floor or keep has a worker, and more places never leave
// anyone with less.
func Allocate(places int, claims []Claim) []int {
	got := make([]int, len(claims))
	room := places
	for _, pass := range []func(*Claim) (int, float64){
		func(c *Claim) (int, float64) { return c.Floor, 1 },
		func(c *Claim) (int, float64) { return c.Keep, 1 },
		func(c *Claim) (int, float64) { return c.Need, c.Weight },
		func(c *Claim) (int, float64) { return c.Hold, 1 },
	} {
		bids := make([]bid, 0, len(claims))
		for i := range claims {
			if upper, weight := pass(&claims[i]); upper > got[i] {
				bids = append(bids, bid{i, upper, weight, claims[i].Age})
			}
		}
		room = fill(got, room, bids)
	}
	return got
}

// bid is the wish of claim i to grow to upper.
type bid struct {
	i, upper int
	weight   float64
	age      Number
}

// fill grows got by at most room towards the bids, and returns what is left.
func fill(got []int, room int, bids []bid) int {
	wish := 0
	for _, b := range bids {
		// A sum that overflows is not granted whole either.
		wish = min(wish+min(b.upper-got[b.i], math.MaxInt32), math.MaxInt32)
	}
	if wish <= room {
		for _, b := range bids {
			got[b.i] = b.upper
		}
		return room - wish
	}
	q := &auction{got, bids}
	heap.Init(q)
	for ; room > 0 && len(q.bids) > 0; room-- {
		first := q.bids[0]
		got[first.i]++
		if got[first.i] >= first.upper {
			heap.Pop(q)
		} else {
			heap.Fix(q, 0)
		}
	}
	return room
}

// auction is the heap of bids: the one to be served next on top.
type auction struct {
	got  []int
	bids []bid
}

func (a *auction) Len() int      { return len(a.bids) }
func (a *auction) Swap(i, j int) { a.bids[i], a.bids[j] = a.bids[j], a.bids[i] }
func (a *auction) Push(x any)    { a.bids = append(a.bids, x.(bid)) }

func (a *auction) Pop() any {
	last := a.bids[len(a.bids)-1]
	a.bids = a.bids[:len(a.bids)-1]
	return last
}

func (a *auction) Less(i, j int) bool {
	x, y := &a.bids[i], &a.bids[j]
	return cmp.Or(
		cmp.Compare(a.timeToClear(y), a.timeToClear(x)),
		cmp.Compare(y.age, x.age), // an unknown age compares as the youngest
		cmp.Compare(x.i, y.i),
	) < 0
}

func (a *auction) timeToClear(b *bid) float64 {
	if a.got[b.i] == 0 {
		return math.Inf(1)
	}
	return b.weight / float64(a.got[b.i])
}

// Occupancy is what a sub-pool has against what it is to have.
type Occupancy struct {
	Desired  int    // by the last decision
	Active   int    // starting, waiting for their back-off, or running
	Stopping int    // told to leave but still there, survivors of an earlier supervisor included
	Age      Number // of its oldest waiting job
}

// Startable says how many workers each sub-pool may start now. All that exist,
// whatever their state, stay within max_processes + max_surge; where places
// are short, sub-pools without a worker come first and older jobs before
// younger ones. Horizon's rules know no such bound: they start what is desired.
func Startable(rules Rules, b Bounds, subs []Occupancy) []int {
	start := make([]int, len(subs))
	room := math.MaxInt32
	if rules == RulesMended {
		room = b.Max + max(0, b.MaxSurge)
	}
	active, bids := make([]int, len(subs)), make([]bid, 0, len(subs))
	for i, s := range subs {
		active[i] = s.Active
		if rules == RulesMended {
			room -= s.Active + s.Stopping
		}
		if s.Desired > s.Active {
			bids = append(bids, bid{i, s.Desired, 1, s.Age})
		}
	}
	fill(active, max(0, room), bids)
	for i, s := range subs {
		start[i] = active[i] - s.Active
	}
	return start
}
