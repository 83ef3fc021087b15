package supervisor

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCheckScaling(t *testing.T) {
	for _, c := range []struct {
		balance  Balance
		rules    Rules
		strategy Strategy
		want     string // part of the error; empty: none
	}{
		{BalanceAuto, RulesMended, StrategyTime, ""},
		{BalanceSimple, RulesHorizon, StrategySize, ""},
		{BalanceOff, RulesHorizon529, StrategyTime, ""},
		{"slo", RulesMended, StrategyTime, `balance "slo" is not one of ["auto" "off" "simple"]`},
		{BalanceAuto, "horizon-6", StrategyTime, `scaling_rules "horizon-6" is not one of ["horizon" "horizon-5.29" "mended"]`},
		{BalanceAuto, RulesMended, "log", `auto_scaling_strategy "log" is not one of ["size" "time"]`},
	} {
		err := CheckScaling(c.balance, c.rules, c.strategy)
		if got := fmt.Sprint(err); (err == nil) != (c.want == "") || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s, %s, %s: %v, want %q", c.balance, c.rules, c.strategy, err, c.want)
		}
	}
}

func TestUnsupportedChangesNothing(t *testing.T) {
	o := autoPool(1, 10, sub("a", 5000, 100, 3, 3)).balance("slo")
	for _, d := range []Decision{Decide(o), Start(o)} {
		if d.SubPools[0].Reason != ReasonUnsupported || d.Desired != 3 {
			t.Errorf("%d because %q", d.Desired, d.SubPools[0].Reason)
		}
	}
}

func TestNoSubPools(t *testing.T) {
	for _, rules := range []Rules{RulesMended, RulesHorizon, RulesHorizon529} {
		for _, balance := range []Balance{BalanceAuto, BalanceSimple, BalanceOff} {
			o := autoPool(1, 10).by(rules).balance(balance)
			o.Override = &Override{Processes: 4, Until: epoch.Add(time.Hour)}
			if d := Decide(o); d.Desired != 0 || len(d.SubPools) != 0 {
				t.Errorf("%s, %s: %+v", rules, balance, d)
			}
			if d := Start(o); d.Desired != 0 || len(d.SubPools) != 0 {
				t.Errorf("%s, %s start: %+v", rules, balance, d)
			}
		}
	}
}

// A silent source must not look like an empty queue, by any rules.
func TestSourceAway(t *testing.T) {
	for _, rules := range []Rules{RulesMended, RulesHorizon, RulesHorizon529} {
		o := autoPool(1, 10, sub("a", 0, 100, 7, 0)).by(rules)
		o.SubPools[0].Answered = false
		for range 10 {
			d := Decide(o)
			s := d.SubPools[0]
			if s.Desired != 7 || s.Reason != ReasonSource || !cmp.Equal(s.LimitedBy, []LimitedBy{LimitSource}) {
				t.Fatalf("%s: %s", rules, s.Sentence())
			}
			step(&o, d, false)
		}
	}
}

// One unreadable queue holds its own sub-pool; the others go on, where Horizon's
// whole run ends.
func TestSourceAwayForOneQueue(t *testing.T) {
	for rules, want := range map[Rules][]int{RulesMended: {4, 2}, RulesHorizon: {4, 1}} {
		o := autoPool(1, 10, sub("a", Unknown(), 100, 4, 0), sub("b", 50, 100, 1, 1)).by(rules)
		if diff := cmp.Diff(want, counts(Decide(o))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rules, diff)
		}
	}
}

func TestPausedStays(t *testing.T) {
	for _, rules := range []Rules{RulesMended, RulesHorizon} {
		o := autoPool(1, 10, sub("a", 500, 100, 4, 0)).by(rules)
		o.Paused, o.Override = true, &Override{Processes: 9, Until: epoch.Add(time.Hour)}
		s := Decide(o).SubPools[0]
		if s.Desired != 4 || s.Reason != ReasonPaused || !cmp.Equal(s.LimitedBy, []LimitedBy{LimitPaused}) {
			t.Errorf("%s: %s", rules, s.Sentence())
		}
	}
}

// The configuration's bounds hold at once, whatever the pace.
func TestBoundsAfterReload(t *testing.T) {
	for _, c := range []struct {
		name    string
		o       Observation
		want    []int
		reasons []Reason
	}{
		{
			"maximum lowered below what is busy", autoPool(1, 4, sub("a", 900, 100, 6, 6), sub("b", 100, 100, 4, 4)),
			[]int{3, 1}, []Reason{ReasonMax, ReasonMax},
		},
		{
			"minimum raised", autoPool(4, 10, sub("a", 0, 100, 1, 0), sub("b", 0, 100, 1, 0)),
			[]int{4, 4}, []Reason{ReasonMin, ReasonMin},
		},
		{
			"a new queue needs its minimum while all places are taken",
			autoPool(2, 10, sub("a", 900, 100, 10, 10), sub("b", 0, 100, 0, 0)),
			[]int{8, 2}, []Reason{ReasonShare, ReasonMin},
		},
		{
			"more minima than places: the first in the list", autoPool(2, 3, sub("a", 0, 100, 0, 0), sub("b", 0, 100, 0, 0)),
			[]int{2, 1}, []Reason{ReasonMin, ReasonMin},
		},
	} {
		d := Decide(c.o)
		reasons := []Reason{d.SubPools[0].Reason, d.SubPools[1].Reason}
		if diff := cmp.Diff(c.want, counts(d)) + cmp.Diff(c.reasons, reasons); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestOverride(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Observation
		n    int
		want []int
	}{
		{"by load", autoPool(1, 10, sub("a", 900, 100, 1, 1), sub("b", 100, 100, 1, 1)), 10, []int{9, 1}},
		{"evenly where nothing waits", autoPool(1, 10, sub("a", 0, 100, 1, 0), sub("b", 0, 100, 1, 0)), 6, []int{3, 3}},
		{"only where something waits", autoPool(1, 10, sub("a", 5, 100, 1, 0), sub("b", 0, 100, 1, 0)), 6, []int{5, 1}},
		{"down at once", autoPool(1, 10, sub("a", 900, 100, 9, 9), sub("b", 0, 100, 1, 0)), 3, []int{2, 1}},
		{"not below the minima", autoPool(2, 10, sub("a", 9, 100, 5, 5), sub("b", 0, 100, 2, 0)), 0, []int{2, 2}},
		{"not above the maximum", autoPool(1, 10, sub("a", 9, 100, 5, 5)), 99, []int{10}},
		{"while the source is away", autoPool(1, 10, sub("a", Unknown(), 100, 2, 2)), 5, []int{5}},
		{"it holds, and moves at the usual pace", autoPool(1, 10, sub("a", 900, 100, 3, 3), sub("b", 1, 100, 3, 0)), 6, []int{4, 2}},
	} {
		c.o.Override = &Override{Processes: c.n, Until: c.o.Now.Add(time.Minute)}
		d := Decide(c.o)
		if diff := cmp.Diff(c.want, counts(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		for _, s := range d.SubPools {
			if s.Direction != Stay && s.Reason != ReasonManual {
				t.Errorf("%s: %s", c.name, s.Sentence())
			}
		}
	}
}

// Queues found by a pattern: none without work, the oldest first.
func TestDiscoveredQueues(t *testing.T) {
	o := autoPool(1, 3)
	for i, age := range []Number{Unknown(), 5, 60, 30, 20} {
		ready := Number(10)
		if i == 0 {
			ready = 0
		}
		s := sub(fmt.Sprintf("tenant-%d", i), ready, 100, 0, 0)
		s.Discovered, s.Queues[0].OldestAge = true, age
		o.SubPools = append(o.SubPools, s)
	}
	if d := Start(o); d.Desired != 0 {
		t.Errorf("starts %v", counts(d))
	}
	d := Decide(o)
	if diff := cmp.Diff([]int{0, 0, 1, 1, 1}, counts(d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !d.Limited(LimitMax) || d.Limited(LimitShift) {
		t.Error("the pool is limited by its maximum and nothing else")
	}
	if diff := cmp.Diff([]LimitedBy{LimitMax}, d.SubPools[1].LimitedBy); diff != "" {
		t.Errorf("limits of the one that waits (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 1, 1, 1, 0}, counts(Decide(o.balance(BalanceSimple)))); diff != "" {
		t.Errorf("simple (-want +got):\n%s", diff)
	}
}

// A cooldown never sees more than a shift of changes, however they come.
func TestPace(t *testing.T) {
	o := autoPool(1, 30, sub("a", 0, 100, 1, 1)).shift(5)
	total := map[time.Duration]int{}
	for now := time.Duration(0); now < 20*time.Second; now += 500 * time.Millisecond {
		o.Now = epoch.Add(now)
		o.SubPools[0].Queues[0].Ready = Number(o.SubPools[0].Wanted + 1) // always a little more
		d := Decide(o)
		total[now] = d.Desired - o.SubPools[0].Wanted
		o.SubPools[0].Wanted, o.SubPools[0].Running = d.Desired, d.Desired
		o.SubPools[0].Busy, o.SubPools[0].Pace = d.Desired, d.SubPools[0].Pace
	}
	for from := range total {
		sum := 0
		for at, n := range total {
			if at >= from && at < from+3*time.Second {
				sum += n
			}
		}
		if sum > 5 {
			t.Errorf("%d changes within 3 s from %v", sum, from)
		}
	}
	if got := o.SubPools[0].Wanted; got < 20 {
		t.Errorf("only %d workers after 20 s of demand", got)
	}
}

// Jobs that wait when a pool starts do not wait for a cooldown.
func TestStartCostsNoShift(t *testing.T) {
	o := autoPool(3, 10, sub("a", 500, 100, 0, 0))
	d := Start(o)
	o.SubPools[0].Wanted, o.SubPools[0].Pace = d.SubPools[0].Desired, d.SubPools[0].Pace
	if next := Decide(o); d.Desired != 3 || next.Desired != 4 {
		t.Errorf("starts with %d, goes to %d, want 3 and 4", d.Desired, next.Desired)
	}
}

// A clock that was set back by an hour does not stop the pool for an hour.
func TestClockSetBack(t *testing.T) {
	o := autoPool(1, 10, sub("a", 50, 100, 1, 1))
	future := epoch.Add(time.Hour)
	o.SubPools[0].Pace = Pace{Spell{future, 1}, Spell{future, 1}, Peak{future, 9, 9}}
	if got := Decide(o).Desired; got != 2 {
		t.Errorf("%d workers, want 2", got)
	}
}

func TestMeanRuntimeStandsIn(t *testing.T) {
	weights := func(o Observation) (w []float64) {
		for _, l := range measure(&o) {
			w = append(w, l.weight)
		}
		return w
	}
	for _, c := range []struct {
		name string
		o    Observation
		want []float64
	}{
		{"the mean of the known ones", autoPool(1, 9, sub("a", 1, 100, 0, 0), sub("b", 1, 300, 0, 0), sub("c", 2, Unknown(), 0, 0)), []float64{100, 300, 400}},
		{"none known: jobs", autoPool(1, 9, sub("a", 7, Unknown(), 0, 0), sub("b", 3, Unknown(), 0, 0)), []float64{7, 3}},
		{"0 is a measured time, too short to tell", autoPool(1, 9, sub("a", 7, 0, 0, 0), sub("b", 3, 2, 0, 0)), []float64{7, 6}},
		{"nonsense is unknown", autoPool(1, 9, sub("a", 7, -1, 0, 0), sub("b", 3, Number(math.Inf(1)), 0, 0), sub("c", 1, 5, 0, 0)), []float64{35, 15, 5}},
	} {
		if diff := cmp.Diff(c.want, weights(c.o)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	bySize := autoPool(1, 9, sub("a", 7, 100, 0, 0), sub("b", 3, Unknown(), 0, 0))
	bySize.Strategy = StrategySize
	if diff := cmp.Diff([]float64{7, 3}, weights(bySize)); diff != "" {
		t.Errorf("by size (-want +got):\n%s", diff)
	}
}

func TestSentences(t *testing.T) {
	up := sub("mails", 40, 100, 2, 2)
	up.Stopping, up.Queues[0].DelayedOverdue, up.Queues[0].OldestAge = 1, 3, 12.34
	away := sub("a", Unknown(), Unknown(), 4, -1)
	for _, c := range []struct {
		o    Observation
		want string
	}{
		{
			autoPool(1, 10, up),
			"mails goes from 2 to 3 because jobs wait: 40 ready, 3 delayed and overdue, 2 busy, 1 stopping, oldest job 12.3 s, needs 10, target 10; limited by shift",
		},
		{
			autoPool(1, 10, sub("a", 0, 100, 10, 8)),
			"a goes from 10 to 9 because there are fewer jobs than workers: 0 ready, 8 busy, needs 8, target 8; limited by shift, busy",
		},
		{autoPool(1, 10, away), "a stays at 4 because the source did not answer: needs 4, target 4; limited by source"},
		{
			autoPool(1, 10, sub("a", 1, 100, 1, -1)).by(RulesHorizon),
			"a goes from 1 to 2 because jobs wait: 1 ready, share 10.00, needs 10, target 10; limited by shift",
		},
	} {
		if got := Decide(c.o).SubPools[0].Sentence(); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

func TestNumberJSON(t *testing.T) {
	got, err := json.Marshal([]Number{1.5, Unknown(), Number(math.Inf(1))})
	if err != nil || string(got) != "[1.5,null,null]" {
		t.Errorf("%s, %v", got, err)
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1, 20, 1000} {
		o := autoPool(1, n)
		for i := range n {
			s := sub(fmt.Sprint(i), Number(i*7919%300), Number(i%500), 0, 0)
			s.Discovered = true
			o.SubPools = append(o.SubPools, s)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Decide(o)
			}
		})
	}
}
