package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"syscall"

	"github.com/queuefleet/queuefleet/internal/preset"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// asksAtOnce is how many applications are asked at a time: each costs the boot
// of a framework.
const asksAtOnce = 4

// presetPlanner makes commands by internal/preset.
type presetPlanner struct {
	find func(string) (preset.Preset, bool)
	run  preset.Runner
	log  *slog.Logger
	salt proc.Salt
	asks chan struct{}

	observe bool // nothing is written

	mu       sync.Mutex
	versions map[string]preset.Version // by ProbeKey
	deaf     map[string]bool           // by ProbeKey: its workers handle no signals
}

func newPresetPlanner(find func(string) (preset.Preset, bool), run preset.Runner, log *slog.Logger) *presetPlanner {
	return &presetPlanner{
		find: find, run: run, log: log, salt: proc.NewSalt(),
		asks: make(chan struct{}, asksAtOnce), versions: map[string]preset.Version{}, deaf: map[string]bool{},
	}
}

func (p *presetPlanner) traits(name string) (traits, bool) {
	kind, ok := p.find(name)
	if !ok {
		return traits{}, false
	}
	t := traits{
		onePerApplication: kind.OnePerApplication, pause: kind.PauseSignal, resume: kind.ContinueSignal,
		ready: kind.ReadySignal, memoryCode: kind.MemoryCode,
	}
	if kind.NewParser != nil {
		t.parser = func() parser { return presetParser{kind.NewParser()} }
	}
	return t, true
}

// plan makes the commands of a pool's workers, checks them, and asks the
// application which Redis they would use where that has not been asked of the
// same command before.
func (p *presetPlanner) plan(ctx context.Context, r planRequest) planResult {
	result, err := p.make(ctx, r)
	if err != nil {
		reason, text := preset.Explain(err)
		return planResult{cannot: &CannotStart{Reason: reason, Text: text}}
	}
	return result
}

func (p *presetPlanner) make(ctx context.Context, r planRequest) (planResult, error) {
	kind, ok := p.find(r.def.queue.Worker.Preset)
	if !ok {
		return planResult{}, &preset.Error{Reason: preset.ReasonBadConfiguration, Text: "there is no preset " + r.def.queue.Worker.Preset}
	}
	in := r.def.input()
	if kind.Check != nil {
		if err := kind.Check(in.Queue, in.Connection); err != nil {
			return planResult{}, err
		}
	}
	var err error
	if kind.Lay != nil {
		if in.Files, err = kind.Lay(in); err != nil {
			return planResult{}, err
		}
	}
	// What keeps the application from being asked is better said before.
	first, err := p.build(kind, in, in.Queues)
	if err != nil {
		return planResult{}, err
	}
	// An application may not even boot without its files.
	undo, err := p.put(ctx, in, first.spec)
	if err != nil {
		return planResult{}, err
	}
	result, err := p.ask(ctx, kind, in, r)
	if err != nil {
		return planResult{}, errors.Join(err, undo())
	}
	return result, nil
}

// ask asks the application what is to be known of it, and makes the commands.
func (p *presetPlanner) ask(ctx context.Context, kind preset.Preset, in preset.Input, r planRequest) (planResult, error) {
	var err error
	if in.Version, err = p.version(ctx, kind, in, r.anew); err != nil {
		return planResult{}, err
	}
	nominal, err := p.build(kind, in, in.Queues)
	if err != nil {
		return planResult{}, err
	}
	if !r.proven || r.anew || nominal.hash != r.nominal {
		if err := p.prove(ctx, kind, in); err != nil {
			return planResult{}, err
		}
	}
	result := planResult{versionText: in.Version.String(), deaf: p.isDeaf(in), nominal: nominal.hash, specs: make(map[string]command, len(r.parts))}
	for _, part := range r.parts {
		if result.specs[part.name], err = p.build(kind, in, part.queues); err != nil {
			return planResult{}, err
		}
	}
	return result, nil
}

// input is what a preset makes commands of.
func (d *definition) input() preset.Input {
	return preset.Input{
		Config: d.config, Queue: d.queue, App: d.app, Connection: d.conn, Queues: d.names, Configurations: d.configurations,
	}
}

func (p *presetPlanner) build(kind preset.Preset, in preset.Input, queues []string) (command, error) {
	in.Queues = queues
	spec, err := kind.Build(in)
	if err != nil {
		return command{}, err
	}
	if err := proc.Check(&spec); err != nil {
		return command{}, err
	}
	return command{&spec, spec.Hash(p.salt)}, nil
}

// version asks the application, once for all its pools unless anew.
func (p *presetPlanner) version(ctx context.Context, kind preset.Preset, in preset.Input, anew bool) (preset.Version, error) {
	if kind.Probe == nil {
		return preset.Version{}, nil
	}
	key := preset.ProbeKey(in)
	p.mu.Lock()
	known, ok := p.versions[key]
	p.mu.Unlock()
	if ok && !anew {
		return known, nil
	}
	if err := p.turn(ctx); err != nil {
		return preset.Version{}, err
	}
	defer func() { <-p.asks }()
	v, err := kind.Probe(ctx, p.run, in)
	if err != nil {
		return preset.Version{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.versions[key] = v
	return v, nil
}

func (p *presetPlanner) prove(ctx context.Context, kind preset.Preset, in preset.Input) error {
	if kind.Prove == nil {
		return nil
	}
	if err := p.turn(ctx); err != nil {
		return err
	}
	defer func() { <-p.asks }()
	err := kind.Prove(ctx, p.run, in)
	deaf, isDeaf := errors.AsType[*preset.DeafError](err)
	p.setDeaf(in, isDeaf)
	if isDeaf {
		p.log.Warn("Workers cannot be told to finish their job and leave, nor be paused", "pool", in.Queue.Name, "err", deaf)
		return nil
	}
	if unproven, ok := errors.AsType[*preset.UnprovenError](err); ok {
		p.log.Warn("Workers are started without knowing which Redis the application uses", "pool", in.Queue.Name, "err", unproven)
		return nil
	}
	return err
}

func (p *presetPlanner) setDeaf(in preset.Input, deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if deaf {
		p.deaf[preset.ProbeKey(in)] = true
	} else {
		delete(p.deaf, preset.ProbeKey(in))
	}
}

func (p *presetPlanner) isDeaf(in preset.Input) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deaf[preset.ProbeKey(in)]
}

// turn waits until fewer applications are asked.
func (p *presetPlanner) turn(ctx context.Context) error {
	select {
	case p.asks <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &preset.Error{Reason: preset.ReasonProbeFailed, Text: "too many applications are being asked at the same time"}
	}
}

// presetParser translates what a preset reads in output.
type presetParser struct{ preset.Parser }

func (p presetParser) line(line proc.Line) []jobEvent { return translate(p.Line(line)) }

func (p presetParser) end(clean bool) []jobEvent { return translate(p.End(clean)) }

func translate(events []preset.JobEvent) []jobEvent {
	if len(events) == 0 {
		return nil
	}
	results := map[preset.EventKind]JobResult{
		preset.JobProcessed: JobProcessed, preset.JobReleased: JobReleased, preset.JobFailed: JobFailed, preset.JobLost: JobLost,
	}
	list := make([]jobEvent, len(events))
	for i, e := range events {
		list[i] = jobEvent{
			begun: e.Kind == preset.JobStarted, silent: e.Silent, result: results[e.Kind], queue: e.Queue, job: e.Job, duration: e.Duration, wait: e.Wait,
		}
	}
	return list
}

// withSignals is t with the signals that a configuration prefers to the preset's.
func (t traits) withSignals(pause, resume *string) traits {
	if pause != nil {
		t.pause = signals[*pause] // none where it is empty
	}
	if resume != nil {
		t.resume = signals[*resume]
	}
	return t
}

// stops reports whether a signal stops a process so that it handles no other.
func stops(signal syscall.Signal) bool {
	return slices.Contains([]syscall.Signal{syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}, signal)
}

// signals are those by which workers can be told to pause and to go on.
var signals = map[string]syscall.Signal{
	"SIGHUP": syscall.SIGHUP, "SIGINT": syscall.SIGINT, "SIGQUIT": syscall.SIGQUIT, "SIGUSR1": syscall.SIGUSR1,
	"SIGUSR2": syscall.SIGUSR2, "SIGTERM": syscall.SIGTERM, "SIGCONT": syscall.SIGCONT, "SIGSTOP": syscall.SIGSTOP,
	"SIGTSTP": syscall.SIGTSTP, "SIGTTIN": syscall.SIGTTIN, "SIGTTOU": syscall.SIGTTOU, "SIGWINCH": syscall.SIGWINCH,
}
