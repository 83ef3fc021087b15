package queue

import (
	"strconv"
	"strings"
	"time"
)

// layout is one form that the keys of a queue can have.
type layout struct {
	prefix  string
	wrapped bool // the queue's name stands in braces: a hash tag
}

// recheck is how often the other layouts are looked at while the one in use
// holds nothing at all.
const recheck = time.Minute

// leaveRefused is for how long a layout is left alone that may not be read. A
// user who is allowed one prefix only would fill the server's ACL log otherwise.
const leaveRefused = 10 * time.Minute

// groupKey names the queues that must have the same layout.
type groupKey struct{ application, connection, framework, layouts string }

func newGroupKey(t *Target, layouts []layout) groupKey {
	var b strings.Builder
	for _, l := range layouts {
		b.WriteString(strconv.Quote(l.prefix))
		b.WriteString(strconv.FormatBool(l.wrapped))
	}
	return groupKey{t.Application, t.Connection, t.framework(), b.String()}
}

// group finds out which layout the queues of one application on one connection
// have. As long as no queue has a job anywhere, all layouts are read; the one
// in which jobs are found stays in use, until it has become empty and jobs are
// found in another one.
type group struct {
	layouts   []layout
	chosen    int  // the layout in use
	found     bool // jobs were seen in it, or there is no other
	ambiguous bool // jobs were seen in more than one

	probing   bool // this scrape reads all layouts
	first     bool // all of them with ages, because none was ever read
	now       time.Time
	lastProbe time.Time
	leave     []time.Time // by layout: not read before
	seen      []evidence  // what this scrape found, by layout
	broken    bool        // this scrape ended before all had been read
}

// evidence is what the queues of a group have in one layout.
type evidence struct {
	jobs     float64
	readable int // queues that could be read
	refused  int // queues to which the server answered with an error
}

func newGroup(layouts []layout) *group {
	n := len(layouts)
	return &group{layouts: layouts, found: n == 1, first: true, leave: make([]time.Time, n), seen: make([]evidence, n)}
}

// inherit takes over what was found under another list of layouts.
func (g *group) inherit(l layout) {
	for i := range g.layouts {
		if g.layouts[i] == l {
			g.chosen, g.found, g.first = i, true, false
		}
	}
}

func (g *group) layout() layout { return g.layouts[g.chosen] }

// begin decides whether this scrape reads all layouts.
func (g *group) begin(now time.Time) {
	g.probing = len(g.layouts) > 1 && (!g.found || g.seen[g.chosen].empty() && now.Sub(g.lastProbe) >= recheck)
	g.now = now
	if g.probing {
		g.lastProbe = now
	}
	clear(g.seen)
	g.broken = false
}

// reads reports whether layout i is read at this scrape.
func (g *group) reads(i int) bool {
	return i == g.chosen || g.probing && !g.now.Before(g.leave[i])
}

// note adds what one queue has in layout i.
func (g *group) note(i int, jobs float64, err error) {
	switch {
	case err == nil:
		g.seen[i].jobs += jobs
		g.seen[i].readable++
	case replied(err):
		g.seen[i].refused++
	default:
		g.broken = true
	}
}

// decide chooses the layout by what was seen. Where no layout has jobs, the
// one that may be read is in use; a user may be allowed only one of them.
func (g *group) decide() {
	if !g.probing || g.broken || g.found && !g.seen[g.chosen].empty() {
		return
	}
	g.first = false
	best, holders := g.chosen, 0
	for i, s := range g.seen {
		if s.refused > 0 && s.readable == 0 {
			g.leave[i] = g.now.Add(leaveRefused)
		}
		if s.jobs > 0 {
			holders++
		}
		if g.seen[best].less(s) {
			best = i
		}
	}
	if holders > 0 {
		g.found, g.ambiguous = true, holders > 1
		g.chosen = best
	} else if !g.found {
		g.chosen = best
	}
}

// empty reports whether every queue was read and none has a job.
func (e evidence) empty() bool { return e.jobs == 0 && e.refused == 0 }

// less reports whether s speaks more for its layout than e does for its own.
func (e evidence) less(s evidence) bool {
	if e.jobs != s.jobs {
		return e.jobs < s.jobs
	}
	return e.readable < s.readable
}
