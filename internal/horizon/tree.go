package horizon

import "slices"

// Tree is what of an application's Horizons lives on this machine.
type Tree struct {
	Masters []MasterTree `json:"masters"`
	Orphans []Process    `json:"orphans"` // supervisors and workers whose master is gone
}

// MasterTree is a master and what it has started.
type MasterTree struct {
	Process
	Supervisors []Process `json:"supervisors"`
	Workers     []Process `json:"workers"` // of all its supervisors
	Above       []int     `json:"-"`       // numbers of the processes that it descends from, the nearest first
}

// All lists a master and all that it has started.
func (m *MasterTree) All() []Process {
	all := []Process{m.Process}
	return append(append(all, m.Supervisors...), m.Workers...)
}

// All lists every process of the tree.
func (t *Tree) All() []Process {
	var all []Process
	for i := range t.Masters {
		all = append(all, t.Masters[i].All()...)
	}
	return append(all, t.Orphans...)
}

// Heads lists those of the orphans whom nobody would tell anything: not the
// workers of a supervisor that is an orphan itself, which tells them.
func (t *Tree) Heads() []Process {
	supervisors := map[int]bool{}
	for i := range t.Orphans {
		if t.Orphans[i].Kind == Supervisor {
			supervisors[t.Orphans[i].PID] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(t.Orphans), func(p Process) bool { return p.Kind == Worker && supervisors[p.Parent] })
}

// Of sorts out what is an application's. What a process was started by decides
// where that is known, since a supervisor may have its workers work in another
// directory; and else where it works.
func (s *Snapshot) Of(place Place) Tree {
	all := s.innermost()
	byPID := make(map[int]*Process, len(all))
	masters := map[int]int{} // places in the tree by number
	var t Tree
	for i := range all {
		p := &all[i]
		byPID[p.PID] = p
		if p.Kind == Master && place.has(p) {
			masters[p.PID] = len(t.Masters)
			t.Masters = append(t.Masters, MasterTree{Process: *p, Supervisors: []Process{}, Workers: []Process{}, Above: s.ancestors(p.PID)})
		}
	}
	for i := range all {
		p := &all[i]
		if p.Kind == Master {
			continue
		}
		if master := s.above(p, byPID, Master); master != nil {
			if at, ours := masters[master.PID]; ours {
				t.Masters[at].add(p)
			}
			continue
		}
		supervisor := s.above(p, byPID, Supervisor)
		if supervisor == nil {
			supervisor = p
		}
		if place.has(supervisor) {
			t.Orphans = append(t.Orphans, *p)
		}
	}
	return t
}

func (m *MasterTree) add(p *Process) {
	if p.Kind == Supervisor {
		m.Supervisors = append(m.Supervisors, *p)
	} else {
		m.Workers = append(m.Workers, *p)
	}
}

// innermost leaves out what only wraps another process and has its command
// line among its own arguments, as sudo and timeout do.
func (s *Snapshot) innermost() []Process {
	kind := map[int]Kind{}
	for i := range s.Processes {
		kind[s.Processes[i].PID] = s.Processes[i].Kind
	}
	wraps := map[int]bool{}
	for i := range s.Processes {
		if p := &s.Processes[i]; kind[p.Parent] == p.Kind {
			wraps[p.Parent] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(s.Processes), func(p Process) bool { return wraps[p.PID] })
}

// above returns the nearest process of a kind that a process descends from, nil
// where there is none.
func (s *Snapshot) above(p *Process, byPID map[int]*Process, kind Kind) *Process {
	for _, pid := range s.ancestors(p.PID) {
		if found := byPID[pid]; found != nil && found.Kind == kind {
			return found
		}
	}
	return nil
}

// ancestors lists what a process descends from, the nearest first.
func (s *Snapshot) ancestors(pid int) []int {
	const most = 64 // the table is not of one moment, so there might be a circle
	var all []int
	for range most {
		parent := s.parents[pid]
		if parent <= 0 {
			break
		}
		all = append(all, parent)
		pid = parent
	}
	return all
}
