// Package preset knows how workers of each kind are run: it makes the command,
// environment and limits of a worker process out of the configuration, asks an
// application for its version and for the Redis that it really uses, and reads
// in a worker's output what becomes of its jobs.
//
// It starts nothing itself: whoever asks an application lends a Runner.
package preset

import (
	"context"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// Input is what the command of a worker is made of.
type Input struct {
	Config     *configs.Config
	Queue      *configs.Queue // the first one, where Configurations has several
	App        *configs.Application
	Connection *configs.Connection

	// Queues are what this worker serves, in order of priority.
	Queues []string

	// Configurations are the names of all queue configurations that the process
	// serves, where the preset runs one process per application. Everything in
	// them, counts included, may be part of its command.
	Configurations []string

	// Version is the application's, as Probe found it; zero = not known.
	Version Version

	// Files are what Lay has made, nil = nothing.
	Files *Files
}

// Runner runs a process to its end and returns how it ended; the end of ctx
// kills the process. The error is a *proc.StartError, or ctx's.
type Runner func(ctx context.Context, l proc.Launch) (*proc.Exit, error)

// Preset is a kind of worker.
type Preset struct {
	Name              string
	OnePerApplication bool // one process serves all of an application's configurations; never two at a time

	PauseSignal    syscall.Signal // stops a worker from taking jobs; 0 = there is none: a paused pool drains
	ContinueSignal syscall.Signal // ends a pause
	ReadySignal    syscall.Signal // caught once a worker can take signals and jobs; 0 = from its beginning
	MemoryCode     int            // exit status of a worker that leaves since its memory is used up; 0 = none

	// Check finds what is wrong with a configuration without looking at anything
	// else than its connection.
	Check func(q *configs.Queue, c *configs.Connection) error

	// Lay makes the files that a worker reads beside its command, without looking
	// at the disk: Files.Put brings them there. It returns nil where the
	// configuration wants none. The error is an *Error. nil = the preset has none.
	Lay func(in Input) (*Files, error)

	// Build makes a worker's Spec. It reads files and looks up users, so it may
	// block. The error is an *Error or a *proc.StartError; see Explain. The Spec
	// still has to pass proc.Check.
	Build func(in Input) (proc.Spec, error)

	// NewParser makes the reader of one process's output; nil = the output does
	// not tell of jobs.
	NewParser func() Parser

	// Probe asks the application for its framework's version, which is zero where
	// the answer tells none. It is the same for all inputs with the same ProbeKey,
	// until the application is deployed anew.
	// nil = the version does not matter.
	Probe func(ctx context.Context, run Runner, in Input) (Version, error)

	// Prove asks the application which Redis its workers would use. The error is
	// an *Error with ReasonWrongConnection where that is another one than the
	// configuration names, an *UnprovenError where it cannot be found out, and a
	// *DeafError where it is the right one but workers will handle no signals.
	// Both are worth a warning and keep no worker from its start. nil = there is no
	// way to ask.
	Prove func(ctx context.Context, run Runner, in Input) error
}

// Find returns the preset of a name.
func Find(name string) (Preset, bool) {
	p, ok := presets[name]
	return p, ok
}

// Names lists the presets, sorted.
func Names() []string { return slices.Sorted(maps.Keys(presets)) }

var presets = map[string]Preset{
	"laravel":    laravel(),
	"frankenphp": frankenphp(),
	"horizon":    horizon(),
	"exec":       command(),
}

// ProbeKey stands for the application that Probe would ask: inputs with the
// same key need to be asked once.
func ProbeKey(in Input) string {
	w := in.Queue.Worker
	return strings.Join(append([]string{w.Preset, in.Queue.Application, w.User, w.Group, w.Directory}, w.Command...), "\x00")
}
