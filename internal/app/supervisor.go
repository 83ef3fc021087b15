package app

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
	"github.com/queuefleet/queuefleet/internal/web"
	"github.com/queuefleet/queuefleet/internal/web/workers"
	"github.com/queuefleet/queuefleet/supervisor"
)

// SupervisorProgram is the supervisor's name, also the prefix of its metrics.
const SupervisorProgram = "queuefleet_supervisor"

// outputGrace is how long the last lines of workers may take to be written.
const outputGrace = 5 * time.Second

// supervised is the supervisor's parts, put together.
type supervised struct {
	program
	o          SupervisorOptions
	manager    *proc.Manager
	supervisor *supervisor.Supervisor
	pauses     *pauses
	tidier     *tidier
	site       *web.Site
	reloads    chan os.Signal
}

// RunSupervisor loads the configuration and runs workers until ctx ends or a
// signal says so. Then workers finish their jobs while metrics still answer; it
// returns nil when all have left. Where the first configuration cannot be
// loaded, the error holds every mistake in it.
func RunSupervisor(ctx context.Context, o SupervisorOptions) error {
	defer closeListeners(o.Web.Listeners)
	s, err := assembleSupervisor(o)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.store.Reload(); err != nil {
		return err
	}
	server, err := s.listen(s.site)
	if err != nil {
		return err
	}
	return s.run(ctx, server)
}

// assembleSupervisor builds each part out of those above it.
func assembleSupervisor(o SupervisorOptions) (*supervised, error) {
	s := &supervised{o: o, reloads: make(chan os.Signal, 1), program: program{
		name: SupervisorProgram, summary: "Runs and scales the workers of every queue configuration that is this machine's.",
		configFile: o.ConfigFile, autoReload: o.AutoReload, started: o.Started, logger: o.Logger, redactor: o.Redactor, web: o.Web,
	}}
	cgroup, err := proc.DelegatedCgroup()
	if err != nil {
		cgroup = ""
		o.Logger.Debug("Workers get no cgroups of their own", "err", err)
	}
	s.manager, err = proc.New(proc.Options{
		Logger: o.Logger.With("component", "processes"), Adopt: o.Adopt, CgroupDir: cgroup, Forward: forwardTo(o.Logger),
	})
	if err != nil {
		return nil, err
	}
	s.open()
	s.supervisor = supervisor.New(supervisor.Options{
		Logger: o.Logger.With("component", "supervisor"), Registerer: s.registry, Name: o.Name,
		Set: s.set, Manager: s.manager, Observe: o.Observe, StartRate: startRate(o.StartRate),
	})
	s.pauses = &pauses{Supervisor: s.supervisor, dir: o.StateDir, logger: o.Logger}
	s.tidier = newTidier(s.supervisor.State)
	s.keepConfig(s.supervisor.Apply, s.warnOfMemory, s.tidier.apply)
	if s.site, err = s.newSite(s.serving.Load, nil); err != nil {
		s.close()
		return nil, err
	}
	workers.Register(s.site, s.pauses)
	return s, nil
}

// startRate says it as the supervisor wants it, for which 0 is no wish.
func startRate(perSecond float64) supervisor.StartRate {
	if perSecond == 0 {
		return supervisor.StartRate{PerSecond: -1}
	}
	return supervisor.StartRate{PerSecond: perSecond}
}

// forwardTo returns what writes workers' output to a log. What an application
// answers to the supervisor's own questions, whose names have a space, matters
// only to who looks for a mistake.
func forwardTo(logger *slog.Logger) func(*proc.Child, proc.Line) {
	return func(c *proc.Child, line proc.Line) {
		if line.Text == "" && line.Lost == 0 {
			return
		}
		level := slog.LevelInfo
		if strings.Contains(c.Name(), " ") {
			level = slog.LevelDebug
		}
		pool, slot, _ := strings.Cut(c.Name(), "/")
		attrs := []any{"pool", pool, "slot", slot, "pid", c.PID(), "line", line.Text}
		if line.Lost > 0 {
			attrs = append(attrs, "lines_dropped_before", line.Lost)
		}
		if line.More {
			attrs = append(attrs, "continues", true)
		}
		logger.Log(context.Background(), level, "Worker wrote", attrs...)
	}
}

// warnOfMemory tells where a ceiling that is configured does not hold.
func (s *supervised) warnOfMemory(cfg *configs.Config) {
	err := s.manager.MemoryMaxError()
	if err == nil {
		return
	}
	for i := range cfg.Queues {
		if w := cfg.Queues[i].Worker; w != nil && w.MemoryMax > 0 && supervisor.RunsHere(&cfg.Queues[i], s.o.Name) {
			s.logger.Warn("memory_max has no effect here", "queue", cfg.Queues[i].Name, "err", err)
			return
		}
	}
}

// run runs the parts until all workers have left after the end of ctx, or until
// the first part fails.
func (s *supervised) run(ctx context.Context, server *web.Server) error {
	drain, begin := context.WithCancel(ctx)
	defer begin()
	// Everything but the workers goes on until these have left.
	group := actors{ctx: context.WithoutCancel(ctx)}
	group.add(func(ctx context.Context) error {
		select {
		case <-drain.Done():
			s.end()
			<-ctx.Done()
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	group.add(func(ctx context.Context) error { return s.obey(ctx, begin) })
	group.add(func(ctx context.Context) error { return s.reloadOn(ctx, s.reloads) })
	if s.autoReload > 0 {
		group.add(func(ctx context.Context) error { return s.store.Watch(ctx, s.autoReload) })
	}
	group.add(s.pauses.restore)
	group.add(s.tidier.run)
	group.group.Add(func() error { return s.supervisor.Run(drain) }, func(error) { begin() })
	group.add(server.Run)

	s.begin()
	return group.run(ctx)
}

// obey carries out signals. What takes long is done by others.
func (s *supervised) obey(ctx context.Context, drain func()) error {
	ends := 0
	for {
		var signal os.Signal
		select {
		case <-ctx.Done():
			return ctx.Err()
		case signal = <-s.o.Signals:
		}
		switch signal {
		case syscall.SIGHUP:
			select {
			case s.reloads <- signal:
			default: // one is waiting already, and will see what there is now
			}
		case syscall.SIGUSR2:
			s.order(ctx, supervisor.ActionPause)
		case syscall.SIGCONT:
			s.order(ctx, supervisor.ActionContinue)
		case syscall.SIGTERM, syscall.SIGINT:
			ends++
			s.leave(ends, drain)
		}
	}
}

// leave acts on the nth wish to stop.
func (s *supervised) leave(nth int, drain func()) {
	switch nth {
	case 1:
		drain()
	case 2:
		s.logger.Warn("Workers get little time to finish their jobs")
		s.supervisor.Hasten()
	default:
		s.logger.Warn("Workers are killed")
		s.supervisor.KillAll()
	}
}

// order gives an order to all pools.
func (s *supervised) order(ctx context.Context, action supervisor.Action) {
	result, err := s.pauses.Control(ctx, supervisor.Command{Action: action, By: "signal"})
	if err != nil {
		s.logger.Warn("An order by signal was not carried out", "action", string(action), "err", err)
		return
	}
	s.logger.Info("An order by signal was carried out", "action", string(action), "pools", len(result.Pools))
}

// close ends what assembleSupervisor has opened.
func (s *supervised) close() {
	ctx, cancel := context.WithTimeout(context.Background(), outputGrace)
	defer cancel()
	if err := s.manager.Close(ctx); err != nil {
		s.logger.Warn("The last output of workers is lost", "err", err)
	}
	if s.set != nil {
		s.set.Close()
	}
}
