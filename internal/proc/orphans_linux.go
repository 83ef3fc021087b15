package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// killRest kills what a child that has ended leaves behind, as far as that is
// certain at once, and returns how many processes that were. It is called with
// both mutexes held, before the child is reaped.
func (m *Manager) killRest(c *Child) int {
	defer func() { _ = unix.Kill(-c.pid, unix.SIGKILL) }()
	if c.leaf != nil {
		count := c.leaf.processes()
		if c.leaf.kill() == nil {
			m.stats.leaked.Add(uint64(count))
			return count
		}
	}
	if !m.adopts {
		return 0
	}
	adopted, err := m.adopted()
	if err != nil || len(adopted) == 0 {
		return 0
	}
	count := 0
	for _, pid := range adopted {
		stat, err := readStat(pid)
		if err != nil || stat.session != c.pid || stat.state == 'Z' {
			continue
		}
		count += 1 + len(descendants(pid))
		m.sweeping[pid] = c
		c.sweeps++
		_ = unix.Kill(pid, unix.SIGKILL) // a child of ours that only we reap, and mu is held
	}
	m.stats.leaked.Add(uint64(count))
	c.sweeps++
	m.sweeps.Put(c) // for those that have left the session
	return count
}

// adopted returns the adopted processes. It is called with mu held.
func (m *Manager) adopted() ([]int, error) {
	all, err := orphans()
	if err != nil {
		return nil, err
	}
	strangers := all[:0]
	for _, pid := range all {
		if m.children[pid] == nil {
			strangers = append(strangers, pid)
		}
	}
	return strangers, nil
}

// sweepLoop looks for what ended workers have left behind under another session.
// It does so apart from reaping: to read a process's environment may have to
// wait for its memory.
func (m *Manager) sweepLoop() {
	for {
		select {
		case <-m.sweeps.Ready():
		case <-m.done:
			return
		}
		for _, c := range m.sweeps.Take() {
			m.sweep(c)
		}
	}
}

// sweep kills the adopted processes that carry c's mark. What those leave
// behind in turn is swept when they have been reaped.
func (m *Manager) sweep(c *Child) {
	m.mu.Lock()
	adopted, _ := m.adopted() // that they cannot be listed was logged at the beginning
	m.mu.Unlock()
	count := 0
	for _, pid := range adopted {
		handle, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		// The number may be another process's by now, but then that has the mark, or
		// the handle leads nowhere.
		if carries(pid, c.mark) && m.killAdopted(c, pid, handle) {
			count++
		}
		_ = unix.Close(handle)
	}
	m.stats.leaked.Add(uint64(count))
	c.mu.Lock()
	defer c.mu.Unlock()
	if count > 0 && !c.gone {
		c.emit(Event{Kind: Leaked, Count: count})
	}
	c.sweeps--
	c.checkGone()
}

// killAdopted kills a process and has its end lead to another sweep. It reports
// whether that was news to the process.
func (m *Manager) killAdopted(c *Child, pid, handle int) bool {
	m.mu.Lock() // nothing is reaped meanwhile
	defer m.mu.Unlock()
	if m.sweeping[pid] != nil || unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0) != nil {
		return false
	}
	m.sweeping[pid] = c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweeps++
	return true
}

// carries reports whether a process has a mark in its environment.
func carries(pid int, mark string) bool {
	file, err := os.Open(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	defer file.Close() //nolint:errcheck // nothing was written
	environment, err := io.ReadAll(io.LimitReader(file, 4<<20))
	if err != nil {
		return false
	}
	for entry := range bytes.SplitSeq(environment, []byte{0}) {
		if string(entry) == mark {
			return true
		}
	}
	return false
}

// orphans returns the processes that this one has adopted: the kernel gives
// them to its main thread, which starts none itself.
func orphans() ([]int, error) { return childrenOf(os.Getpid(), os.Getpid()) }

// childrenOf returns the children of one thread.
func childrenOf(pid, thread int) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, thread))
	if err != nil {
		return nil, err
	}
	var children []int
	for field := range strings.FieldsSeq(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		children = append(children, child)
	}
	return children, nil
}

// descendants returns all that a process has started and that is still there.
func descendants(pid int) []int {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil
	}
	var found []int
	for _, thread := range threads {
		number, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		children, err := childrenOf(pid, number)
		if err != nil {
			continue
		}
		for _, child := range children {
			found = append(append(found, child), descendants(child)...)
		}
	}
	return found
}

// stat is the part of /proc/PID/stat that matters here.
type stat struct {
	state                  byte
	parent, group, session int
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The name, in parentheses, may contain anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 4 {
		return stat{}, errors.New("proc: stat is too short")
	}
	s := stat{state: fields[0][0]}
	for i, to := range []*int{&s.parent, &s.group, &s.session} {
		if *to, err = strconv.Atoi(fields[1+i]); err != nil {
			return stat{}, err
		}
	}
	return s, nil
}
