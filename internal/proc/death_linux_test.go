package proc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestThreadsEnd ends many threads: none of them may be the one whose end is the
// supervisor's to the kernel.
func TestThreadsEnd(t *testing.T) {
	h := newHarness(t, Options{})
	spec := shell(t, "echo ready; exec sleep 1000")
	spec.DeathSignal = syscall.SIGKILL
	var children []*Child
	for range 5 {
		children = append(children, h.start(spec))
	}
	ended := make(chan struct{})
	for range 50 {
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			ended <- struct{}{}
		}()
	}
	for range 50 {
		<-ended
	}
	for _, c := range children {
		h.wait(c, Started)
		h.waitLine(c, "ready")
		if err := c.Signal(0); err != nil {
			t.Errorf("a worker is gone: %v", err)
		}
	}
}

// superviseForever is a supervisor in another process, to be killed.
func superviseForever() {
	m, err := New(Options{Logger: discard()})
	if err != nil {
		panic(err)
	}
	env, err := NewEnv(map[string]string{"PATH": "/usr/bin:/bin", "FIFO": os.Getenv("FIFO")})
	if err != nil {
		panic(err)
	}
	// The kernel sends the death signal again for every thread of the supervisor.
	script := `sleep 1000 & trap 'trap "" TERM; kill $!; echo finished >"$FIFO"; exit' TERM; echo ready >"$FIFO"; wait`
	m.Start(Launch{Spec: Spec{
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Dir: "/", Env: env,
		User:        &Identity{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())},
		DeathSignal: syscall.SIGTERM,
	}})
	for e := range m.Events() {
		fmt.Println(e.Kind)
	}
}

func TestSupervisorIsKilled(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	supervisor := exec.Command("/proc/self/exe")
	supervisor.Env = []string{modeVariable + "=supervisor", "FIFO=" + fifo}
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		text, err := os.ReadFile(fifo)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := read(); got != "ready\n" {
		t.Errorf("the worker wrote %q", got)
	}
	if err := supervisor.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = supervisor.Wait()
	if got := read(); got != "finished\n" {
		t.Errorf("the worker wrote %q after its supervisor's death", got)
	}
}

// TestCloseLeavesWorkersAlone ends the Manager, not what it has started, not even
// the thread that is its parent to the kernel.
func TestCloseLeavesWorkersAlone(t *testing.T) {
	written := make(chan Line, 1)
	m, err := New(Options{Logger: discard(), Forward: func(_ *Child, line Line) { written <- line }})
	if err != nil {
		t.Fatal(err)
	}
	spec := shell(t, "echo ready; exec sleep 1000")
	spec.DeathSignal = syscall.SIGTERM
	c := m.Start(Launch{Spec: spec})
	if line := <-written; line.Text != "ready" {
		t.Errorf("the worker wrote %q", line.Text)
	}
	pid := c.PID()
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Errorf("closed again: %v", err)
	}
	if deadChild(unix.P_PID, pid) != 0 {
		t.Error("the worker has ended")
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Error(err)
	}
	if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
		t.Error(err)
	}
}
