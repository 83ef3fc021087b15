package proc

import (
	"os"

	"golang.org/x/sys/unix"
)

// Open implements Source.
func (p Pipes) Open(*Identity) (Ends, error) {
	if !p.Separate {
		read, write, err := pipe()
		return Ends{Stdout: write, Stderr: write, Streams: []Stream{{Name: "output", File: read}}}, err
	}
	readOut, writeOut, err := pipe()
	if err != nil {
		return Ends{}, err
	}
	readErr, writeErr, err := pipe()
	if err != nil {
		_ = readOut.Close()
		_ = writeOut.Close()
		return Ends{}, err
	}
	streams := []Stream{{Name: "stdout", File: readOut}, {Name: "stderr", File: readErr}}
	return Ends{Stdout: writeOut, Stderr: writeErr, Streams: streams}, nil
}

// pipe returns a pipe of which only the supervisor's end does not block:
// os.Pipe would give the worker a non-blocking end, at which most programs
// fail when it is full.
func pipe() (read, write *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		_ = unix.Close(fds[0])
		_ = unix.Close(fds[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fds[0]), "output"), os.NewFile(uintptr(fds[1]), "output"), nil
}

func (e *Ends) closeWorkers() {
	_ = e.Stdout.Close()
	if e.Stderr != e.Stdout {
		_ = e.Stderr.Close()
	}
}

func (e *Ends) closeStreams() {
	for _, stream := range e.Streams {
		_ = stream.File.Close()
	}
}
