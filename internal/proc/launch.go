package proc

import (
	"errors"
	"os"
	"time"
)

// ErrNotRunning is what a signal to a child gets that has not begun or has
// ended.
var ErrNotRunning = errors.New("the process is not running")

// Launch is one worker to be started.
type Launch struct {
	Spec Spec
	Name string // pool and slot, for people: ps shows it until the worker runs

	// Lock becomes the worker's file 3. It must stay open until Started or Failed.
	Lock *os.File

	// Source is where the output goes, nil = Pipes{}.
	Source Source

	// Observe is shown every line of output, also those that are not forwarded. It
	// is called by the goroutines that read, one after the other for one stream,
	// and must not block. It may be nil.
	Observe func(Line)
}

// Usage is what a worker's leader uses.
type Usage struct {
	CPU time.Duration // since its start, user and system
	RSS uint64        // bytes
}
