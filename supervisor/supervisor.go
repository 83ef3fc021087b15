package supervisor

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/mailbox"
	"github.com/queuefleet/queuefleet/internal/preset"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// Options are what a Supervisor is made with.
type Options struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // gets the metrics of the pools; nil = nobody does
	Name       string                // what hosts globs are matched with
	Set        *connection.Set
	Manager    *proc.Manager // nobody else may receive from its Events

	// Presets finds a kind of worker by its name; nil = preset.Find.
	Presets func(name string) (preset.Preset, bool)

	Observe           bool // decide only
	StartRate         StartRate
	ReadInterval      time.Duration // between two readings of a connection's queues; 0 = 1 s
	DiscoveryInterval time.Duration // between two searches for queues by pattern; 0 = 10 s

	Now    func() time.Time // nil = time.Now
	Random func() float64   // within [0, 1); nil = math/rand/v2

	// For tests.
	processes processes
	planner   planner
	reader    figureReader
	horizons  horizonFinder
}

// Supervisor keeps the workers of all pools right. One goroutine, Run's, owns
// all that it knows; everything else talks to it by messages.
type Supervisor struct {
	o         Options
	log       *slog.Logger
	processes processes
	planner   planner
	reader    figureReader
	managed   *managed // nil in tests with other processes
	horizons  horizonFinder

	inbox *mailbox.Mailbox[func(*loop)]
	notes *mailbox.Mailbox[note] // what workers' output tells
	state atomic.Pointer[State]
	ended chan struct{}

	applying sync.Mutex
	applied  map[string]*definition // by key; guarded by applying
}

// noteLimit bounds what output tells between two looks of the loop.
const noteLimit = 1 << 17

// New returns a supervisor without pools.
func New(o Options) *Supervisor {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.ReadInterval <= 0 {
		o.ReadInterval = time.Second
	}
	if o.DiscoveryInterval <= 0 {
		o.DiscoveryInterval = 10 * time.Second
	}
	s := &Supervisor{
		o: o, log: o.Logger, processes: o.processes, planner: o.planner, reader: o.reader, horizons: o.horizons,
		inbox: mailbox.New[func(*loop)](0), notes: mailbox.New[note](noteLimit), ended: make(chan struct{}),
	}
	if s.processes == nil {
		s.managed = newManaged(o.Manager)
		s.processes, s.horizons = s.managed, findHorizons
	}
	if s.planner == nil {
		if o.Presets == nil {
			o.Presets = preset.Find
		}
		planner := newPresetPlanner(o.Presets, s.managed.run, o.Logger)
		planner.observe = o.Observe
		s.planner = planner
	}
	if s.reader == nil {
		s.reader = newRedisReader(o.Set, o.Logger, o.Now)
	}
	s.state.Store(&State{At: o.Now(), Name: o.Name, Observe: o.Observe, Loop: LoopStatus{Seconds: newHistogram(loopBounds)}})
	if o.Registerer != nil {
		o.Registerer.MustRegister(&poolCollector{s})
	}
	return s
}

// Apply takes a configuration into use. It cannot fail and never waits: what
// has to be done is done by Run. Only what changed is touched.
func (s *Supervisor) Apply(cfg *configs.Config) {
	s.applying.Lock()
	defer s.applying.Unlock()
	definitions := define(cfg, s.o.Name, s.planner.traits)
	applied := make(map[string]*definition, len(definitions))
	for _, d := range definitions {
		d.compare(s.applied[d.key]) // here rather than in the loop, since it takes a while
		applied[d.key] = d
	}
	s.applied = applied
	s.post(func(l *loop) { l.apply(definitions) })
}

// State returns what is known now. It is never nil.
func (s *Supervisor) State() *State { return s.state.Load() }

// Run keeps the pools right until ctx ends. Then it tells all workers to leave,
// each within its own time, and returns when none is left. It is called once.
func (s *Supervisor) Run(ctx context.Context) error {
	defer close(s.ended)
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := newLoop(s, background)
	pumping, endPump := context.WithCancel(context.WithoutCancel(ctx))
	defer endPump()
	var pump sync.WaitGroup
	if s.managed != nil {
		pump.Go(func() { s.managed.pump(pumping) })
	}
	l.run(ctx.Done())
	cancel()
	if s.managed != nil {
		s.managed.close()
	}
	endPump()
	pump.Wait()
	l.tasks.Wait()
	return nil
}

// Hasten shortens what time workers still have to leave to 5 s. It is for a
// supervisor that drains.
func (s *Supervisor) Hasten() { s.post(func(l *loop) { l.hasten(hastened) }) }

// KillAll kills all workers that are still leaving.
func (s *Supervisor) KillAll() { s.post(func(l *loop) { l.hasten(0) }) }

// post sends the loop something to do.
func (s *Supervisor) post(do func(*loop)) { s.inbox.Put(do) }
