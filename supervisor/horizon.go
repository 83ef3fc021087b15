package supervisor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	horizons "github.com/queuefleet/queuefleet/internal/horizon"
)

const (
	horizonPreset = "horizon"
	// horizonInterval is between two searches for what earlier Horizons have left.
	horizonInterval = 30 * time.Second
	// horizonAgain is when a master is looked for again that is in the way.
	horizonAgain = time.Second
	// horizonFresh is how long a look is good for that has found no master: a place
	// may wait for its back-off, or for its turn, while somebody starts one.
	horizonFresh = 3 * time.Second
)

// horizonView is what a pool knows of its application's Horizons beside its own.
type horizonView struct {
	awaits  bool      // the next look, or its answer
	clearAt time.Time // when nobody else's master lived: one may be started a moment later
	status  *HorizonStatus
}

// HorizonStatus is what is known of an application's Horizons that the pool's
// worker is not.
type HorizonStatus struct {
	Files   string             `json:"files,omitempty"`  // the directory in which its files are kept up to date
	SeenAt  time.Time          `json:"seen_at,omitzero"` // when the process table was last looked at
	Masters []horizons.Process `json:"other_masters"`    // which something else runs
	Orphans []horizons.Process `json:"orphans"`          // supervisors and workers whose master is gone
}

func (d *definition) isHorizon() bool { return d.queue.Worker.Preset == horizonPreset }

// watchHorizons looks at times for what earlier Horizons have left behind.
func (l *loop) watchHorizons() {
	var pools []*pool
	for _, p := range l.order {
		if p.def.isHorizon() && !p.gone {
			pools = append(pools, p)
		}
	}
	l.lookForHorizons(pools)
}

// mayBegin reports whether a process of the pool may be started as far as other
// masters are concerned. It is asked before each start, and looks anew for each.
func (l *loop) mayBegin(p *pool) bool {
	if !p.def.isHorizon() || l.s.horizons == nil || l.now().Sub(p.horizon.clearAt) < horizonFresh {
		return true
	}
	if p.lives() {
		return true // nothing is started before that one has gone
	}
	if p.desired() > 0 {
		l.lookForHorizons([]*pool{p})
	}
	return false
}

// lives reports whether the pool has a process.
func (p *pool) lives() bool {
	lives := false
	p.all(func(w *worker) { lives = lives || w.child != nil })
	return lives
}

// nameless reports whether the pool has a process whose number is not known yet.
func (p *pool) nameless() bool {
	nameless := false
	p.all(func(w *worker) { nameless = nameless || w.child != nil && w.pid == 0 })
	return nameless
}

// pids are the numbers of all workers.
func (l *loop) pids() map[int]bool {
	own := make(map[int]bool, len(l.workers))
	for _, w := range l.workers {
		own[w.pid] = w.pid != 0
	}
	return own
}

// sawHorizons takes in what lived of an application's Horizons.
func (l *loop) sawHorizons(p *pool, t horizons.Tree, look horizonLook, err error) {
	if err != nil {
		l.anotherMaster(p, "the process table cannot be read, so a second Horizon might be started: "+err.Error())
		return
	}
	if p.nameless() {
		return // its own master cannot be told from others
	}
	own := l.pids()
	maps.Copy(own, look.own)
	last := p.horizon.status
	status := &HorizonStatus{Files: p.def.queue.Worker.Generate, SeenAt: l.now(), Masters: []horizons.Process{}, Orphans: t.Orphans}
	if status.Orphans == nil {
		status.Orphans = []horizons.Process{}
	}
	for i := range t.Masters {
		m := &t.Masters[i]
		mine := own[m.PID] || slices.ContainsFunc(m.Above, func(pid int) bool { return own[pid] })
		if !mine {
			status.Masters = append(status.Masters, m.Process)
		}
	}
	p.horizon.status = status
	l.mark(p)
	l.tellOrphans(p, last)
	if len(status.Masters) > 0 {
		l.anotherMaster(p, fmt.Sprintf("another Horizon of %s runs, as process %s; it has to end first: qftool horizon terminate %s",
			p.def.queue.Worker.Directory, numbers(status.Masters), p.def.app.Slug))
		return
	}
	if p.startError != nil && p.startError.Reason == ReasonAnotherMaster {
		p.startError = nil
	}
	if !p.lives() { // else what is seen now says nothing of its next start
		if l.now().Sub(look.at) < horizonInterval { // an older one was kept waiting by the directory
			p.horizon.clearAt = l.now()
		}
		l.touch(p)
	}
}

// anotherMaster keeps a pool from starting a second master.
func (l *loop) anotherMaster(p *pool, text string) {
	p.horizon.clearAt = time.Time{}
	why := &CannotStart{Reason: ReasonAnotherMaster, Text: text}
	if p.startError == nil || *p.startError != *why {
		l.log.Error("A second Horizon master is not started", "pool", p.def.name, "reason", why.Reason, "err", text)
		l.event(Event{Pool: p.def.name, Slot: -1, Kind: EventCannotStart, Text: text, Fields: map[string]any{"reason": why.Reason}})
	}
	p.startError = why
	l.mark(p)
	if !p.lives() {
		l.wake(p, l.now().Add(horizonAgain))
	}
}

// tellOrphans says once that there are processes that nobody looks after.
func (l *loop) tellOrphans(p *pool, before *HorizonStatus) {
	now := numbers(p.horizon.status.Orphans)
	if before == nil && now == "" || before != nil && numbers(before.Orphans) == now {
		return
	}
	if now == "" {
		l.log.Info("Nothing is left any more of an earlier Horizon", "pool", p.def.name)
		return
	}
	l.log.Warn("Processes have outlived their Horizon, and are left alone until somebody asks for their end", "pool", p.def.name, "pids", now)
	l.event(Event{
		Pool: p.def.name, Slot: -1, Kind: EventOrphans, Text: "processes have outlived their Horizon",
		Fields: map[string]any{"pids": now},
	})
}

// tellStrays tells those workers of the pool's own Horizon to leave whose
// supervisor has been killed: the master does not know them, and would leave
// them to be killed with a job when the time is over.
func (l *loop) tellStrays(w *worker) {
	if !w.pool.def.isHorizon() || l.s.managed == nil || w.pid == 0 {
		return
	}
	name, dir, session, log := w.pool.def.name, w.pool.def.queue.Worker.Directory, w.pid, l.log
	go func() {
		tree, err := findHorizon(dir)
		if err != nil {
			log.Warn("The process table cannot be read", "pool", name, "err", err)
			return
		}
		for _, p := range tree.Heads() {
			if p.Session != session {
				continue // an earlier Horizon's
			}
			err := horizons.Signal(p.ID, syscall.SIGTERM)
			if err != nil && !errors.Is(err, horizons.ErrGone) {
				log.Warn("A worker of Horizon that its supervisor has lost cannot be told to leave", "pool", name, "pid", p.PID, "err", err)
				continue
			}
			log.Info("A worker of Horizon that its supervisor has lost is told to leave", "pool", name, "pid", p.PID)
		}
	}()
}

// numbers lists processes for people.
func numbers(list []horizons.Process) string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = fmt.Sprint(list[i].PID)
	}
	return strings.Join(texts, ", ")
}

// sentences explains what stands beside the pool's own Horizon.
func (s *HorizonStatus) sentences(application string) []string {
	var all []string
	if len(s.Orphans) > 0 {
		all = append(all, fmt.Sprintf("Processes %s have outlived an earlier Horizon and go on as they were started; qftool horizon orphans %s --terminate ends them.",
			numbers(s.Orphans), application))
	}
	return all
}
