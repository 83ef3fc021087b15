package proc

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lingering is a worker whose leader leaves at once when it is told to, and
// whose second process ends when somebody writes into a FIFO.
func lingering(t *testing.T, h *harness) (c *Child, finish func()) {
	t.Helper()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := shell(t, `(trap '' TERM; read x <'`+fifo+`'; echo finished) & trap 'echo leaving; exit 0' TERM; echo ready; while :; do wait; done`)
	spec.Linger = true
	c = h.start(spec)
	h.waitLine(c, "ready")
	return c, func() {
		if err := os.WriteFile(fifo, []byte("go\n"), 0o600); err != nil {
			t.Error(err)
		}
	}
}

func TestLingeringWorkerEndsWithItsLastProcess(t *testing.T) {
	for _, adopt := range []bool{false, true} {
		h := newHarness(t, Options{Adopt: adopt})
		c, finish := lingering(t, h)
		if err := c.Stop(long); err != nil {
			t.Fatal(err)
		}
		h.waitLine(c, "leaving")
		for alive(c.PID()) {
			time.Sleep(time.Millisecond)
		}
		if err := c.Signal(syscall.SIGTERM); err == nil {
			t.Error("a leader that has ended was signalled")
		}
		finish()
		exit := h.wait(c, Exited).Exit
		if exit.Killed || exit.Leaked != 0 || exit.Status.ExitStatus() != 0 {
			t.Errorf("adopting %v: exit is %+v", adopt, exit)
		}
		if got := h.output(c); got != "ready\nleaving\nfinished\n" {
			t.Errorf("adopting %v: output is %q", adopt, got)
		}
	}
}

// Its grace goes on after the leader's end, and can still be shortened.
func TestLingeringWorkerIsKilledAtItsDeadline(t *testing.T) {
	for _, adopt := range []bool{false, true} {
		h := newHarness(t, Options{Adopt: adopt})
		c, _ := lingering(t, h)
		_ = c.Stop(long)
		h.waitLine(c, "leaving")
		for alive(c.PID()) {
			time.Sleep(time.Millisecond)
		}
		_ = c.Stop(0)
		exit := h.wait(c, Exited).Exit
		if !exit.Killed || exit.Leaked != 1 {
			t.Errorf("adopting %v: exit is %+v", adopt, exit)
		}
	}
}

// A leader that has crashed tells nobody: what it leaves behind is told in its
// place, each process once and by whoever knows it.
func TestLingeringWorkerWhoseLeaderHasCrashed(t *testing.T) {
	for _, adopt := range []bool{false, true} {
		h := newHarness(t, Options{Adopt: adopt})
		spec := shell(t, `(trap 'echo told; exit 0' TERM
			sh -c 'trap "echo wrong; exit 0" TERM; echo ready; while :; do sleep 0.02; done' & trap 'kill -9 $!; echo told; exit 0' TERM
			while :; do wait; done) & wait`)
		spec.Linger, spec.StopTimeout = true, long
		c := h.start(spec)
		h.waitLine(c, "ready")
		if err := c.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		exit := h.wait(c, Exited).Exit
		if exit.Killed || exit.Leaked != 0 || exit.Status.Signal() != syscall.SIGKILL {
			t.Errorf("adopting %v: exit is %+v", adopt, exit)
		}
		if got := h.output(c); got != "ready\ntold\n" {
			t.Errorf("adopting %v: output is %q", adopt, got)
		}
	}
}

// alive reports whether a process is there, dead ones that nobody has waited
// for included.
func alive(pid int) bool { return unix.Kill(pid, 0) == nil }
