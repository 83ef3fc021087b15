package horizon

import "time"

// Stage is how far a Sequence has come.
type Stage string

// The stages, in their order. Refused, Overdue and Done are its ends.
const (
	Preparing Stage = "preparing" // what the next Horizon reads is made and checked
	Telling   Stage = "telling"   // the masters are told to terminate
	Leaving   Stage = "leaving"   // until none of their processes is left
	Starting  Stage = "starting"  // until there is a master again
	Done      Stage = "done"
	Refused   Stage = "refused" // the next Horizon could not work: nobody was told anything
	Overdue   Stage = "overdue" // the time is over; nothing further is done
)

// Act is what is to be done next.
type Act string

// The acts. Each but Wait is asked for once.
const (
	Prepare Act = "prepare" // and pass the outcome to Prepared
	Tell    Act = "tell"    // the masters in Step.Masters, once, and pass the outcome to Told
	Start   Act = "start"
	Wait    Act = "wait" // and look again
	End     Act = "end"  // the stage says how it came out
)

// Wish is what a Sequence is to reach.
type Wish struct {
	Prepare  bool      // make files first, and do nothing else where they have not changed
	Always   bool      // replace a Horizon also where no file has changed
	Start    bool      // have a new one started; else another program does, or nobody
	Await    bool      // wait for the new one
	Deadline time.Time // zero = none
}

// Sequence is the order in which a Horizon is ended or replaced, as a pure state
// machine: it looks at nothing and does nothing itself. Whatever the process
// table shows, it never has a master told twice, and has none started while a
// process of the old one, or another master, lives.
type Sequence struct {
	wish  Wish
	stage Stage
	asked bool            // the act of this stage has been asked for
	old   map[ID]bool     // every process of what is to leave
	told  map[ID]bool     // masters
	names map[string]bool // of the supervisors of what is to leave; no other Horizon ever has them
	left  map[ID]bool     // orphans from before, which nobody has told anything
	twice bool            // another master lived while old processes did
}

// NewSequence returns a Sequence at its beginning.
func NewSequence(w Wish) *Sequence {
	s := &Sequence{wish: w, stage: Telling, old: map[ID]bool{}, told: map[ID]bool{}, names: map[string]bool{}, left: map[ID]bool{}}
	if w.Prepare {
		s.stage = Preparing
	}
	return s
}

// Step is what is to be done next, and why.
type Step struct {
	Act     Act
	Stage   Stage
	Masters []Process // of Tell
	Living  []Process // of the old Horizon: who is waited for
	Overlap bool      // somebody has started another master too early
}

// Prepared takes in how the preparation came out.
func (s *Sequence) Prepared(changed bool, err error) {
	switch {
	case s.stage != Preparing:
	case err != nil:
		s.stage = Refused
	case !changed && !s.wish.Always:
		s.stage = Done
	default:
		s.next(Telling)
	}
}

// Told takes in that the masters were told, or that they could not be.
func (s *Sequence) Told(err error) {
	if s.stage != Telling {
		return
	}
	if err != nil {
		s.stage = Refused
		return
	}
	s.next(Leaving)
}

func (s *Sequence) next(stage Stage) { s.stage, s.asked = stage, false }

// Next says what is to be done, given what lives now.
func (s *Sequence) Next(now time.Time, t *Tree) Step {
	switch s.stage {
	case Preparing:
		return s.once(Prepare)
	case Telling:
		return s.tell(t)
	case Leaving:
		return s.leave(now, t)
	case Starting:
		return s.start(now, t)
	default:
		return s.step(End)
	}
}

func (s *Sequence) step(a Act) Step { return Step{Act: a, Stage: s.stage, Overlap: s.twice} }

// once asks for an act, and then waits for its outcome.
func (s *Sequence) once(a Act) Step {
	if s.asked {
		a = Wait
	}
	s.asked = true
	return s.step(a)
}

func (s *Sequence) tell(t *Tree) Step {
	if s.asked {
		return s.step(Wait)
	}
	if len(t.Masters) == 0 {
		s.next(Starting)
		if !s.wish.Start && !s.wish.Await {
			s.stage = Done
			return s.step(End)
		}
		return s.step(Wait) // somebody may start one this very moment
	}
	step := s.once(Tell)
	for i := range t.Masters {
		m := &t.Masters[i]
		step.Masters = append(step.Masters, m.Process)
		s.told[m.ID] = true
		s.remember(m)
	}
	for _, p := range t.Orphans {
		s.left[p.ID] = true
	}
	return step
}

func (s *Sequence) remember(m *MasterTree) {
	for _, p := range m.All() {
		s.old[p.ID] = true
		if p.Kind != Master {
			s.names[p.Name] = true
		}
	}
}

// leave waits for the end of all that the masters had started, also after they
// were told: a worker of the old Horizon may be replaced by another one.
func (s *Sequence) leave(now time.Time, t *Tree) Step {
	for i := range t.Masters {
		if m := &t.Masters[i]; s.told[m.ID] {
			s.remember(m)
		}
	}
	for _, p := range t.Orphans {
		if s.names[p.Name] && !s.left[p.ID] {
			s.old[p.ID] = true
		}
	}
	var living []Process
	for _, p := range t.All() {
		if s.old[p.ID] {
			living = append(living, p)
		}
	}
	if len(living) == 0 {
		s.next(Starting)
		if !s.wish.Start && !s.wish.Await {
			s.stage = Done
			return s.step(End)
		}
		return s.start(now, t)
	}
	s.twice = s.twice || len(s.others(t)) > 0
	if s.over(now) {
		s.stage = Overdue
		step := s.step(End)
		step.Living = living
		return step
	}
	step := s.step(Wait)
	step.Living = living
	return step
}

// others lists the masters that were not told.
func (s *Sequence) others(t *Tree) []Process {
	var others []Process
	for i := range t.Masters {
		if !s.told[t.Masters[i].ID] {
			others = append(others, t.Masters[i].Process)
		}
	}
	return others
}

func (s *Sequence) start(now time.Time, t *Tree) Step {
	switch {
	case len(s.others(t)) > 0:
		s.stage = Done
		return s.step(End)
	case s.over(now):
		s.stage = Overdue
		return s.step(End)
	case s.wish.Start && !s.asked:
		if len(t.Masters) > 0 {
			return s.step(Wait)
		}
		return s.once(Start)
	case s.wish.Start && !s.wish.Await:
		s.stage = Done
		return s.step(End)
	}
	return s.step(Wait)
}

func (s *Sequence) over(now time.Time) bool {
	return !s.wish.Deadline.IsZero() && !now.Before(s.wish.Deadline)
}
