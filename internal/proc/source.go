package proc

import "os"

// Source is where a worker's output goes and can be read. Pipes is one; a
// source of named pipes would let a worker outlive the supervisor.
type Source interface {
	// Open makes the files of one worker, which runs as id (nil: as the
	// supervisor). It is called in the goroutine that starts all workers and
	// must not wait for anything.
	Open(id *Identity) (Ends, error)
}

// Ends are the files of one worker's output.
type Ends struct {
	// The worker's ends; they may be the same. Closed once it has started.
	Stdout, Stderr *os.File
	Streams        []Stream
}

// Stream is an end to read from. It must be able to be polled, so that waiting
// for output takes no thread. The Manager closes it.
type Stream struct {
	Name string // what Line.Stream says
	File *os.File
	// Endless streams stay open after all writers are gone, as a named pipe does
	// that is opened for both. They are read until they are empty once the worker
	// has ended.
	Endless bool
}

// Pipes is the Source of anonymous pipes. The worker's standard output and
// error are one stream in the order in which they were written, unless
// Separate.
type Pipes struct{ Separate bool }
