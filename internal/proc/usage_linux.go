package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// clockTick is the unit of CPU times in /proc, the same on every architecture
// that Linux still has.
const clockTick = 10 * time.Millisecond

// procFile has room for any of the files in /proc that are read.
type procFile [4096]byte

// read reads one of the process's files in /proc into b. As long as mu is held
// it is not reaped, so the number is its own. None of the files asked for makes
// the kernel wait for the process.
func (c *Child) read(file string, b *procFile) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running() {
		return nil, ErrNotRunning
	}
	path := append(strconv.AppendInt(append(b[:0], "/proc/"...), int64(c.pid), 10), file...)
	// Not by os.File: with a thousand workers its garbage would be most of an idle
	// supervisor's.
	fd, err := unix.Open(string(path), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: string(path), Err: err}
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	for {
		n, err := unix.Read(fd, b[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("read", err)
		}
		if n == len(b) { // a user with a thousand groups has more
			return os.ReadFile(fmt.Sprintf("/proc/%d%s", c.pid, file))
		}
		return b[:n], nil
	}
}

// Usage reads what the worker's leader uses now: some 10 to 20 µs. The error is
// ErrNotRunning where there is no process.
func (c *Child) Usage() (Usage, error) {
	var b procFile
	text, err := c.read("/stat", &b)
	if err != nil {
		return Usage{}, err
	}
	const utime, stime, rss = 14 - 3, 15 - 3, 24 - 3 // proc_pid_stat(5), counted from the state
	var numbers [rss + 1]uint64
	i := 0
	for field := range bytes.FieldsSeq(text[bytes.LastIndexByte(text, ')')+1:]) {
		if i == utime || i == stime || i == rss {
			if numbers[i], err = strconv.ParseUint(string(field), 10, 64); err != nil {
				return Usage{}, err
			}
		}
		if i++; i > rss {
			break
		}
	}
	if i <= rss {
		return Usage{}, errors.New("proc: stat is too short")
	}
	return Usage{
		CPU: time.Duration(numbers[utime]+numbers[stime]) * clockTick,
		RSS: numbers[rss] * uint64(os.Getpagesize()),
	}, nil
}

// Catches reports whether the worker handles a signal by now, as it does when
// its framework has begun. One that it does not catch may kill it.
func (c *Child) Catches(signal syscall.Signal) (bool, error) {
	var b procFile
	text, err := c.read("/status", &b)
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(text)) {
		if mask, ok := strings.CutPrefix(line, "SigCgt:"); ok {
			caught, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			return caught&(1<<(signal-1)) != 0, err
		}
	}
	return false, fmt.Errorf("proc: status says nothing of signals: %w", unix.ENODATA)
}
