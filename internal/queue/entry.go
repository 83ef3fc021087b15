package queue

// entry is one target with its memory.
type entry struct {
	target  Target
	group   *group
	layout  layout   // of source
	full    bool     // source has everything that the options ask for
	source  source   // by the layout in use; nil before the first scrape
	probes  []source // while the group is probing, by the other layouts; nil for those that are left alone
	ages    bool     // probes have everything, too
	unknown error    // the target cannot be read at all
}

// prepare makes the sources that this scrape needs.
func (e *entry) prepare(c *clock, ages bool) {
	a, g := adapters[e.target.framework()], e.group
	if !e.full || e.layout != g.layout() {
		e.layout, e.full = g.layout(), true
		e.source = a.open(&e.target, e.layout, c, ages)
		e.probes = nil
	}
	if !g.probing {
		e.probes = nil
		return
	}
	if e.probes == nil || e.ages != g.first {
		e.ages = g.first
		e.probes = make([]source, len(g.layouts))
	}
	for i, l := range g.layouts {
		switch {
		case i == g.chosen || !g.reads(i):
			e.probes[i] = nil
		case e.probes[i] == nil:
			e.probes[i] = a.open(&e.target, l, c, ages && e.ages)
		}
	}
}

func (e *entry) enqueue(b *batch) {
	e.source.enqueue(b)
	for _, p := range e.probes {
		if p != nil {
			p.enqueue(b)
		}
	}
}

// enqueueHeads asks for the payloads of a queue. While it is not known which
// layout holds it, all of them are asked at the price of one.
func (e *entry) enqueueHeads(b *batch) {
	if e.unknown != nil {
		return
	}
	tickets := b.left
	e.source.enqueueHead(b)
	b.waive = tickets > b.left
	for _, p := range e.probes {
		if p != nil {
			p.enqueueHead(b)
		}
	}
	b.waive = false
}

// adopt takes the chosen one of the probes as the source from now on.
func (e *entry) adopt(b *batch) {
	for i, p := range e.probes {
		switch {
		case p == nil:
		case i == e.group.chosen:
			e.source.discard(b)
			e.source, e.layout, e.full = p, e.group.layout(), e.ages
			e.probes[i] = nil
		default:
			p.discard(b)
		}
	}
}
