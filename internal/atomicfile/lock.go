package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Lock keeps others who lock the same path out until unlock is called. It
// waits for its turn. What is locked is the directory: the file itself is
// another one after each write, and a lock file would be left behind. The lock
// ends with the process.
//
// Locks say nothing about a Write by somebody who has not asked for one.
func Lock(path string) (unlock func(), err error) {
	target, err := follow(path)
	if err != nil {
		return nil, err
	}
	d, err := os.Open(filepath.Dir(target))
	if err != nil {
		return nil, err
	}
	if err := flock(d, true); err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("lock %s: %w", d.Name(), err)
	}
	return func() { _ = d.Close() }, nil // closing gives the lock back
}

// flock takes the lock of an open file, which ends when it is closed.
func flock(f *os.File, wait bool) error {
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
