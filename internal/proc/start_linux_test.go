package proc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// eachStub runs a test with both ways to carry out a program.
func eachStub(t *testing.T, test func(t *testing.T, s *stub)) {
	native, interpreted := nativeStub(), goStub()
	t.Run("native", func(t *testing.T) {
		if native.code == nil {
			t.Skip("there is no native stub for this architecture")
		}
		test(t, &native)
	})
	t.Run("go", func(t *testing.T) { test(t, &interpreted) })
}

// ownCopy copies this test binary to where any user can execute it.
func ownCopy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close() //nolint:errcheck // a descriptor of the test
	to, err := os.OpenFile(filepath.Join(dir, "worker"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Name()
}

func TestWorkerIsWhatItsSpecSays(t *testing.T) {
	needRoot(t)
	eachStub(t, func(t *testing.T, s *stub) {
		binary := ownCopy(t)
		h := newHarness(t, Options{stub: s})
		env, err := NewEnv(map[string]string{
			modeVariable: "report", "SUPERVISOR": fmt.Sprint(os.Getpid()), "EMPTY": "", "ODD": "a=b\nc", markName: "forged",
		})
		if err != nil {
			t.Fatal(err)
		}
		umask := uint32(0o027)
		c := h.start(Spec{
			Path: binary, Args: []string{"a worker", "with space", ""}, Dir: "/usr", Env: env,
			User:  &Identity{UID: 65534, GID: 65533, Groups: []uint32{65533, 4711, 12}},
			Umask: &umask, Nice: 7, DeathSignal: syscall.SIGTERM,
			Limits: []Limit{{"nofile", 300, 300}, {"core", 0, Unlimited}},
		})
		var got self
		if err := json.Unmarshal([]byte(h.output(c)), &got); err != nil {
			t.Fatalf("%v: %q %v", err, h.text(c), h.events[c])
		}
		want := self{
			UID: 65534, EUID: 65534, GID: 65533, EGID: 65533, Groups: []int{12, 4711, 65533},
			Umask: 0o027, Nice: 7, NoFile: [2]uint64{300, 300}, Core: [2]uint64{0, Unlimited}, Dir: "/usr",
			Env: []string{
				"EMPTY=", "ODD=a=b\nc", modeVariable + "=report", fmt.Sprint("SUPERVISOR=", os.Getpid()), c.mark,
			},
			Args: []string{"a worker", "with space", ""}, DeathSignal: int(syscall.SIGTERM),
			LeadsSession: true, ParentIsSupervisor: true,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the worker is not as specified (-want +got):\n%s", diff)
		}
		if exit := h.wait(c, Exited).Exit; exit.Status != 0 || exit.NeverRan || exit.User+exit.System == 0 {
			t.Errorf("exit is %+v", exit)
		}
	})
}

// TestWorkerGetsNothingElse has the supervisor hold what must not be passed on:
// a file without close-on-exec, an ignored and a blocked signal.
func TestWorkerGetsNothingElse(t *testing.T) {
	leak, err := unix.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak) //nolint:errcheck // a descriptor of the test
	eachStub(t, func(t *testing.T, s *stub) {
		h := newHarness(t, Options{stub: s})
		lock, err := os.Create(filepath.Join(t.TempDir(), "lock"))
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close() //nolint:errcheck // a descriptor of the test
		// ls has the directory open as well, as the lowest number that is free.
		files := h.script("exec ls -l /proc/self/fd/")
		locked := h.launch(Launch{Spec: shell(t, "exec ls -l /proc/self/fd/"), Lock: lock})
		if got := openFiles(h.output(files)); got != "0:null 1:pipe 2:pipe 3:dir" {
			t.Errorf("files are %s", got)
		}
		if got := openFiles(h.output(locked)); got != "0:null 1:pipe 2:pipe 3:lock 4:dir" {
			t.Errorf("files with a lock are %s", got)
		}
		status := h.script("exec cat /proc/self/status")
		for _, want := range []string{"SigBlk:\t0000000000000000\n", "SigIgn:\t0000000000000000\n", "Name:\tcat\n"} {
			if !strings.Contains(h.output(status), want) {
				t.Errorf("%q is missing in %s", want, h.text(status))
			}
		}
	})
}

// openFiles shortens what ls -l says of /proc/self/fd.
func openFiles(list string) string {
	var short []string
	for line := range strings.Lines(list) {
		before, target, ok := strings.Cut(strings.TrimSpace(line), " -> ")
		if !ok {
			continue
		}
		kind, _, _ := strings.Cut(filepath.Base(target), ":")
		if kind == "fd" {
			kind = "dir"
		}
		short = append(short, before[strings.LastIndexByte(before, ' ')+1:]+":"+kind)
	}
	return strings.Join(short, " ")
}

func TestStartFails(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := file("plain", "", 0o644)
	textual := file("textual", "no script", 0o755)
	orphaned := file("orphaned", "#!/no/such/interpreter\n", 0o755)
	cases := []struct {
		name   string
		change func(*Spec)
		reason StartReason
		errno  syscall.Errno
		text   string
	}{
		{"no command", func(s *Spec) { s.Path = "/no/such" }, MissingCommand, unix.ENOENT, "executing /no/such: "},
		{"no interpreter", func(s *Spec) { s.Path = orphaned }, MissingCommand, unix.ENOENT, "executing " + orphaned},
		{"not executable", func(s *Spec) { s.Path = plain }, NotExecutable, unix.EACCES, "executing " + plain},
		{"not a program", func(s *Spec) { s.Path = textual }, NotExecutable, unix.ENOEXEC, "executing " + textual},
		{"a directory", func(s *Spec) { s.Path = "/usr" }, NotExecutable, unix.EACCES, "executing /usr"},
		{"no directory", func(s *Spec) { s.Dir = "/no/such" }, BadDirectory, unix.ENOENT, "changing to directory /no/such"},
		{"a file as directory", func(s *Spec) { s.Dir = plain }, BadDirectory, unix.ENOTDIR, plain},
		{"a limit nobody may have", func(s *Spec) { s.Limits = []Limit{{"nofile", 1 << 40, 1 << 40}} },
			BadLimit, unix.EPERM, "setting limit nofile"},
		{"an unknown limit", func(s *Spec) { s.Limits = []Limit{{"nonsense", 1, 1}} }, BadLimit, 0, `no limit "nonsense"`},
		{"too many arguments", func(s *Spec) { s.Args = append(s.Args, strings.Repeat("x", 1<<20)) },
			OtherReason, unix.E2BIG, "executing /bin/sh"},
		{"NUL", func(s *Spec) { s.Args = append(s.Args, "a\x00b") }, OtherReason, 0, "NUL"},
		{"no argument", func(s *Spec) { s.Args = nil }, MissingCommand, 0, "empty"},
	}
	eachStub(t, func(t *testing.T, s *stub) {
		h := newHarness(t, Options{stub: s})
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				spec := shell(t, "echo ran")
				c.change(&spec)
				child := h.start(spec)
				err := h.wait(child, Failed).Err
				if err.Reason != c.reason || !strings.Contains(err.Error(), c.text) || (c.errno != 0 && !errors.Is(err, c.errno)) {
					t.Errorf("error is %s (%v)", err.Reason, err)
				}
				if h.output(child) != "" || h.has(child, Started) || h.has(child, Exited) {
					t.Errorf("it ran: %v", h.events[child])
				}
			})
		}
	})
}

// TestStartFailsAsTheWorkersUser shows what only the worker's user can find out.
func TestStartFailsAsTheWorkersUser(t *testing.T) {
	needRoot(t)
	h := newHarness(t, Options{})
	private := t.TempDir() // below a directory of mode 0700
	spec := shell(t, "echo ran")
	spec.User = &Identity{UID: 65534, GID: 65534}
	spec.Dir = private
	if err := h.wait(h.start(spec), Failed).Err; err.Reason != BadDirectory || !errors.Is(err, unix.EACCES) {
		t.Errorf("error is %s (%v)", err.Reason, err)
	}
	spec.Dir, spec.Path = "/", filepath.Join(private, "sh")
	if err := os.Link("/bin/sh", spec.Path); err != nil {
		t.Skip("no link across file systems:", err)
	}
	if err := h.wait(h.start(spec), Failed).Err; err.Reason != NotExecutable || !errors.Is(err, unix.EACCES) {
		t.Errorf("error is %s (%v)", err.Reason, err)
	}
}

func TestProgramOrder(t *testing.T) {
	spec := shell(t, "true")
	umask := uint32(0o22)
	spec.Umask, spec.Nice, spec.DeathSignal = &umask, 1, syscall.SIGTERM
	spec.Limits = []Limit{{"nofile", 10, 10}}
	var p program
	if err := p.compile(nil, &spec, nil); err != nil {
		t.Fatal(err)
	}
	var order []stage
	for _, d := range p.doing {
		if len(order) == 0 || order[len(order)-1] != d.at {
			order = append(order, d.at)
		}
	}
	want := []stage{
		stageSetup, stageLimit, stageNice, stageSetup /* umask */, stageUser, stageDirectory, stageDeathSignal,
		stageSetup /* is the supervisor alive? */, stageExec,
	}
	if os.Geteuid() != 0 {
		want = append(want[:4], want[5:]...)
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestStubThatDisappears(t *testing.T) {
	doing := []description{{stageDirectory, "changing"}}
	if r := readReport(nil, 0, doing); r.execed || r.err != nil {
		t.Errorf("silence means %+v", r)
	}
	if r := readReport([]byte("x"), 0, doing); !r.execed || r.err != nil {
		t.Errorf("the mark means %+v", r)
	}
	if r := readReport([]byte(strings.Repeat("n", 16)), 0, doing); r.err == nil || r.err.Reason != OtherReason {
		t.Errorf("nonsense means %+v", r)
	}
}
