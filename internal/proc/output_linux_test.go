package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestOutputIsSplit(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.script(`printf 'first\n\nsec'; printf 'ond\r\n\033[31mred\000\n'; echo error >&2; printf 'the last'`)
	h.wait(c, Gone)
	want := []Line{
		{Stream: "output", Text: "first"},
		{Stream: "output"},
		{Stream: "output", Text: "second"},
		{Stream: "output", Text: "\ufffd[31mred\ufffd"},
		{Stream: "output", Text: "error"},
		{Stream: "output", Text: "the last", Open: true},
	}
	if diff := cmp.Diff(want, h.lines[c]); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestSeparateStreams(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.launch(Launch{Spec: shell(t, `echo out; echo err >&2`), Source: Pipes{Separate: true}})
	h.wait(c, Gone)
	got := map[string]string{}
	for _, line := range h.lines[c] {
		got[line.Stream] += line.Text
	}
	if diff := cmp.Diff(map[string]string{"stdout": "out", "stderr": "err"}, got); diff != "" {
		t.Errorf("streams (-want +got):\n%s", diff)
	}
}

// TestFloodNeverBlocksTheWorker has nobody take the lines while workers write
// much more than all buffers hold, with and without newlines.
func TestFloodNeverBlocksTheWorker(t *testing.T) {
	release := make(chan struct{})
	var mu sync.Mutex
	forwarded, lost := map[*Child]int{}, map[*Child]uint64{}
	h := newHarness(t, Options{Forward: func(c *Child, line Line) {
		<-release
		mu.Lock()
		defer mu.Unlock()
		forwarded[c]++
		lost[c] += line.Lost
	}})
	const size = 20 << 20
	start := func(script string) *Child { return h.manager.Start(Launch{Name: "flood", Spec: shell(t, script)}) }
	endless := start(fmt.Sprintf(`head -c %d /dev/zero`, size))
	lines := start(fmt.Sprintf(`yes flood | head -c %d`, size))
	for _, c := range []*Child{endless, lines} {
		if exit := h.wait(c, Exited).Exit; exit.Status != 0 {
			t.Errorf("exit is %+v", exit)
		}
		h.wait(c, Gone)
	}
	close(release)
	calm := start(`echo calm`)
	h.wait(calm, Gone)
	h.close()
	total := map[*Child]uint64{endless: size / MaxLine, lines: (size + 5) / 6}
	for c, want := range total {
		if c.Dropped() == 0 || forwarded[c] == 0 {
			t.Errorf("%d lines forwarded, %d dropped", forwarded[c], c.Dropped())
		}
		if got := uint64(forwarded[c]) + c.Dropped(); got != want {
			t.Errorf("%d lines forwarded and %d dropped, together not %d", forwarded[c], c.Dropped(), want)
		}
		if lost[c] > c.Dropped() {
			t.Errorf("%d lines reported as lost of %d dropped", lost[c], c.Dropped())
		}
	}
	if forwarded[calm] != 1 || calm.Dropped() != 0 {
		t.Errorf("another worker lost its line to the flood")
	}
	if got := h.manager.Stats().Dropped; got != endless.Dropped()+lines.Dropped() {
		t.Errorf("%d dropped in all", got)
	}
}

func TestWorkerClosesItsOutput(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.script(`trap 'exit 4' TERM; echo ready; exec >/dev/null 2>&1; while :; do sleep 1000 & wait; done`)
	h.waitLine(c, "ready")
	_ = c.Stop(long)
	if exit := h.wait(c, Exited).Exit; exit.Status.ExitStatus() != 4 {
		t.Errorf("exit is %+v", exit)
	}
	if got := h.output(c); got != "ready\n" {
		t.Errorf("output is %q", got)
	}
}

// TestOutputHeldOpen has somebody else, whom nobody may kill, hold a worker's
// output: neither its exit nor its last words wait for that.
func TestOutputHeldOpen(t *testing.T) {
	h := newHarness(t, Options{DrainTime: 1})
	held := &holder{}
	c := h.launch(Launch{Spec: shell(t, `printf 'last words'`), Source: held})
	defer func() { _ = held.file.Close() }()
	if got := h.output(c); got != "last words" {
		t.Errorf("output is %q", got)
	}
	if got := h.manager.Stats().Abandoned; got != 1 {
		t.Errorf("%d streams abandoned", got)
	}
}

// holder is a Source whose pipe somebody else can write to as well.
type holder struct{ file *os.File }

func (s *holder) Open(id *Identity) (Ends, error) {
	ends, err := Pipes{}.Open(id)
	if err != nil {
		return ends, err
	}
	fd, err := unix.FcntlInt(ends.Stdout.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	s.file = os.NewFile(uintptr(fd), "held")
	return ends, err
}

// namedPipe is a Source such as one that lets workers outlive the supervisor.
type namedPipe string

func (p namedPipe) Open(*Identity) (Ends, error) {
	read, err := os.OpenFile(string(p), os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return Ends{}, err
	}
	write, err := os.OpenFile(string(p), os.O_WRONLY, 0)
	if err != nil {
		return Ends{}, err
	}
	return Ends{Stdout: write, Stderr: write, Streams: []Stream{{Name: "output", File: read, Endless: true}}}, nil
}

func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "output")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, Options{})
	for i := range 3 {
		want := strings.Repeat(fmt.Sprint(i), 100_000)
		c := h.launch(Launch{Spec: shell(t, `printf '`+want+`\nend\n'`), Source: namedPipe(path)})
		if got := h.output(c); got != want+"\nend\n" {
			t.Errorf("output has %d bytes and ends with %q", len(got), got[max(0, len(got)-10):])
		}
	}
	if got := h.manager.Stats().Abandoned; got != 0 {
		t.Errorf("%d streams abandoned", got)
	}
}
