package proc

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	firstLook = 10 * time.Millisecond // at what a leader has left behind
	lastLook  = 100 * time.Millisecond
	// lingerTime is what is left behind has by a leader that was not told to
	// stop, where its Spec says nothing.
	lingerTime = 10 * time.Second
	// dyingTime is how long the end of what has been killed is waited for.
	dyingTime = 5 * time.Second
)

// lingers reports whether the child's end is to wait for what its leader has
// left behind. It is called with both mutexes held, before the leader is reaped.
func (c *Child) lingers() bool {
	if !c.launch.Spec.Linger || c.killed {
		return false
	}
	if rest, err := sessionOf(c.pid); err == nil && len(rest) == 0 {
		return false
	}
	if c.killAt.IsZero() {
		grace := c.launch.Spec.StopTimeout
		if grace <= 0 {
			grace = lingerTime
		}
		c.killAt = time.Now().Add(grace)
	}
	c.manager.log.Info("A worker has ended, and what it has left behind is given time to end as well", "worker", c.launch.Name, "pid", c.pid)
	return true
}

// linger waits until nothing is left of a child's session, or kills that when
// the child's grace is over, which Stop goes on moving. Then the child has ended.
func (m *Manager) linger(c *Child, exit *Exit) {
	c.tellRest()
	pause := firstLook
	var killed time.Time
	for {
		select {
		case <-time.After(pause):
		case <-m.done:
			c.mu.Lock()
			defer c.mu.Unlock()
			finishStreams(c.streams, 0)
			return
		}
		pause = min(2*pause, lastLook)
		rest, err := sessionOf(c.pid)
		if err == nil && len(rest) == 0 || !killed.IsZero() && time.Since(killed) >= dyingTime {
			break
		}
		if !c.graceIsOver() {
			continue
		}
		if killed.IsZero() {
			killed, pause = time.Now(), firstLook
			exit.Killed, exit.Leaked = true, len(rest)
			m.stats.leaked.Add(uint64(len(rest)))
		}
		c.killSession(rest)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.adopts {
		c.sweeps++
		m.sweeps.Put(c) // for those that have left the session
	}
	m.conclude(c, exit)
}

func (c *Child) graceIsOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !time.Now().Before(c.killAt)
}

// tellRest tells what a leader has left behind to leave, where that was not told
// itself: one that has crashed can pass nothing on, and the others would take
// jobs until they are killed with one. Only those are told whose parent is gone:
// the others are told by theirs.
func (c *Child) tellRest() {
	c.mu.Lock()
	signaled := c.signaled
	c.mu.Unlock()
	if signaled {
		return
	}
	rest, _ := sessionOf(c.pid) // what cannot be read now is killed when the grace is over
	for _, p := range rest {
		if !slices.ContainsFunc(rest, func(other member) bool { return other.pid == p.parent }) {
			c.signalMember(p.pid, c.launch.Spec.stopSignal())
		}
	}
}

// killSession kills those of the processes that are in the child's session.
func (c *Child) killSession(rest []member) {
	if c.leaf != nil {
		_ = c.leaf.kill() // unknown before Linux 5.14; each is killed in any case
	}
	for _, p := range rest {
		c.signalMember(p.pid, unix.SIGKILL)
	}
}

// signalMember sends a signal to a process if it is in the child's session.
func (c *Child) signalMember(pid int, signal syscall.Signal) {
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(handle) //nolint:errcheck // nothing was written
	// The number may be another process's by now; the handle stays with one.
	if s, err := readStat(pid); err == nil && s.session == c.pid {
		_ = unix.PidfdSendSignal(handle, signal, nil, 0)
	}
}

// member is a process of a session.
type member struct{ pid, parent int }

// sessionOf returns the live processes of the session of a leader that has
// ended. Its number is not given away as long as there is one; a live process
// with that number says that there is none any more. With an error, as where no
// file can be opened, there may be more.
func sessionOf(leader int) ([]member, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close() //nolint:errcheck // nothing was written
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var found []member
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		s, err := readStat(pid)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH): // it has ended meanwhile
		case err != nil:
			return found, err
		case s.session != leader || s.state == 'Z' || s.state == 'X':
		case pid == leader:
			return nil, nil
		default:
			found = append(found, member{pid, s.parent})
		}
	}
	return found, nil
}
