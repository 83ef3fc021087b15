package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is a program that the harness has started. It does not outlive the
// harness.
type process struct {
	name    string
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
	said    *tail
	watched bool
	gone    chan struct{} // closed when it has ended, where it is watched
	once    sync.Once
}

// start starts a program with the given additional environment.
func start(name string, env []string, path string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(path, args...), said: &tail{}, gone: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.said
	dieWithParent(p.cmd)
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdout = bufio.NewReader(stdout)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// watch notes the process' end. It takes the place of reading its stdout.
func (p *process) watch() {
	p.watched = true
	go func() {
		_, _ = io.Copy(io.Discard, p.stdout)
		_ = p.cmd.Wait()
		close(p.gone)
	}()
}

// stop ends the process: by the end of its stdin, which our own roles obey, and
// by a signal.
func (p *process) stop() {
	p.once.Do(func() {
		_ = p.stdin.Close()
		_ = p.cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		if p.watched {
			<-p.gone
			return
		}
		_, _ = io.Copy(io.Discard, p.stdout)
		_ = p.cmd.Wait()
	})
}

// line returns what the process says next.
func (p *process) line() (string, error) {
	text, err := p.stdout.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", p.name, err, p.said)
	}
	return strings.TrimSpace(text), nil
}

// ask writes a line and returns the one that answers it.
func (p *process) ask(question string) (string, error) {
	if _, err := io.WriteString(p.stdin, question+"\n"); err != nil {
		return "", fmt.Errorf("%s: %w: %s", p.name, err, p.said)
	}
	return p.line()
}

// cpu returns the CPU time of all threads so far, to the nanosecond.
func (p *process) cpu() (time.Duration, error) { return cpuTime(p.cmd.Process.Pid) }

// memory is of one process, in bytes.
type memory struct{ resident, peak float64 }

func (p *process) memory() (memory, error) {
	file := fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid)
	text, err := os.ReadFile(file)
	if err != nil {
		return memory{}, err
	}
	var m memory
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		var into *float64
		switch key {
		case "VmRSS":
			into = &m.resident
		case "VmHWM":
			into = &m.peak
		default:
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		if err != nil {
			return memory{}, fmt.Errorf("%s: %s: %w", file, key, err)
		}
		*into = kib * 1024
	}
	if m.resident == 0 || m.peak == 0 {
		return memory{}, errors.New(file + " does not tell the memory")
	}
	return m, nil
}

// files returns how many file descriptors are open.
func (p *process) files() (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	return len(entries), err
}

// cpuOf returns the CPU time that fn costs the processes together.
func cpuOf(fn func() error, processes ...*process) (time.Duration, error) {
	before, err := sumCPU(processes)
	if err != nil {
		return 0, err
	}
	if err := fn(); err != nil {
		return 0, err
	}
	after, err := sumCPU(processes)
	return after - before, err
}

func sumCPU(processes []*process) (time.Duration, error) {
	sum := time.Duration(0)
	for _, p := range processes {
		used, err := p.cpu()
		if err != nil {
			return 0, fmt.Errorf("CPU time of %s: %w", p.name, err)
		}
		sum += used
	}
	return sum, nil
}

// tail keeps the end of what a process says, for errors.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// wait sleeps, unless ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
