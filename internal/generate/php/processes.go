package php

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// Runner runs a process to its end and returns how it ended; the end of ctx
// kills the process.
type Runner func(ctx context.Context, l proc.Launch) (*proc.Exit, error)

// Processes lends a Runner to a command that has no supervisor.
type Processes struct {
	manager *proc.Manager
	mu      sync.Mutex // one process at a time, so that each event is the current one's
}

// NewProcesses makes the program's Processes. A program has one; its main
// calls proc.RunStub first thing.
func NewProcesses() (*Processes, error) {
	m, err := proc.New(proc.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return &Processes{manager: m}, nil
}

// closing is how long the end of the goroutines behind a Processes is waited for.
const closing = 5 * time.Second

// Close ends what runs processes.
func (p *Processes) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	return p.manager.Close(ctx)
}

// Run is a Runner.
func (p *Processes) Run(ctx context.Context, l proc.Launch) (*proc.Exit, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	child := p.manager.Start(l)
	var exit *proc.Exit
	var failure error
	done := ctx.Done()
	for {
		select {
		case <-done:
			done = nil
			failure = context.Cause(ctx)
			if err := child.Stop(0); err != nil && !errors.Is(err, proc.ErrNotRunning) {
				failure = errors.Join(failure, err)
			}
		case e := <-p.manager.Events():
			switch {
			case e.Child != child:
			case e.Kind == proc.Failed:
				failure = e.Err
			case e.Kind == proc.Exited:
				exit = e.Exit
			case e.Kind == proc.Gone:
				return exit, failure
			}
		}
	}
}
