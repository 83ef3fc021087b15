package supervisor

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// randomNumber is mostly sensible, now and then unknown or absurd.
func randomNumber(r *rand.Rand, n int) Number {
	switch r.IntN(12) {
	case 0:
		return Unknown()
	case 1:
		return []Number{Number(math.Inf(1)), Number(math.Inf(-1)), -5, math.MaxFloat64, 1e18, 0.3}[r.IntN(6)]
	case 2, 3, 4:
		return 0
	}
	return Number(r.IntN(n))
}

func randomObservation(r *rand.Rand) Observation {
	o := Observation{
		Now: epoch.Add(time.Duration(r.IntN(20_000)) * time.Millisecond), Rules: RulesMended,
		Balance:  []Balance{BalanceAuto, BalanceAuto, BalanceSimple, BalanceOff}[r.IntN(4)],
		Strategy: []Strategy{StrategyTime, StrategySize}[r.IntN(2)],
		Bounds: Bounds{
			Min: r.IntN(4), Max: r.IntN(20), MaxSurge: r.IntN(3), Shift: r.IntN(5),
			Cooldown: time.Duration(r.IntN(4)) * time.Second,
		},
		SubPools: make([]SubPool, r.IntN(7)),
		Paused:   r.IntN(20) == 0,
	}
	for i := range o.SubPools {
		s := &o.SubPools[i]
		*s = SubPool{Name: string(rune('a' + i)), Answered: r.IntN(12) > 0, Discovered: r.IntN(3) == 0}
		s.Wanted, s.Stopping = r.IntN(8), r.IntN(3)
		s.Running, s.Starting = r.IntN(8), r.IntN(2)
		s.Busy = r.IntN(s.Running+2) - 1
		for range 1 + r.IntN(2) {
			s.Queues = append(s.Queues, QueueLoad{
				Ready: randomNumber(r, 30), DelayedOverdue: randomNumber(r, 5), ReservedExpired: randomNumber(r, 5),
				RuntimeMS: randomNumber(r, 5000), OldestAge: randomNumber(r, 100),
			})
		}
		back := func() time.Time { return o.Now.Add(-time.Duration(r.IntN(8000)-500) * time.Millisecond) }
		if r.IntN(2) == 0 {
			s.Pace = Pace{Spell{back(), r.IntN(5)}, Spell{back(), r.IntN(5)}, Peak{back(), r.IntN(9), r.IntN(9)}}
		}
	}
	if r.IntN(8) == 0 {
		o.Override = &Override{r.IntN(25) - 2, o.Now.Add(time.Duration(r.IntN(3)-1) * time.Second)}
	}
	return o
}

// checkMended holds a decision by mended rules against what they promise.
func checkMended(t *testing.T, o Observation, d Decision) {
	t.Helper()
	if len(d.SubPools) != len(o.SubPools) {
		t.Fatalf("%d decisions for %d sub-pools", len(d.SubPools), len(o.SubPools))
	}
	wanted, minima, sum, raised := 0, 0, 0, 0
	for i := range o.SubPools {
		wanted += o.SubPools[i].Wanted
		minima += o.min(i)
		sum += d.SubPools[i].Desired
		raised += max(0, o.min(i)-o.SubPools[i].Wanted)
	}
	if sum != d.Desired || sum > o.Bounds.Max {
		t.Fatalf("sum %d, said %d, max %d", sum, d.Desired, o.Bounds.Max)
	}
	free := wanted+raised > o.Bounds.Max || o.overridden() && !o.Paused // bounds or an order move without pace
	for i, s := range d.SubPools {
		least := o.min(i)
		if s.Desired < 0 || minima <= o.Bounds.Max && s.Desired < least {
			t.Fatalf("%s: %d, minimum %d", s.Name, s.Desired, least)
		}
		if step := s.Desired - s.Wanted; !free && max(step, -step) > o.Bounds.shift() && s.Desired != least {
			t.Fatalf("%s: from %d to %d, shift %d", s.Name, s.Wanted, s.Desired, o.Bounds.Shift)
		}
		busy := min(o.SubPools[i].Busy, s.Wanted)
		if s.Desired < busy && !free && s.Reason != ReasonShare && o.Balance != BalanceSimple {
			t.Fatalf("%s: %d, but %d are busy; %s", s.Name, s.Desired, busy, s.Reason)
		}
		checkWords(t, s)
	}
	if _, err := json.Marshal(struct {
		Observation Observation
		Decision    Decision
	}{o, d}); err != nil {
		t.Fatal(err)
	}
}

// checkWords: reasons, directions and limits are of their closed sets, and agree.
func checkWords(t *testing.T, s SubDecision) {
	t.Helper()
	want := Stay
	switch {
	case s.Desired > s.Wanted:
		want = Up
	case s.Desired < s.Wanted:
		want = Down
	}
	if s.Direction != want || (want != Stay) != slices.Contains(EventReasons(), s.Reason) {
		t.Fatalf("%d to %d is %q because %q", s.Wanted, s.Desired, s.Direction, s.Reason)
	}
	if _, ok := sentences[s.Reason]; !ok || s.Sentence() == "" {
		t.Fatalf("no words for %q", s.Reason)
	}
	for i, l := range s.LimitedBy {
		if !slices.Contains(Limits(), l) || slices.Contains(s.LimitedBy[:i], l) {
			t.Fatalf("limits %q", s.LimitedBy)
		}
	}
}

func TestMendedProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		o := randomObservation(r)
		before, _ := json.Marshal(o)
		d := Decide(o)
		checkMended(t, o, d)
		if after, _ := json.Marshal(o); string(after) != string(before) {
			t.Fatal("a decision changed its observation")
		}
		if !o.Paused && !o.overridden() {
			start := Start(o)
			if start.Desired > o.Bounds.Max {
				t.Fatalf("starts %d, max %d", start.Desired, o.Bounds.Max)
			}
		}
	}
}

// An unchanging load comes to rest, and rests.
func TestMendedSettles(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		o := randomObservation(r)
		o.Override = nil
		for range 60 {
			step(&o, Decide(o), false)
			o.Now = o.Now.Add(time.Second)
		}
		rest := counts(Decide(o))
		for range 10 {
			d := Decide(o)
			if got := counts(d); !slices.Equal(got, rest) {
				t.Fatalf("moves from %v to %v under an unchanging load: %+v", rest, got, o)
			}
			step(&o, d, false)
		}
	}
}

// The order of calls does not matter, nor does asking twice.
func TestDecideIsPure(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 300 {
		o := randomObservation(r)
		o.Rules = []Rules{RulesMended, RulesHorizon, RulesHorizon529}[r.IntN(3)]
		for i := range o.SubPools {
			for j := range o.SubPools[i].Queues { // NaN is not equal to itself
				o.SubPools[i].Queues[j] = QueueLoad{Ready: 3, RuntimeMS: 10}
			}
		}
		a, b := Decide(o), Decide(o)
		for i := range a.SubPools {
			a.SubPools[i].Figures.Share, b.SubPools[i].Figures.Share = 0, 0
		}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("two answers:\n%+v\n%+v", a, b)
		}
	}
}

// Horizon's rules may do harm, but never nonsense.
func TestHorizonProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 2000 {
		o := randomObservation(r)
		o.Rules = []Rules{RulesHorizon, RulesHorizon529}[r.IntN(2)]
		d := Decide(o)
		for i, s := range d.SubPools {
			if s.Desired < 0 || s.Desired > max(o.Bounds.Max, o.Bounds.Min, s.Wanted+o.SubPools[i].Stopping)+o.Bounds.Min {
				t.Fatalf("%s: %d of max %d", s.Name, s.Desired, o.Bounds.Max)
			}
			checkWords(t, s)
		}
	}
}

func FuzzDecide(f *testing.F) {
	for i := range uint64(20) {
		f.Add(i, i*i)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		o := randomObservation(rand.New(rand.NewPCG(a, b)))
		checkMended(t, o, Decide(o))
	})
}
