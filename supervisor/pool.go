package supervisor

import (
	"slices"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// pool is the workers of one queue configuration. It belongs to the loop.
type pool struct {
	def  *definition
	subs []*subPool // those that are wanted, then those that still have workers
	gone bool       // no longer configured: it drains

	paused   bool
	override *Override

	// The command.
	preparation   int // number of the one under way, 0 = none
	again         bool
	version       any // of the application, as far as it is known
	versionText   string
	nominal       proc.Hash    // of the command as the configuration has it
	proven        bool         // the connection that the application resolved
	deaf          bool         // its workers handle no signals, as the application says
	seemsDeaf     bool         // its workers did not within deafAfter
	cannot        *CannotStart // says the preparation; workers with an older command go on
	startError    *CannotStart // says the last start
	generation    int          // changes with the command
	epoch         int          // changes with an order to restart
	fingerprint   map[string]string
	watching      bool
	restartWanted bool // once its command has been made
	horizon       horizonView

	// The balance.
	begun       bool
	raisedMax   int
	lastScale   time.Time
	decision    *Decision
	observation *Observation
	loads       map[string]*queueFigures // by queue, the last reading; nil = none
	runtimes    map[string]*average      // by queue, milliseconds

	slots     []bool // taken
	intensity intensity
	quietTill time.Time // no log line about failures before
	silenced  int       // failures without one

	dirty   bool
	waiting bool // for its turn to start workers
	wakeAt  time.Time

	cpuDone  time.Duration
	lost     uint64 // lines lost by workers that have ended
	counters Counters
	shown    bool // a State has them: they are copied before they change
	stale    bool // the status is older than the pool
	status   *PoolStatus
}

// subPool is the part of a pool that works one queue, or all under balance off.
type subPool struct {
	part
	retired bool // no longer configured, or its queue is forgotten
	wanted  int
	pace    Pace
	workers []*worker

	spec  *proc.Spec
	hash  proc.Hash
	ready bool // spec and hash are there
}

func newPool(d *definition) *pool {
	return &pool{
		def: d, counters: newCounters(), generation: 1,
		loads: map[string]*queueFigures{},
	}
}

// count returns the counters to be changed.
func (p *pool) count() *Counters {
	if p.shown {
		p.counters, p.shown = p.counters.clone(), false
	}
	return &p.counters
}

// show returns the counters for a status, which has them until they change.
func (p *pool) show() Counters {
	p.shown = true
	return p.counters
}

// figures returns the last reading of a queue; ok is false where there was none.
func (p *pool) figures(name string) (f queueFigures, ok bool) {
	if known := p.loads[name]; known != nil {
		return *known, true
	}
	return queueFigures{}, false
}

// learn takes in a reading of a queue.
func (p *pool) learn(name string, f queueFigures) {
	if known := p.loads[name]; known != nil {
		*known = f
		return
	}
	p.loads[name] = &f
}

// empty reports whether nothing is left of the pool but its definition.
func (p *pool) empty() bool {
	return !slices.ContainsFunc(p.subs, func(s *subPool) bool { return len(s.workers) > 0 })
}

// shape makes the sub-pools those of the definition and of the discovered
// queues. Others are kept until their workers have left.
func (p *pool) shape(discovered []string) {
	old := make(map[string]*subPool, len(p.subs))
	for _, s := range p.subs {
		old[s.name] = s
	}
	var next []*subPool
	for _, part := range p.def.parts(discovered) {
		s := old[part.name]
		if s == nil {
			s = &subPool{}
		}
		delete(old, part.name)
		s.part, s.retired = part, false
		next = append(next, s)
	}
	for _, s := range p.subs {
		if old[s.name] == s && len(s.workers) > 0 {
			s.retired, s.wanted = true, 0
			next = append(next, s)
		}
	}
	p.subs = next
}

// sweep drops retired sub-pools without workers.
func (p *pool) sweep() {
	p.subs = slices.DeleteFunc(p.subs, func(s *subPool) bool { return s.retired && len(s.workers) == 0 })
}

// live lists the sub-pools that are wanted.
func (p *pool) live() []*subPool {
	for i, s := range p.subs {
		if s.retired {
			return p.subs[:i]
		}
	}
	return p.subs
}

// takeSlot returns the lowest free number.
func (p *pool) takeSlot() int {
	i := slices.Index(p.slots, false)
	if i < 0 {
		p.slots = append(p.slots, true)
		return len(p.slots) - 1
	}
	p.slots[i] = true
	return i
}

// remove takes a worker out of its pool.
func (p *pool) remove(w *worker) {
	p.slots[w.slot] = false
	w.sub.workers = slices.DeleteFunc(w.sub.workers, func(o *worker) bool { return o == w })
}

// target is how many workers a sub-pool is to have now.
func (p *pool) target(s *subPool) int {
	if s.retired || p.gone || p.paused && p.def.traits.pause == 0 {
		return 0
	}
	return s.wanted
}

// desired is the sum of what is wanted.
func (p *pool) desired() int {
	n := 0
	for _, s := range p.subs {
		n += s.wanted
	}
	return n
}

// all calls f for each worker.
func (p *pool) all(f func(*worker)) {
	for _, s := range p.subs {
		for _, w := range s.workers {
			f(w)
		}
	}
}

// tally is a count of a sub-pool's workers.
type tally struct {
	starting, running, stopping, backoff int
	busy, outdated                       int
	settled                              int // not outdated, and have stayed
	rolling                              int // told to leave for a replacement
}

func (t tally) active() int { return t.starting + t.running + t.backoff }
func (t tally) fresh() int  { return t.active() - t.outdated }
func (t tally) total() int  { return t.active() + t.stopping }

func (s *subPool) tally(now time.Time) tally {
	var t tally
	for _, w := range s.workers {
		switch w.state {
		case Starting:
			t.starting++
		case Running:
			t.running++
		case Stopping:
			t.stopping++
			if w.rolled {
				t.rolling++
			}
		case Backoff:
			t.backoff++
		}
		outdated := w.outdated()
		if outdated {
			t.outdated++
		}
		if !outdated && w.settled(now) {
			t.settled++
		}
		if w.activity == Busy && w.state != Stopping {
			t.busy++
		}
	}
	return t
}

// average is an exponentially weighted mean.
type average struct {
	value float64
	count int
}

// averageOf is of how many jobs the mean is, about.
const averageOf = 100

func (a *average) add(v float64) {
	a.count = min(a.count+1, averageOf)
	a.value += (v - a.value) / float64(a.count)
}
