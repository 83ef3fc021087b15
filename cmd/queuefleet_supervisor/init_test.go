package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// TestAsProcessOne is the supervisor's life in a container: whatever loses its
// parent becomes its child, and is reaped.
func TestAsProcessOne(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a namespace of processes")
	}
	redistest.Need(t, "mount")
	server := redistest.Start(t, redistest.Options{})
	config := filepath.Join(t.TempDir(), "queuefleet.yml")
	// The middle shell ends at once, and what it has begun belongs to nobody.
	const command = `sh -c 'setsid sh -c "sleep 0.2; echo the orphan ends" &'; exec sleep 100000`
	write(t, config, fmt.Sprintf("connections: [{name: main, address: %q}]\napplications: [{slug: shop}]\nqueues:\n"+
		"  - name: mail\n    application: shop\n    connection: main\n    queue_names: [mail]\n    max_processes: 1\n"+
		"    worker:\n      preset: exec\n      directory: /\n      user: root\n      command: [/bin/sh, -c, %q]\n", server.Addr, command))
	p := startProcessIn(t, syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS}, config)
	p.await("a worker", func() bool { return p.pool("mail").Workers.Running == 1 })
	p.logged("the orphan ends", 1)
	p.await("that nothing dead is left", func() bool {
		states := p.children()
		return len(states) == 1 && states[0] != "Z"
	})
	if pids := p.pids("mail"); len(pids) != 1 || pids[1] {
		t.Errorf("workers %v", pids)
	}
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}

// children lists the states of the supervisor's children.
func (p *process) children() (states []string) {
	p.t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		p.t.Fatalf("the kernel does not tell of children: %v", err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		for _, pid := range strings.Fields(string(text)) {
			if stat, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil {
				_, rest, _ := strings.Cut(string(stat), ") ")
				states = append(states, rest[:1])
			}
		}
	}
	return states
}
