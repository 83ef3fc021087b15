package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openNow returns what the supervisor has open.
func openNow(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && !strings.HasSuffix(target, "/fd") { // not the directory being read
			open = append(open, target)
		}
	}
	slices.Sort(open)
	return open
}

// TestManyExitAtOnce starts workers that are gone before anybody looks, some of
// which never come to be: each has its events in their order, and nothing
// remains.
func TestManyExitAtOnce(t *testing.T) {
	h := newHarness(t, Options{Adopt: true})
	h.wait(h.script("exit 0"), Gone) // whatever is opened once is open now
	before := openNow(t)
	var workers, failing []*Child
	for i := range 200 {
		workers = append(workers, h.script(fmt.Sprintf("exit %d", i)))
		if i%10 == 0 {
			spec := shell(t, "")
			spec.Dir = "/no/such"
			failing = append(failing, h.start(spec))
		}
	}
	for i, c := range workers {
		if exit := h.wait(c, Exited).Exit; exit.Status.ExitStatus() != i {
			t.Errorf("worker %d: exit is %+v", i, exit)
		}
		h.wait(c, Gone)
		if got := kinds(h.events[c]); got != "[started exited gone]" {
			t.Errorf("worker %d: events are %s", i, got)
		}
	}
	for _, c := range failing {
		h.wait(c, Gone)
		if got := kinds(h.events[c]); got != "[failed gone]" {
			t.Errorf("a failing one's events are %s", got)
		}
	}
	if after := openNow(t); !slices.Equal(before, after) {
		t.Errorf("open before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	if got := deadChild(unix.P_ALL, 0); got != 0 {
		t.Errorf("%d has not been reaped", got)
	}
	if got := len(h.manager.children); got != 0 {
		t.Errorf("%d children are remembered", got)
	}
}

func kinds(events []Event) string {
	var all []Kind
	for _, e := range events {
		all = append(all, e.Kind)
	}
	return fmt.Sprint(all)
}

// TestHungDirectory has a working directory that never answers: a FUSE file
// system without anybody behind it.
func TestHungDirectory(t *testing.T) {
	needRoot(t)
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("no FUSE:", err)
	}
	dir := t.TempDir()
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device)
	if err := unix.Mount("nobody", dir, "fuse", 0, options); err != nil {
		_ = unix.Close(device)
		t.Skip("no FUSE:", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	t.Cleanup(func() { _ = unix.Close(device) })
	eachStub(t, func(t *testing.T, s *stub) {
		h := newHarness(t, Options{stub: s})
		spec := shell(t, "echo ran")
		// To look for a name in it would lock the directory, and a process that waits
		// for another's lock cannot be killed.
		spec.Dir = dir
		var hung []*Child
		for range 5 {
			hung = append(hung, h.start(spec))
		}
		if got := h.output(h.script("echo ran")); got != "ran\n" {
			t.Errorf("another worker wrote %q", got)
		}
		_ = hung[0].Stop(long)
		_ = hung[1].Stop(0)
		for _, c := range hung[:2] {
			if exit := h.wait(c, Exited).Exit; !exit.NeverRan || !exit.Status.Signaled() {
				t.Errorf("exit is %+v", exit)
			}
		}
		if err := hung[2].Signal(syscall.SIGUSR2); !errors.Is(err, ErrNotRunning) {
			t.Errorf("signal to a starting worker: %v", err)
		}
		for _, c := range hung[2:] {
			if h.has(c, Started) || h.has(c, Failed) {
				t.Errorf("a hung one's events are %s", kinds(h.events[c]))
			}
		}
	})
}

// ownCgroup makes a cgroup to put workers' into.
func ownCgroup(t *testing.T) string {
	t.Helper()
	needRoot(t)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	root, err := cgroupDir([]byte("0::/\n"), mounts)
	if err != nil {
		t.Skip("no cgroup:", err)
	}
	dir := filepath.Join(root, "queuefleet-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skip("no cgroup:", err)
	}
	t.Cleanup(func() {
		if err := unix.Rmdir(dir); err != nil {
			t.Errorf("something is left in the cgroup: %v", err)
		}
	})
	return dir
}

func TestCgroup(t *testing.T) {
	dir := ownCgroup(t)
	h := newHarness(t, Options{Adopt: true, CgroupDir: dir})
	spec := shell(t, `cat /proc/self/cgroup; setsid env -i sleep 1000 & echo pid $!; read x </dev/null; exit 0`)
	spec.MemoryMax = 64 << 20
	c := h.start(spec)
	escaped := pidIn(t, h.waitLine(c, "pid ")) // has neither session nor mark
	if exit := h.wait(c, Exited).Exit; exit.Leaked != 1 || exit.OutOfMemory {
		t.Errorf("exit is %+v", exit)
	}
	gone(t, escaped)
	name := fmt.Sprintf("/%s/worker-%d\n", filepath.Base(dir), c.ID())
	if got := h.output(c); !strings.Contains(got, name) {
		t.Errorf("the worker is in\n%snot in %s", got, name)
	}
	if err := h.manager.MemoryMaxError(); err != nil {
		t.Log("memory.max has no effect here:", err)
	}
	stubborn := h.script(`trap '' TERM; setsid env -i sleep 1000 & echo pid $!; while :; do wait; done`)
	escaped = pidIn(t, h.waitLine(stubborn, "pid "))
	_ = stubborn.Stop(short)
	h.wait(stubborn, Exited)
	gone(t, escaped)
}

func TestCgroupOfOneself(t *testing.T) {
	const mounts = `22 1 0:20 / /sys rw - sysfs sysfs rw
30 22 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 22 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw
`
	container := strings.Replace(mounts, "0:27 / /sys/fs/cgroup/unified", "0:27 /docker/1 /sys/fs/cgroup", 1)
	cases := []struct{ name, own, mounts, want string }{
		{"hybrid", "4:memory:/x\n0::/system.slice/q.service\n", mounts, "/sys/fs/cgroup/unified/system.slice/q.service"},
		{"root", "0::/\n", mounts, "/sys/fs/cgroup/unified"},
		{"bind mount", "0::/docker/1/q\n", container, "/sys/fs/cgroup/q"},
		{"version 1", "4:memory:/x\n", mounts, ""},
		{"not mounted", "0::/\n", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := cgroupDir([]byte(c.own), []byte(c.mounts))
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// TestMemoryMax writes into a directory that looks like a cgroup.
func TestMemoryMax(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("cgroup.procs", "")
	write("cgroup.controllers", "cpu pids\n")
	g, err := openCgroup(dir)
	if err != nil || g.noMemory == nil {
		t.Errorf("without the controller: %v, %+v", err, g)
	}
	write("cgroup.controllers", "cpu memory\n")
	write("cgroup.subtree_control", "")
	if g, err = openCgroup(dir); err != nil || g.noMemory != nil {
		t.Errorf("with the controller: %v, %+v", err, g)
	}
	write("memory.max", "max")
	l := leaf{dir: dir}
	if err := l.prepare(1<<20, true); err != nil {
		t.Fatal(err)
	}
	defer l.handle.Close() //nolint:errcheck // a descriptor of the test
	if got, err := os.ReadFile(filepath.Join(dir, "memory.max")); err != nil || string(got) != "1048576" {
		t.Errorf("memory.max is %q, %v", got, err)
	}
	for events, want := range map[string]bool{"low 0\noom 1\noom_kill 0\n": false, "oom 3\noom_kill 2\n": true, "": false} {
		write("memory.events", events)
		if got := l.outOfMemory(); got != want {
			t.Errorf("%q means %v", events, got)
		}
	}
	if _, err := openCgroup(filepath.Join(dir, "none")); err == nil {
		t.Error("a cgroup that does not exist was opened")
	}
}

func TestUsageAndReadiness(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.script(`trap 'exit 0' USR2; echo ready; while :; do sleep 1000 & wait; done`)
	h.wait(c, Started)
	h.waitLine(c, "ready")
	usage, err := c.Usage()
	if err != nil || usage.RSS == 0 {
		t.Errorf("usage is %+v, %v", usage, err)
	}
	for signal, want := range map[syscall.Signal]bool{syscall.SIGUSR2: true, syscall.SIGUSR1: false} {
		if got, err := c.Catches(signal); err != nil || got != want {
			t.Errorf("catches %v: %v, %v", signal, got, err)
		}
	}
	_ = c.Signal(syscall.SIGUSR2)
	h.wait(c, Exited)
	if _, err := c.Usage(); !errors.Is(err, ErrNotRunning) {
		t.Errorf("usage of an ended worker: %v", err)
	}
}

// What a worker handles is told behind its groups, of which there may be many.
func TestCatchesOfAUserWithManyGroups(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a worker groups")
	}
	h := newHarness(t, Options{})
	spec := shell(t, `trap 'exit 0' USR2; echo ready; while :; do sleep 0.02; done`)
	spec.User = &Identity{UID: 0, GID: 0}
	for g := range uint32(2000) {
		spec.User.Groups = append(spec.User.Groups, 1000+g)
	}
	c := h.start(spec)
	h.waitLine(c, "ready")
	for signal, want := range map[syscall.Signal]bool{syscall.SIGUSR2: true, syscall.SIGUSR1: false} {
		if got, err := c.Catches(signal); err != nil || got != want {
			t.Errorf("catches %v: %v, %v", signal, got, err)
		}
	}
	_ = c.Signal(syscall.SIGUSR2)
	h.wait(c, Exited)
}
