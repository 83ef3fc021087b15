package supervisor

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every difference between Horizon and the mended rules, in the order of
// docs/scaling.md, with both sides of it.

// sub is a sub-pool with one queue whose workers all run.
func sub(name string, ready, runtimeMS Number, wanted, busy int) SubPool {
	return SubPool{
		Name: name, Answered: true, Wanted: wanted, Running: wanted, Busy: busy,
		Queues: []QueueLoad{{
			Name: name, Ready: ready, RuntimeMS: runtimeMS,
			DelayedOverdue: Unknown(), ReservedExpired: Unknown(), OldestAge: Unknown(),
		}},
	}
}

// autoPool is an observation of a pool with balance auto by time, shift 1 and a
// cooldown of 3 s.
func autoPool(least, most int, subs ...SubPool) Observation {
	return Observation{
		Now: epoch, Rules: RulesMended, Balance: BalanceAuto, Strategy: StrategyTime, SubPools: subs,
		Bounds: Bounds{Min: least, Max: most, Shift: 1, Cooldown: 3 * time.Second},
	}
}

func (o Observation) by(rules Rules) Observation {
	o.Rules, o.SubPools = rules, slices.Clone(o.SubPools)
	return o
}

func (o Observation) shift(n int) Observation { o.Bounds.Shift = n; return o }

func (o Observation) balance(b Balance) Observation { o.Balance = b; return o }

func counts(d Decision) []int {
	n := make([]int, len(d.SubPools))
	for i, s := range d.SubPools {
		n[i] = s.Desired
	}
	return n
}

// sequence is what n decisions, a cooldown apart, make of an unchanging load.
func sequence(o Observation, n int) [][]int {
	o.SubPools = slices.Clone(o.SubPools)
	var all [][]int
	for range n {
		d := Decide(o)
		all = append(all, counts(d))
		step(&o, d, false)
	}
	return all
}

type seq = [][]int

func TestDifferences(t *testing.T) {
	nan := Unknown()
	overdue := sub("a", 0, 100, 0, 0)
	overdue.Discovered = true
	overdue.Queues[0].DelayedOverdue, overdue.Queues[0].ReservedExpired = 2, 1
	leaving := func(s SubPool, n int) SubPool { s.Stopping = n; return s }

	for _, c := range []struct {
		name            string
		o               Observation
		rules           Rules
		horizon, mended seq
	}{
		{
			name: "the minimum is a floor when growing, too",
			o:    autoPool(2, 10, sub("a", 900, 100, 2, 2), sub("b", 100, 100, 0, 0)),
			// b never has its 2 workers, a has all that is left.
			horizon: seq{{3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}, {8, 1}},
			mended:  seq{{3, 2}, {4, 2}, {5, 2}, {6, 2}, {7, 2}, {8, 2}, {8, 2}},
		},
		{
			name:    "one job does not ask for the maximum",
			o:       autoPool(1, 10, sub("a", 1, 100, 1, 0)),
			horizon: seq{{2}, {3}, {4}},
			mended:  seq{{1}, {1}, {1}},
		},
		{
			name: "overdue and expired jobs are demand",
			o:    autoPool(0, 10, overdue),
			// Only a polling worker moves them to the ready list.
			horizon: seq{{0}, {0}, {0}},
			mended:  seq{{1}, {2}, {3}},
		},
		{
			name:    "a queue of unknown run time does not starve",
			o:       autoPool(1, 10, sub("a", 10, 100, 5, 5), sub("b", 1000, nan, 5, 5)),
			horizon: seq{{5, 4}, {6, 3}, {7, 2}, {8, 1}, {9, 1}, {9, 1}},
			mended:  seq{{4, 6}, {3, 7}, {2, 8}, {1, 9}, {1, 9}, {1, 9}},
		},
		{
			name: "no run time at all is not a reason to ask for everything",
			o:    autoPool(1, 10, sub("a", 2, nan, 1, 0), sub("b", 1000, nan, 1, 1)).shift(10),
			// What Horizon sees in the seconds after horizon:snapshot.
			horizon: seq{{9, 1}, {9, 1}},
			mended:  seq{{1, 9}, {1, 9}},
		},
		{
			name:    "stopping workers do not make growth overshoot",
			o:       autoPool(1, 10, leaving(sub("a", 1000, 100, 3, 3), 4)),
			horizon: seq{{8}, {9}, {10}}, // 8 and the 4 that are leaving: 12 processes
			mended:  seq{{4}, {5}, {6}},
		},
		{
			name:    "a shrink never starts workers",
			o:       autoPool(1, 10, leaving(sub("a", 0, 100, 1, 0), 3)),
			horizon: seq{{3}, {2}, {1}},
			mended:  seq{{1}, {1}, {1}},
		},
		{
			name:    "busy workers are not sent away because the list is empty",
			o:       autoPool(1, 10, sub("a", 0, 100, 10, 8)),
			horizon: seq{{9}, {8}, {7}, {6}},
			mended:  seq{{9}, {8}, {8}, {8}},
		},
		{
			name:    "rounding does not shift workers to whoever is listed first",
			o:       autoPool(1, 10, sub("a", 10, 10, 1, 1), sub("b", 10, 10, 1, 1), sub("c", 10, 10, 1, 1)).shift(10),
			horizon: seq{{4, 4, 2}, {4, 4, 2}},
			mended:  seq{{4, 3, 3}, {4, 3, 3}},
		},
		{
			name: "no more workers than jobs, and the rest goes to those who have jobs",
			o:    autoPool(1, 10, sub("a", 2, 60_000, 1, 0), sub("b", 100, 100, 1, 0)).shift(10),
			// Two jobs of a minute weigh more than a hundred quick ones.
			horizon: seq{{9, 1}, {9, 1}},
			mended:  seq{{2, 8}, {2, 8}},
		},
		{
			name:    "a shift of 0 does not freeze the pool",
			o:       autoPool(1, 10, sub("a", 1000, 100, 1, 1)).shift(0),
			horizon: seq{{1}, {1}, {1}},
			mended:  seq{{2}, {3}, {4}},
		},
		{
			name:    "balance off, 5.29: one job does not ask for the maximum",
			o:       autoPool(1, 10, sub("a,b", 1, 100, 1, 0)).balance(BalanceOff),
			horizon: seq{{2}, {3}, {4}},
			mended:  seq{{1}, {1}, {1}},
		},
		{
			name:    "balance off, newer: busy workers count",
			o:       autoPool(1, 10, sub("a,b", 4, 100, 10, 10)).balance(BalanceOff),
			rules:   RulesHorizon,
			horizon: seq{{9}, {8}, {7}, {6}},
			mended:  seq{{10}, {10}, {10}, {10}},
		},
		{
			name: "balance simple is even whatever was there",
			o:    autoPool(1, 10, sub("a", 0, nan, 8, 0), sub("b", 0, nan, 2, 0)).balance(BalanceSimple).shift(3),
			// No difference once it runs; they begin differently.
			horizon: seq{{5, 2}, {5, 5}},
			mended:  seq{{5, 5}, {5, 5}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.rules == "" {
				c.rules = RulesHorizon529
			}
			if diff := cmp.Diff(c.horizon, sequence(c.o.by(c.rules), len(c.horizon))); diff != "" {
				t.Errorf("Horizon (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.mended, sequence(c.o.by(RulesMended), len(c.mended))); diff != "" {
				t.Errorf("mended (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDifferenceStart(t *testing.T) {
	one := autoPool(1, 10, sub("a", 0, 100, 0, 0))
	three := autoPool(1, 3, sub("a", 0, 100, 0, 0), sub("b", 0, 100, 0, 0), sub("c", 0, 100, 0, 0), sub("d", 0, 100, 0, 0))
	for _, c := range []struct {
		name  string
		o     Observation
		rules Rules
		want  []int
		max   int
	}{
		{"5.29 starts at the maximum", one, RulesHorizon529, []int{10}, 10},
		{"newer starts in the middle", one, RulesHorizon, []int{5}, 10},
		{"mended starts at the minimum", one, RulesMended, []int{1}, 10},
		{"5.29 starts none, and raises the maximum", three, RulesHorizon529, []int{0, 0, 0, 0}, 4},
		{"mended starts what fits, and keeps the maximum", three, RulesMended, []int{1, 1, 1, 0}, 3},
		{"5.29 simple", one.balance(BalanceSimple), RulesHorizon529, []int{10}, 10},
		{"newer simple starts in the middle", one.balance(BalanceSimple), RulesHorizon, []int{5}, 10},
		{"mended simple starts where it will stay", one.balance(BalanceSimple), RulesMended, []int{10}, 10},
	} {
		d := Start(c.o.by(c.rules))
		if diff := cmp.Diff(c.want, counts(d)); diff != "" || d.Max != c.max {
			t.Errorf("%s: max %d, want %d (-want +got):\n%s", c.name, d.Max, c.max, diff)
		}
	}
}

// After horizon:snapshot all run times are gone until jobs end: Horizon first
// gives every queue all, then everything to the first whose job ended.
func TestDifferenceSnapshot(t *testing.T) {
	states := []Observation{
		autoPool(1, 10, sub("a", 300, 100, 5, 5), sub("b", 300, 100, 5, 5)),             // before
		autoPool(1, 10, sub("a", 300, Unknown(), 5, 5), sub("b", 300, Unknown(), 5, 5)), // after the snapshot
		autoPool(1, 10, sub("a", 300, 100, 5, 5), sub("b", 300, Unknown(), 5, 5)),       // a job of a has ended
	}
	want := map[Rules][][]int{RulesHorizon: {{5, 5}, {5, 5}, {5, 4}}, RulesMended: {{5, 5}, {5, 5}, {5, 5}}}
	for rules, want := range want {
		for i, o := range states {
			d := Decide(o.by(rules))
			if diff := cmp.Diff(want[i], counts(d)); diff != "" {
				t.Errorf("%s, state %d (-want +got):\n%s", rules, i, diff)
			}
			if share := d.SubPools[0].Figures.Share; rules == RulesHorizon && i > 0 && share != 10 {
				t.Errorf("%s, state %d: a wants %v, Horizon 10", rules, i, share)
			}
		}
	}
}

// More workers than places: five queues wait, the maximum is three. Horizon
// serves the same three for ever; mended rules move on to the oldest.
func TestDifferenceMoreQueuesThanPlaces(t *testing.T) {
	o := autoPool(1, 3)
	for i, age := range []Number{1, 2, 3, 50, 40} {
		s := sub(string(rune('a'+i)), 10, 100, 0, 0)
		s.Queues[0].OldestAge, s.Discovered = age, true
		if i < 3 {
			s.Wanted, s.Running, s.Busy = 1, 1, 1
		}
		o.SubPools = append(o.SubPools, s)
	}
	horizon := o.by(RulesHorizon)
	if got, want := sequence(horizon, 2), (seq{{1, 1, 1, 0, 0}, {1, 1, 1, 0, 0}}); !cmp.Equal(got, want) {
		t.Errorf("Horizon: %v, want %v", got, want)
	}
	if got, want := sequence(o, 2), (seq{{0, 0, 1, 1, 1}, {0, 0, 1, 1, 1}}); !cmp.Equal(got, want) {
		t.Errorf("mended: %v, want %v", got, want)
	}
	d := Decide(o)
	if got := d.SubPools[0].Reason; got != ReasonShare {
		t.Errorf("a gives its place away because of %q, want %q", got, ReasonShare)
	}
}

// The cooldown is a distance between changes, not between looks: a burst that
// comes right after a run that changed nothing is not left waiting.
func TestDifferenceCooldown(t *testing.T) {
	for rules, want := range map[Rules]int{RulesHorizon: 1, RulesMended: 10} {
		o := autoPool(1, 10, sub("a", 0, 100, 1, 0)).by(rules).shift(10)
		d := Decide(o)
		step(&o, d, false)
		o.Now = epoch.Add(time.Second) // two seconds before the cooldown ends
		o.SubPools[0].Queues[0].Ready = 5000
		if got := Decide(o).Desired; got != want {
			t.Errorf("%s: %d workers a second after a look, want %d", rules, got, want)
		}
	}
}

// A queue that is empty between two jobs keeps its workers for a cooldown.
func TestDifferenceFlapping(t *testing.T) {
	for rules, want := range map[Rules][]int{
		RulesHorizon: {5, 4, 5, 4, 5, 4, 5, 4},
		RulesMended:  {5, 5, 5, 5, 5, 5, 5, 5},
	} {
		o := autoPool(1, 5, sub("a", 0, 100, 4, 4)).by(rules)
		var got []int
		for i := range 8 {
			o.SubPools[0].Queues[0].Ready, o.SubPools[0].Busy = 0, 3
			if i%2 == 0 {
				o.SubPools[0].Queues[0].Ready, o.SubPools[0].Busy = 2, 4
			}
			d := Decide(o)
			got = append(got, d.Desired)
			step(&o, d, false)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rules, diff)
		}
	}
}

// Processes count against the maximum until they are gone, for mended rules
// when they start workers, for Horizon when it decides.
func TestDifferenceStoppingHoldsPlaces(t *testing.T) {
	a, b := sub("a", 1000, 100, 7, 7), sub("b", 0, 100, 1, 0)
	b.Stopping = 2
	o := autoPool(1, 10, a, b).shift(10)
	horizon := Decide(o.by(RulesHorizon))
	if diff := cmp.Diff([]int{7, 1}, counts(horizon)); diff != "" {
		t.Errorf("Horizon (-want +got):\n%s", diff)
	}
	mended := Decide(o)
	if diff := cmp.Diff([]int{9, 1}, counts(mended)); diff != "" {
		t.Errorf("mended (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]LimitedBy{LimitMax, LimitStopping}, mended.SubPools[0].LimitedBy); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	subs := []Occupancy{{Desired: 9, Active: 7}, {Desired: 1, Active: 1, Stopping: 2}}
	if diff := cmp.Diff([]int{0, 0}, Startable(RulesMended, o.Bounds, subs)); diff != "" {
		t.Errorf("startable beside two that stop (-want +got):\n%s", diff)
	}
	subs[1].Stopping = 0
	if diff := cmp.Diff([]int{2, 0}, Startable(RulesMended, o.Bounds, subs)); diff != "" {
		t.Errorf("startable when they are gone (-want +got):\n%s", diff)
	}
}

// Horizon's Scale command is taken back by the next steps; an order holds.
func TestDifferenceManualScale(t *testing.T) {
	o := autoPool(1, 10, sub("a", 0, 100, 8, 0)) // somebody scaled to 8
	if diff := cmp.Diff(seq{{7}, {6}, {5}}, sequence(o.by(RulesHorizon), 3)); diff != "" {
		t.Errorf("Horizon (-want +got):\n%s", diff)
	}
	for _, rules := range []Rules{RulesMended, RulesHorizon, RulesHorizon529} {
		ordered := o.by(rules)
		ordered.Override = &Override{Processes: 8, Until: epoch.Add(7 * time.Second)}
		if diff := cmp.Diff(seq{{8}, {8}, {8}, {7}}, sequence(ordered, 4)); diff != "" {
			t.Errorf("%s with an order of 7 s (-want +got):\n%s", rules, diff)
		}
	}
}
