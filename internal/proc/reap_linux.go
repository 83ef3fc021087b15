package proc

import (
	"errors"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reapLoop buries the dead. SIGCHLD says only that there may be some.
func (m *Manager) reapLoop() {
	for {
		select {
		case <-m.died:
			m.reap()
		case <-m.done:
			return
		}
	}
}

func (m *Manager) reap() {
	for m.reapOne() {
	}
}

// reapOne buries one dead child and reports whether there may be another. The
// lock is released in between: forking waits for it.
func (m *Manager) reapOne() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	pid := deadChild(unix.P_ALL, 0)
	if pid == 0 {
		return false
	}
	if c := m.children[pid]; c != nil {
		m.bury(c)
		return true
	}
	if m.adopts {
		m.buryStranger(pid)
		return true
	}
	// Somebody else's child, who will wait for it. It hides our own.
	for pid, c := range m.children {
		if deadChild(unix.P_PID, pid) != 0 {
			m.bury(c)
		}
	}
	return false
}

// deadChild returns the number of a child that has ended, without reaping it,
// or 0.
func deadChild(kind, id int) int {
	var info struct { // siginfo_t, as waitid fills it in
		signal, errno, code, _ int32
		pid                    int32
		_                      [108]byte
	}
	for {
		_, _, errno := unix.Syscall6(unix.SYS_WAITID, uintptr(kind), uintptr(id), uintptr(unsafe.Pointer(&info)),
			unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, 0, 0)
		switch errno {
		case 0:
			return int(info.pid)
		case unix.EINTR:
		default: // ECHILD: there are none
			return 0
		}
	}
}

// bury is called with mu held, for a child that has ended. Until it is reaped
// its number is its own, and its session's and group's.
func (m *Manager) bury(c *Child) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lingers, leaked := c.lingers(), 0
	if !lingers {
		leaked = m.killRest(c)
	}
	var status unix.WaitStatus
	var usage unix.Rusage
	for {
		_, err := unix.Wait4(c.pid, &status, unix.WNOHANG, &usage)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	delete(m.children, c.pid)
	if c.pidfd >= 0 {
		_ = unix.Close(c.pidfd)
	}
	if c.deadline != nil {
		c.deadline.Stop()
	}
	c.reaped = true
	exit := &Exit{
		Status:  syscall.WaitStatus(status),
		User:    time.Duration(usage.Utime.Nano()),
		System:  time.Duration(usage.Stime.Nano()),
		Stopped: c.stopped,
		Killed:  c.killed,
		Leaked:  leaked,
	}
	if lingers {
		m.running.Go(func() { m.linger(c, exit) })
		return
	}
	m.conclude(c, exit)
}

// conclude ends a child of which nothing is to be waited for any more. It is
// called with both mutexes held.
func (m *Manager) conclude(c *Child, exit *Exit) {
	c.exit = exit
	if c.leaf != nil {
		c.exit.OutOfMemory = c.leaf.outOfMemory()
		if !c.leaf.remove() {
			c.sweeps++
			m.removeLater(c, time.Millisecond)
		}
	}
	finishStreams(c.streams, m.options.DrainTime)
	c.settle()
}

// buryStranger reaps an adopted process. If it was one that had been left
// behind, there may be others that were its children.
func (m *Manager) buryStranger(pid int) {
	for {
		_, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	m.stats.strangers.Add(1)
	if c := m.sweeping[pid]; c != nil {
		delete(m.sweeping, pid)
		m.sweeps.Put(c) // counted in c.sweeps in place of the process
	}
}
