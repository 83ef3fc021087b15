package horizon

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// world is a machine on which Horizons live that do as they like.
type world struct {
	random *rand.Rand
	next   int
	tree   Tree
	told   map[ID]int
}

func (w *world) process(kind Kind, name string) Process {
	w.next++
	return Process{ID: ID{w.next, uint64(w.next)}, Kind: kind, Name: name}
}

func (w *world) begin() {
	m := MasterTree{Process: w.process(Master, "")}
	name := "web-" + string(rune('a'+w.next%26)) + string(rune('a'+w.next/26%26)) + ":mails"
	m.Supervisors = append(m.Supervisors, w.process(Supervisor, name))
	for range w.random.IntN(4) {
		m.Workers = append(m.Workers, w.process(Worker, name))
	}
	w.tree.Masters = append(w.tree.Masters, m)
}

// pass lets something happen.
func (w *world) pass(respawn bool) {
	t := &w.tree
	for i := 0; i < len(t.Masters); i++ {
		m := &t.Masters[i]
		switch w.random.IntN(6) {
		case 0:
			if len(m.Workers) > 0 {
				m.Workers = m.Workers[1:]
			}
		case 1:
			m.Workers = append(m.Workers, w.process(Worker, m.Supervisors[0].Name)) // a dead one is replaced, also while it terminates
		case 2:
			if w.told[m.ID] > 0 { // it leaves, with workers that have jobs
				t.Orphans = append(t.Orphans, m.Workers...)
				t.Masters = append(t.Masters[:i:i], t.Masters[i+1:]...)
				if respawn {
					w.begin()
				}
			}
		}
	}
	if len(t.Orphans) > 0 && w.random.IntN(3) == 0 {
		t.Orphans = t.Orphans[1:]
	}
}

// Whatever happens, nobody is told twice, and none is begun while another lives.
func TestSequenceProperties(t *testing.T) {
	begun, ended := 0, map[Stage]int{}
	for seed := range uint64(3000) {
		w := &world{random: rand.New(rand.NewPCG(seed, 1)), told: map[ID]int{}}
		for range w.random.IntN(3) {
			w.begin()
		}
		if w.random.IntN(3) == 0 {
			w.tree.Orphans = append(w.tree.Orphans, w.process(Worker, "earlier:mails"))
		}
		at := time.Unix(0, 0)
		wish := Wish{Prepare: w.random.IntN(2) == 0, Always: w.random.IntN(2) == 0, Start: w.random.IntN(2) == 0, Await: w.random.IntN(2) == 0}
		if w.random.IntN(3) == 0 {
			wish.Deadline = at.Add(time.Duration(w.random.IntN(40)) * time.Second)
		}
		changed, failure := w.random.IntN(2) == 0, error(nil)
		if w.random.IntN(4) == 0 {
			failure = errors.New("no PHP")
		}
		respawn := !wish.Start && w.random.IntN(2) == 0
		s, prepared := NewSequence(wish), !wish.Prepare
		old := map[ID]bool{}
		var step Step
		for range 400 {
			step = s.Next(at, &w.tree)
			if step.Act == End {
				break
			}
			switch step.Act {
			case Prepare:
				prepared = failure == nil
				s.Prepared(changed, failure)
			case Tell:
				if !prepared {
					t.Fatalf("seed %d: told before the files are right", seed)
				}
				for _, m := range step.Masters {
					w.told[m.ID]++
				}
				for i := range w.tree.Masters {
					for _, p := range w.tree.Masters[i].All() {
						old[p.ID] = true
					}
				}
				s.Told(nil)
			case Start:
				begun++
				if len(w.tree.Masters) > 0 {
					t.Fatalf("seed %d: a second master", seed)
				}
				for _, p := range w.tree.Orphans {
					if old[p.ID] {
						t.Fatalf("seed %d: one is begun while %d of the old one lives", seed, p.PID)
					}
				}
				w.begin()
			}
			w.pass(respawn)
			at = at.Add(time.Second)
		}
		ended[s.stage]++
		for id, n := range w.told {
			if n > 1 {
				t.Fatalf("seed %d: %v was told %d times", seed, id, n)
			}
		}
		if s.stage == Refused && len(w.told) > 0 {
			t.Fatalf("seed %d: refused, and told", seed)
		}
		if wish.Prepare && failure != nil && s.stage != Refused {
			t.Fatalf("seed %d: went on to %s with files that are wrong", seed, s.stage)
		}
	}
	if begun < 200 || ended[Done] < 200 || ended[Refused] < 200 || ended[Overdue] < 50 {
		t.Errorf("too little happened: %d begun, ended %v", begun, ended)
	}
	t.Logf("%d begun, ended %v", begun, ended)
}
