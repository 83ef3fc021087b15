package proc

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// modeVariable makes this test binary play a part instead of testing.
const modeVariable = "PROC_TEST_MODE"

// The death signal is the main thread's, which only runs package
// initialization for certain.
var deathSignal = readDeathSignal()

func TestMain(m *testing.M) {
	RunStub()
	switch os.Getenv(modeVariable) {
	case "report":
		reportSelf()
	case "supervisor":
		superviseForever()
	default:
		goleak.VerifyTestMain(m)
	}
}

// self is what a worker finds out about itself.
type self struct {
	UID, EUID, GID, EGID int
	Groups               []int
	Umask                int
	Nice                 int
	NoFile, Core         [2]uint64
	Dir                  string
	Env                  []string
	Args                 []string
	DeathSignal          int
	LeadsSession         bool
	ParentIsSupervisor   bool
}

func reportSelf() {
	groups, _ := os.Getgroups()
	slices.Sort(groups)
	umask := syscall.Umask(0)
	nice, _ := unix.Getpriority(unix.PRIO_PROCESS, 0)
	dir, _ := os.Getwd()
	sid, _ := unix.Getsid(0)
	// Go raises the soft limit of open files for itself; the kernel still knows
	// the hard one.
	var nofile, core unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &nofile)
	_ = unix.Getrlimit(unix.RLIMIT_CORE, &core)
	_ = json.NewEncoder(os.Stdout).Encode(self{
		UID: os.Getuid(), EUID: os.Geteuid(), GID: os.Getgid(), EGID: os.Getegid(), Groups: groups,
		Umask: umask, Nice: 20 - nice, Dir: dir, Env: os.Environ(), Args: os.Args, DeathSignal: deathSignal,
		NoFile: [2]uint64{nofile.Cur, nofile.Max}, Core: [2]uint64{core.Cur, core.Max},
		LeadsSession:       sid == os.Getpid() && unix.Getpgrp() == os.Getpid(),
		ParentIsSupervisor: fmt.Sprint(os.Getppid()) == os.Getenv("SUPERVISOR"),
	})
}

func readDeathSignal() int {
	var signal int32
	if err := unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0, 0, 0); err != nil {
		return -1
	}
	return int(signal)
}

// harness is a Manager with what its children have told so far.
type harness struct {
	t        *testing.T
	manager  *Manager
	children []*Child
	events   map[*Child][]Event

	mu    sync.Mutex
	lines map[*Child][]Line
	wrote chan struct{}
}

func newHarness(t *testing.T, o Options) *harness {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{t: t, manager: m, events: map[*Child][]Event{}, lines: map[*Child][]Line{}, wrote: make(chan struct{}, 1)}
	t.Cleanup(h.close)
	return h
}

func (h *harness) close() {
	for _, c := range h.children {
		if !h.has(c, Exited) && !h.has(c, Failed) {
			_ = c.Stop(0)
		}
		h.wait(c, Gone)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h.manager.Close(ctx); err != nil {
		h.t.Error(err)
	}
}

// shell is a Spec that runs a script of sh as the supervisor's own user.
func shell(t *testing.T, script string) Spec {
	t.Helper()
	env, err := NewEnv(map[string]string{"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
	if err != nil {
		t.Fatal(err)
	}
	return Spec{
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Dir: "/", Env: env,
		User: &Identity{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())},
	}
}

func (h *harness) start(spec Spec) *Child { return h.launch(Launch{Spec: spec}) }

func (h *harness) script(script string) *Child { return h.start(shell(h.t, script)) }

func (h *harness) launch(l Launch) *Child {
	var c *Child
	known := make(chan struct{})
	l.Name = h.t.Name()
	l.Observe = func(line Line) {
		<-known
		h.mu.Lock()
		defer h.mu.Unlock()
		h.lines[c] = append(h.lines[c], line)
		select {
		case h.wrote <- struct{}{}:
		default:
		}
	}
	c = h.manager.Start(l)
	close(known)
	h.children = append(h.children, c)
	return c
}

func (h *harness) has(c *Child, kind Kind) bool {
	return slices.ContainsFunc(h.events[c], func(e Event) bool { return e.Kind == kind })
}

// wait returns the event of a kind that a child has had or is going to have.
func (h *harness) wait(c *Child, kind Kind) Event {
	h.t.Helper()
	for !h.has(c, kind) {
		h.receive(kind)
	}
	i := slices.IndexFunc(h.events[c], func(e Event) bool { return e.Kind == kind })
	return h.events[c][i]
}

func (h *harness) receive(awaited Kind) {
	h.t.Helper()
	select {
	case e := <-h.manager.Events():
		h.events[e.Child] = append(h.events[e.Child], e)
	case <-time.After(time.Minute):
		h.t.Fatalf("nothing happens, still waiting for %v", awaited)
	}
}

// waitLine returns the line with text that a child has written or is going to
// write.
func (h *harness) waitLine(c *Child, text string) string {
	h.t.Helper()
	timeout := time.After(time.Minute)
	for {
		h.mu.Lock()
		i := slices.IndexFunc(h.lines[c], func(line Line) bool { return strings.Contains(line.Text, text) })
		if i >= 0 {
			defer h.mu.Unlock()
			return h.lines[c][i].Text
		}
		h.mu.Unlock()
		select {
		case <-h.wrote:
		case <-timeout:
			h.t.Fatalf("%q was never written, but %q", text, h.text(c))
		}
	}
}

// text is what a child has written; all of it once it is Gone.
func (h *harness) text(c *Child) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all strings.Builder
	for _, line := range h.lines[c] {
		all.WriteString(line.Text)
		if !line.More && !line.Open {
			all.WriteByte('\n')
		}
	}
	return all.String()
}

// output waits for a child's end and returns what it has written.
func (h *harness) output(c *Child) string {
	h.t.Helper()
	h.wait(c, Gone)
	return h.text(c)
}

// gone waits until a process that this one did not start has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	handle, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(handle) //nolint:errcheck // a descriptor of the test
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if n, _ := unix.Poll([]unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}, 1000); n == 1 {
			return
		}
	}
	t.Fatalf("process %d is still there", pid)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
