package supervisor

import "slices"

// eventsKept is how many events a State shows.
const eventsKept = 1000

// ring keeps the last events.
type ring struct {
	events []Event
	next   int
	lastID uint64
	shown  []Event // a copy, nil = out of date
}

func (r *ring) add(e Event) {
	r.lastID++
	e.ID = r.lastID
	r.shown = nil
	if len(r.events) < eventsKept {
		r.events = append(r.events, e)
		return
	}
	r.events[r.next] = e
	r.next = (r.next + 1) % eventsKept
}

// list returns the events, oldest first. It is not changed afterwards.
func (r *ring) list() []Event {
	if r.shown == nil {
		r.shown = slices.Concat(r.events[r.next:], r.events[:r.next])
	}
	return r.shown
}

// event notes what has happened.
func (l *loop) event(e Event) {
	e.At = l.now()
	l.events.add(e)
	l.stale = true
}

// tell notes what has happened to a pool or one of its workers.
func (l *loop) tell(p *pool, w *worker, kind EventKind, text string) {
	e := Event{Pool: p.def.name, Slot: -1, Kind: kind, Text: text}
	if w != nil {
		e.Slot = w.slot
		if w.child != nil && w.pid != 0 {
			e.Fields = map[string]any{"pid": w.pid, "generation": w.generation}
		}
	}
	l.event(e)
}
