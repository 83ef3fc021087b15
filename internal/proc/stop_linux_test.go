package proc

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	long  = time.Hour             // a grace that is not going to be over
	short = 20 * time.Millisecond // one that is
)

func TestStopGracefully(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.script(`trap 'echo finishing; exit 3' TERM; echo ready; while :; do read x; sleep 1000 & wait; done`)
	h.waitLine(c, "ready")
	if err := c.Stop(long); err != nil {
		t.Fatal(err)
	}
	exit := h.wait(c, Exited).Exit
	if exit.Status.ExitStatus() != 3 || !exit.Stopped || exit.Killed {
		t.Errorf("exit is %+v", exit)
	}
	if got := h.output(c); got != "ready\nfinishing\n" {
		t.Errorf("output is %q", got)
	}
	if err := c.Signal(syscall.SIGTERM); !errors.Is(err, ErrNotRunning) {
		t.Errorf("signal to an ended worker: %v", err)
	}
	if err := c.Stop(0); err != nil {
		t.Errorf("stop of an ended worker: %v", err)
	}
}

func TestGracefulSignalIsSentOnce(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.script(`trap 'echo term' TERM; trap 'echo usr1; exit' USR1; echo ready; while :; do sleep 1000 & wait; done`)
	h.waitLine(c, "ready")
	for range 3 {
		if err := c.Stop(long); err != nil {
			t.Fatal(err)
		}
		h.waitLine(c, "term")
	}
	h.wait(c, Started)
	if err := c.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if got := h.output(c); got != "ready\nterm\nusr1\n" {
		t.Errorf("output is %q", got)
	}
}

func TestStopSignalOfSpec(t *testing.T) {
	h := newHarness(t, Options{})
	spec := shell(t, `trap 'echo quit; exit' QUIT; echo ready; while :; do sleep 1000 & wait; done`)
	spec.StopSignal = syscall.SIGQUIT
	c := h.start(spec)
	h.waitLine(c, "ready")
	if err := c.Stop(long); err != nil {
		t.Fatal(err)
	}
	if got := h.output(c); got != "ready\nquit\n" {
		t.Errorf("output is %q", got)
	}
}

func TestDeadlineKillsTheGroup(t *testing.T) {
	h := newHarness(t, Options{Adopt: true})
	c := h.script(`trap '' TERM; sleep 1000 & echo pid $!; while :; do wait; done`)
	grandchild := pidIn(t, h.waitLine(c, "pid "))
	if err := c.Stop(short); err != nil {
		t.Fatal(err)
	}
	exit := h.wait(c, Exited).Exit
	if exit.Status.Signal() != syscall.SIGKILL || !exit.Killed || !exit.Stopped {
		t.Errorf("exit is %+v", exit)
	}
	gone(t, grandchild)
}

// TestDeadlineMoves begins with a grace that would never end and shortens it,
// and with one that is short and extends it.
func TestDeadlineMoves(t *testing.T) {
	h := newHarness(t, Options{})
	script := `trap 'echo term' TERM; trap 'exit 5' USR1; echo ready; while :; do sleep 1000 & wait; done`
	shortened, extended := h.script(script), h.script(script)
	h.waitLine(shortened, "ready")
	h.waitLine(extended, "ready")
	_ = extended.Stop(time.Minute)
	_ = extended.Stop(long)
	_ = shortened.Stop(long)
	_ = shortened.Stop(short)
	if exit := h.wait(shortened, Exited).Exit; !exit.Killed {
		t.Errorf("exit after a shortened grace is %+v", exit)
	}
	h.wait(extended, Started)
	h.waitLine(extended, "term")
	_ = extended.Signal(syscall.SIGUSR1)
	if exit := h.wait(extended, Exited).Exit; exit.Killed || exit.Status.ExitStatus() != 5 {
		t.Errorf("exit after an extended grace is %+v", exit)
	}
}

func TestStoppedWorkerIsKilledAtItsDeadline(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.script(`echo stopping; kill -STOP $$; echo never`)
	h.wait(c, Started)
	if err := unix.Waitid(unix.P_PID, c.PID(), nil, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	_ = c.Stop(short)
	if exit := h.wait(c, Exited).Exit; !exit.Killed {
		t.Errorf("exit is %+v", exit)
	}
	if got := h.output(c); got != "stopping\n" {
		t.Errorf("output is %q", got)
	}
}

// TestOthersExitEndsNobodysGrace has one worker end at once while another is
// within its grace.
func TestOthersExitEndsNobodysGrace(t *testing.T) {
	h := newHarness(t, Options{})
	slow := h.script(`trap 'echo term' TERM; trap 'echo done; exit 0' USR1; echo ready; while :; do sleep 1000 & wait; done`)
	h.waitLine(slow, "ready")
	_ = slow.Stop(long)
	for range 20 {
		quick := h.script(`exit 1`)
		_ = quick.Stop(long)
		h.wait(quick, Exited)
	}
	h.wait(slow, Started)
	h.waitLine(slow, "term")
	_ = slow.Signal(syscall.SIGUSR1)
	if exit := h.wait(slow, Exited).Exit; exit.Killed || exit.Status != 0 {
		t.Errorf("exit is %+v", exit)
	}
}

// gate is a Source that waits to be let through.
type gate struct {
	entered chan struct{}
	open    chan struct{}
}

func (g gate) Open(id *Identity) (Ends, error) {
	close(g.entered)
	<-g.open
	return Pipes{}.Open(id)
}

func TestStopBeforeTheStart(t *testing.T) {
	h := newHarness(t, Options{})
	g := gate{make(chan struct{}), make(chan struct{})}
	forking := h.launch(Launch{Spec: shell(t, "trap '' TERM; sleep 1000; sleep 1000"), Source: g})
	queued := h.script("echo ran")
	<-g.entered
	if err := errors.Join(queued.Stop(long), forking.Stop(short)); err != nil {
		t.Fatal(err)
	}
	close(g.open)
	if exit := h.wait(queued, Exited).Exit; !exit.NeverRan || !exit.Stopped || h.output(queued) != "" {
		t.Errorf("exit of a queued one is %+v", exit)
	}
	if exit := h.wait(forking, Exited).Exit; !exit.Stopped || !exit.Status.Signaled() {
		t.Errorf("exit of a starting one is %+v", exit)
	}
}

// TestEscapedProcesses has workers leave processes behind in another session,
// which keep the output open, are orphans before or after the worker's end,
// and have left something behind themselves.
func TestEscapedProcesses(t *testing.T) {
	for name, script := range map[string]string{
		"child":        `setsid sh -c 'echo pid $$; sleep 1000; :' & read x </dev/null; sleep 0.01; until [ -e "$READY" ]; do sleep 0.01; done; exit 0`,
		"double fork":  `( setsid sh -c 'echo pid $$; sleep 1000; :' & ); until [ -e "$READY" ]; do sleep 0.01; done; exit 0`,
		"second layer": `( setsid sh -c '( setsid sh -c "echo pid \$\$; sleep 1000; :" & ); sleep 1000; :' & ); until [ -e "$READY" ]; do sleep 0.01; done; exit 0`,
		"same session": `( sleep 1000 & echo pid $! ); until [ -e "$READY" ]; do sleep 0.01; done; exit 0`,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, Options{Adopt: true})
			ready := filepath.Join(t.TempDir(), "ready")
			c := h.script(strings.ReplaceAll(script, `"$READY"`, ready))
			bystander := h.script(`( setsid sh -c 'echo pid $$; exec sleep 1000' & ); echo ready; exec sleep 1000`)
			escaped := pidIn(t, h.waitLine(c, "pid "))
			spared := pidIn(t, h.waitLine(bystander, "pid "))
			if err := os.WriteFile(ready, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			exit := h.wait(c, Exited).Exit
			if exit.Status != 0 {
				t.Errorf("exit is %+v", exit)
			}
			gone(t, escaped)
			h.wait(c, Gone)
			if exit.Leaked == 0 && !h.has(c, Leaked) {
				t.Errorf("nothing was reported: %s", kinds(h.events[c]))
			}
			if h.manager.Stats().Leaked == 0 {
				t.Error("nothing was counted")
			}
			if err := unix.Kill(spared, 0); err != nil {
				t.Errorf("another worker's process is gone: %v", err)
			}
		})
	}
}

// TestOtherChildrenAreLeftAlone uses os/exec beside a Manager that adopts nobody.
func TestOtherChildrenAreLeftAlone(t *testing.T) {
	h := newHarness(t, Options{})
	other := exec.Command("/bin/sh", "-c", "exit 7")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	handle, err := unix.PidfdOpen(other.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(handle) //nolint:errcheck // a descriptor of the test
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}, 60_000)
	for range 5 { // the foreign one is dead and hides these
		h.wait(h.script("exit 0"), Exited)
	}
	var exit *exec.ExitError
	if err := other.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("the Manager took another's exit: %v", err)
	}
}

func pidIn(t *testing.T, line string) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimPrefix(line, "pid "))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
