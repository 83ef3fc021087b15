package proc

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Child is one worker process, from Start until its last event.
type Child struct {
	manager *Manager
	id      uint64
	launch  Launch
	mark    string // NAME=value in its environment
	output  output

	mu      sync.Mutex
	pid     int // 0 until it has been forked
	pidfd   int // -1 = none
	leaf    *leaf
	streams []Stream
	reading int // streams that are still read
	status  *os.File

	report   *report // nil until the stub has executed the worker or failed
	reaped   bool    // the leader has been
	exit     *Exit   // nil until it has ended; see Spec.Linger
	ended    bool    // Failed or Exited has been sent
	gone     bool    // so has Gone
	sweeps   int     // what is not over: processes left behind that are dying, searches for more, the cgroup
	stopped  bool
	killed   bool
	signaled bool      // the graceful signal is out
	killAt   time.Time // when the grace is over
	deadline *time.Timer
}

// ID is the child's number, unique within its Manager.
func (c *Child) ID() uint64 { return c.id }

// Name returns the Launch's name.
func (c *Child) Name() string { return c.launch.Name }

// Spec returns how the child was started. It must not be changed.
func (c *Child) Spec() *Spec { return &c.launch.Spec }

// Dropped returns how many lines of output were not passed to Forward.
func (c *Child) Dropped() uint64 { return c.output.dropped.Load() }

// PID returns the process's number, 0 before it exists. It is for people: by
// the time it is used, the number may be another process's.
func (c *Child) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid
}

// Signal sends a signal to the worker, as to pause it. It returns ErrNotRunning
// where there is none, not yet or not any more, and never reaches another
// process.
func (c *Child) Signal(signal syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.report == nil {
		return ErrNotRunning // the exec stub would die of it
	}
	return c.send(signal)
}

func (c *Child) running() bool { return c.pid != 0 && !c.reaped }

// send is called with mu held. That the process has not been reaped, which
// happens under mu, is what makes its number its own.
func (c *Child) send(signal syscall.Signal) error {
	if !c.running() {
		return ErrNotRunning
	}
	var err error
	if c.pidfd >= 0 {
		err = unix.PidfdSendSignal(c.pidfd, signal, nil, 0)
	} else {
		err = unix.Kill(c.pid, signal)
	}
	if errors.Is(err, unix.ESRCH) {
		return ErrNotRunning // ended, not reaped yet
	}
	return err
}

// Stop sends the graceful signal to the leader and kills the whole worker when
// grace is over. Called again it moves that deadline, earlier or later, and
// never sends the signal a second time: several frameworks take that for "now".
// A grace of 0 or less kills at once. A child that has not begun never will. To
// stop one that has ended is no error; the error is the system's refusal.
func (c *Child) Stop(grace time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.killAt = time.Now().Add(grace)
	return c.carryOutStop()
}

// stopIfAsked stops a child that was asked to stop before it was a process.
func (c *Child) stopIfAsked() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.carryOutStop()
}

// carryOutStop is called with mu held.
func (c *Child) carryOutStop() error {
	if !c.stopped || !c.running() {
		return nil
	}
	if c.deadline != nil {
		c.deadline.Stop()
	}
	grace := time.Until(c.killAt)
	if grace <= 0 {
		return c.kill()
	}
	c.deadline = time.AfterFunc(grace, c.expire)
	if c.signaled {
		return nil
	}
	c.signaled = true
	return c.mustSend(c.launch.Spec.stopSignal())
}

// expire ends the grace.
func (c *Child) expire() {
	if err := c.killIfDue(); err != nil {
		c.manager.log.Error("a worker cannot be killed", "worker", c.launch.Name, "pid", c.PID(), "err", err)
	}
}

func (c *Child) killIfDue() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running() || time.Now().Before(c.killAt) { // moved while the timer fired
		return nil
	}
	return c.kill()
}

// kill is called with mu held, for a child that runs. Its group's number is the
// leader's, which is not given away before the leader has been reaped.
func (c *Child) kill() error {
	c.killed = true
	if c.leaf != nil {
		_ = c.leaf.kill() // unknown before Linux 5.14; the group is killed in any case
	}
	_ = unix.Kill(-c.pid, unix.SIGKILL)
	return c.mustSend(unix.SIGKILL)
}

// mustSend is send for a signal that need not reach who has ended by itself.
func (c *Child) mustSend(signal syscall.Signal) error {
	if err := c.send(signal); !errors.Is(err, ErrNotRunning) {
		return err
	}
	return nil
}

// environment is what the worker gets, the mark by which what it leaves behind
// is known included.
func (c *Child) environment() []string {
	own := c.launch.Spec.Env.list()
	environment := make([]string, 0, len(own)+1)
	for _, entry := range own {
		if !strings.HasPrefix(entry, markName+"=") {
			environment = append(environment, entry)
		}
	}
	return append(environment, c.mark)
}

// settle sends the events that have become due. It is called with mu held.
func (c *Child) settle() {
	if c.ended || c.report == nil {
		return
	}
	switch {
	case c.report.err != nil:
		if c.pid != 0 && c.exit == nil {
			return // the stub is about to end
		}
		c.ended = true
		c.emit(Event{Kind: Failed, Err: c.report.err})
	case c.exit != nil:
		c.exit.NeverRan = !c.report.execed
		c.ended = true
		c.emit(Event{Kind: Exited, Exit: c.exit})
	}
	c.checkGone()
}

// reported takes what the stub wrote.
func (c *Child) reported(r report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report = &r
	c.status = nil
	if r.execed && r.err == nil {
		c.emit(Event{Kind: Started})
	}
	c.settle()
}

// fail ends a child of which no process has come to be.
func (c *Child) fail(err *StartError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report = &report{err: err}
	c.settle()
}

// cancelled reports whether the child was stopped before it began, and ends it.
func (c *Child) cancelled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		return false
	}
	c.report = &report{}
	c.exit = &Exit{Stopped: true}
	c.settle()
	return true
}

// streamRead notes that one stream has been read to its end.
func (c *Child) streamRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading--
	c.checkGone()
}

// checkGone is called with mu held, whenever the last thing may have happened.
func (c *Child) checkGone() {
	if c.ended && !c.gone && c.reading == 0 && c.sweeps == 0 {
		c.gone = true
		c.emit(Event{Kind: Gone})
	}
}

func (c *Child) emit(event Event) {
	event.Child, event.At = c, time.Now()
	c.manager.events.Put(event)
}
