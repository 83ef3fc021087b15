package supervisor

import (
	"testing"
	"time"
)

// simulation is one queue and its workers in simulated time: the loop looks
// every second, a worker boots for 300 ms, a job takes 100 ms.
type simulation struct {
	o      Observation
	now    time.Duration
	queued int
	ready  []time.Duration // when each worker has booted and done its job
}

const (
	simulatedTick = 50 * time.Millisecond
	simulatedLoop = time.Second
	simulatedBoot = 300 * time.Millisecond
	simulatedJob  = 100 * time.Millisecond
)

func newSimulation(rules Rules, b Bounds) *simulation {
	s := &simulation{o: autoPool(b.Min, b.Max, sub("a", 0, 100, 0, 0))}
	s.o.Rules, s.o.Bounds = rules, b
	s.o.SubPools[0].Wanted = b.Min
	s.carryOut(b.Min)
	return s
}

// carryOut starts workers, or sends idle ones away.
func (s *simulation) carryOut(wanted int) {
	for len(s.ready) < wanted {
		s.ready = append(s.ready, s.now+simulatedBoot)
	}
	for i := len(s.ready) - 1; i >= 0 && len(s.ready) > wanted; i-- {
		if s.ready[i] <= s.now {
			s.ready = append(s.ready[:i], s.ready[i+1:]...)
		}
	}
}

// advance passes one tick of time.
func (s *simulation) advance() {
	s.now += simulatedTick
	for i, free := range s.ready {
		if free <= s.now && s.queued > 0 {
			s.queued--
			s.ready[i] = max(free, s.now-simulatedTick) + simulatedJob
		}
	}
	if s.now%simulatedLoop != 0 {
		return
	}
	a := &s.o.SubPools[0]
	s.o.Now, a.Queues[0].Ready = epoch.Add(s.now), Number(s.queued)
	a.Running, a.Busy = len(s.ready), s.busy()
	d := Decide(s.o)
	s.o.LastScale, a.Wanted, a.Pace = d.LastScale, d.SubPools[0].Desired, d.SubPools[0].Pace
	s.carryOut(a.Wanted)
}

func (s *simulation) busy() int {
	n := 0
	for _, free := range s.ready {
		if free > s.now {
			n++
		}
	}
	return n
}

// atMax is how long it takes from a burst of jobs until max workers have booted.
func (s *simulation) atMax(t *testing.T, jobs int) time.Duration {
	t.Helper()
	began := s.now
	for s.queued = jobs; s.now < began+time.Minute; {
		s.advance()
		if len(s.ready) == s.o.Bounds.Max {
			return s.now + simulatedBoot - began
		}
	}
	t.Fatalf("only %d workers after a minute", len(s.ready))
	return 0
}

func TestBurst(t *testing.T) {
	eager := Bounds{Min: 1, Max: 10, Shift: 10, Cooldown: 3 * time.Second}
	for phase := time.Duration(0); phase < simulatedLoop; phase += simulatedTick {
		s := newSimulation(RulesMended, eager)
		for s.now < 10*time.Second+phase {
			s.advance()
		}
		if took := s.atMax(t, 5000); took > 2*time.Second {
			t.Errorf("mended: at max %v after a burst %v into a second", took, phase)
		}
	}
}

// A small growth just before the burst uses up a part of the shift, and no more
// time than that.
func TestBurstAfterAGrowth(t *testing.T) {
	s := newSimulation(RulesMended, Bounds{Min: 1, Max: 10, Shift: 10, Cooldown: 3 * time.Second})
	for s.now < 10*time.Second {
		s.advance()
	}
	s.o.SubPools[0].Queues[0].Ready, s.queued = 0, 13
	for len(s.ready) == 1 {
		s.advance()
	}
	if len(s.ready) >= 10 {
		t.Fatalf("the small growth went to %d", len(s.ready))
	}
	if took := s.atMax(t, 5000); took > 2*time.Second {
		t.Errorf("at max %v after the burst", took)
	}
}

// Horizon's defaults: a real one, run with Laravel, had its tenth worker after
// 26.8 s. With the same shift mended rules can only save the first wait.
func TestBurstWithDefaults(t *testing.T) {
	for _, rules := range []Rules{RulesHorizon529, RulesMended} {
		s := newSimulation(rules, Bounds{Min: 1, Max: 10, Shift: 1, Cooldown: 3 * time.Second})
		for s.now < time.Second {
			s.advance()
		}
		if took := s.atMax(t, 5000); took < 24*time.Second || took > 28*time.Second {
			t.Errorf("%s: at max after %v, Horizon itself after 26.8 s", rules, took)
		}
	}
}
