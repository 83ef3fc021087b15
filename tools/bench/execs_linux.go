package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// execs notes when a program is executed: the kernel reads the head of the file
// then, and tells who watches it. No poll of processes is as precise, nor costs
// as little, and it is the same for whoever executes the file.
type execs struct {
	file  *os.File
	ended chan struct{}

	mu    sync.Mutex
	first time.Time // since arm
	last  time.Time
	seen  chan struct{} // closed with the first
}

// watchExecs watches the program, which nobody else may read meanwhile.
func watchExecs(program string) (*execs, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	e := &execs{file: os.NewFile(uintptr(fd), "inotify"), ended: make(chan struct{})}
	if _, err := unix.InotifyAddWatch(fd, program, unix.IN_ACCESS); err != nil {
		return nil, errors.Join(os.NewSyscallError("inotify_add_watch", err), e.file.Close())
	}
	e.arm()
	go e.follow()
	return e, nil
}

func (e *execs) follow() {
	defer close(e.ended)
	buffer := make([]byte, 64<<10)
	for {
		if _, err := e.file.Read(buffer); err != nil {
			return // closed
		}
		e.note(time.Now())
	}
}

func (e *execs) note(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.first.IsZero() {
		e.first = now
		close(e.seen)
	}
	e.last = now
}

// arm forgets what was.
func (e *execs) arm() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.first, e.last, e.seen = time.Time{}, time.Time{}, make(chan struct{})
}

// next waits for the first execution since arm and returns when it was.
func (e *execs) next(ctx context.Context) (time.Time, error) {
	e.mu.Lock()
	seen := e.seen
	e.mu.Unlock()
	select {
	case <-seen:
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.first, nil
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
}

// latest is when the last execution was.
func (e *execs) latest() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

func (e *execs) close() {
	_ = e.file.Close()
	<-e.ended
}
