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

// read reads one of the process's files in /proc. As long as mu is held it is
// not reaped, so the number is its own. None of the files asked for makes the
// kernel wait for the process.
func (c *Child) read(file string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running() {
		return nil, ErrNotRunning
	}
	return os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.pid, file))
}

// Usage reads what the worker's leader uses now: some 10 to 20 µs. The error is
// ErrNotRunning where there is no process.
func (c *Child) Usage() (Usage, error) {
	text, err := c.read("stat")
	if err != nil {
		return Usage{}, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const utime, stime, rss = 14 - 3, 15 - 3, 24 - 3 // proc_pid_stat(5), counted from the state
	if len(fields) <= rss {
		return Usage{}, errors.New("proc: stat is too short")
	}
	var numbers [3]int64
	for i, field := range []int{utime, stime, rss} {
		if numbers[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return Usage{}, err
		}
	}
	return Usage{
		CPU: time.Duration(numbers[0]+numbers[1]) * clockTick,
		RSS: uint64(numbers[2]) * uint64(os.Getpagesize()),
	}, nil
}

// Catches reports whether the worker handles a signal by now, as it does when
// its framework has begun. One that it does not catch may kill it.
func (c *Child) Catches(signal syscall.Signal) (bool, error) {
	text, err := c.read("status")
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
