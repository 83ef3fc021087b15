package horizon

import "fmt"

// Compare says, in sentences, where the records and the process table of a host
// disagree. Only records of that host are looked at.
func Compare(r *Records, t *Tree, hostname string) []string {
	var told []string
	say := func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	recorded := map[int]bool{}
	for i := range r.Masters {
		m := &r.Masters[i]
		if !OfHost(m.Name, hostname) {
			continue
		}
		recorded[m.PID] = true
		switch {
		case t.master(m.PID) != nil:
		case m.PID == 0 && !m.Fresh: // Horizon itself does not believe it, and the next master removes it
		case m.PID == 0:
			say("master %s is listed in Redis, but its record has expired and no process belongs to it", m.Name)
		default:
			say("master %s is in Redis with process %d, which is no Horizon of this application here", m.Name, m.PID)
		}
	}
	for i := range t.Masters {
		m := &t.Masters[i]
		if !recorded[m.PID] {
			say("master %d lives, but has no record in Redis: it is starting, terminating, or keeps its records elsewhere", m.PID)
		}
		for _, s := range supervisorsOf(r, m) {
			living := m.workersOf(s.Name)
			if living != s.Workers() {
				say("supervisor %s says it has %d workers; %d live", s.Name, s.Workers(), living)
			}
		}
	}
	if n := len(t.Masters); n > 1 {
		say("%d masters of this application live at the same time", n)
	}
	if n := len(t.Orphans); n > 0 {
		say("%d processes have outlived their master", n)
	}
	return told
}

func (t *Tree) master(pid int) *MasterTree {
	for i := range t.Masters {
		if t.Masters[i].PID == pid {
			return &t.Masters[i]
		}
	}
	return nil
}

// supervisorsOf returns the records of a living master's living supervisors.
func supervisorsOf(r *Records, m *MasterTree) []*Record {
	var found []*Record
	for i := range r.Supervisors {
		for _, p := range m.Supervisors {
			if p.Name == r.Supervisors[i].Name {
				found = append(found, &r.Supervisors[i])
			}
		}
	}
	return found
}

// workersOf counts a supervisor's workers.
func (m *MasterTree) workersOf(supervisor string) int {
	n := 0
	for i := range m.Workers {
		if m.Workers[i].Name == supervisor {
			n++
		}
	}
	return n
}
