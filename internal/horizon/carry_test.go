package horizon

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/horizontest"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// standIn is a Horizon in a directory of its own that somebody else runs.
type standIn struct {
	t     *testing.T
	bench *horizontest.Bench
	place Place
	dir   string
	redis *redis.Client
	env   []string
}

func newStandIn(t *testing.T, settings horizontest.Settings) *standIn {
	t.Helper()
	server := redistest.Start(t, redistest.Options{})
	s := &standIn{t: t, bench: horizontest.New(t, server.Addr), dir: t.TempDir(), redis: server.Client()}
	var err error
	if s.place, err = Locate(s.dir); err != nil {
		t.Fatal(err)
	}
	s.env = os.Environ()
	for name, value := range s.bench.Environment(settings) {
		s.env = append(s.env, name+"="+value)
	}
	t.Cleanup(func() {
		tree, err := s.look(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, p := range tree.All() {
			_ = Signal(p.ID, syscall.SIGKILL)
		}
	})
	return s
}

func (s *standIn) start(context.Context) error {
	self, err := filepath.Abs("/proc/self/exe")
	if err != nil {
		return err
	}
	if self, err = os.Readlink(self); err != nil {
		return err
	}
	c := exec.Command(self, "artisan", "horizon")
	c.Dir, c.Env = s.dir, s.env
	if err := c.Start(); err != nil {
		return err
	}
	go func() { _ = c.Wait() }()
	return nil
}

func (s *standIn) look(context.Context) (Tree, error) {
	all, err := Scan()
	if err != nil {
		return Tree{}, err
	}
	return all.Of(s.place), nil
}

func (s *standIn) tell(_ context.Context, masters []Process) error {
	for _, m := range masters {
		if err := Signal(m.ID, syscall.SIGTERM); err != nil && !errors.Is(err, ErrGone) {
			return err
		}
	}
	return nil
}

func (s *standIn) until(what string, is func(Tree) bool) Tree {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		tree, err := s.look(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if is(tree) {
			return tree
		}
	}
	s.t.Fatalf("not %s", what)
	return Tree{}
}

func grown(workers int) func(Tree) bool {
	return func(t Tree) bool {
		return len(t.Masters) == 1 && len(t.Masters[0].Supervisors) == 2 && len(t.Masters[0].Workers) == workers
	}
}

// A master that leaves while its workers have jobs is followed by the next one
// only when these are done.
func TestCarryWaitsForTheRealEnd(t *testing.T) {
	s := newStandIn(t, horizontest.Settings{Modes: []horizontest.Mode{horizontest.Fast}, Workers: 2})
	s.bench.Push(0, 12, 300*time.Millisecond)
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.until("grown", grown(4))
	for _, reserved, _ := s.bench.Jobs(); reserved == 0; _, reserved, _ = s.bench.Jobs() {
		time.Sleep(time.Millisecond)
	}
	stages := map[Stage]bool{}
	silent := false // Horizon's records were gone while its processes lived
	last, err := Carry(t.Context(), Wish{Start: true, Await: true, Deadline: time.Now().Add(time.Minute)}, Hands{
		Look: s.look, Tell: s.tell, Start: s.start, Report: func(step Step) {
			stages[step.Stage] = true
			if r, err := ReadRecords(t.Context(), s.redis, []string{horizontest.Prefix}, time.Now()); err == nil && len(step.Living) > 0 && !r.Fresh() {
				silent = true
			}
		},
	})
	if err != nil || last.Stage != Done {
		t.Fatalf("%+v, %v", last, err)
	}
	if !stages[Leaving] || !silent {
		t.Errorf("stages %v; its records were gone before its processes: %v", stages, silent)
	}
	if wrong := s.bench.Wrong(); len(wrong) > 0 {
		t.Error(wrong)
	}
	if told := s.bench.Told(); len(told) != 1 || told[s.bench.Masters()[0].PID] != 1 {
		t.Errorf("signals: %v", told)
	}
	s.until("grown again", grown(4))
}

// What its records and its processes say is compared, and orphans are found
// that nobody has told anything.
func TestCompareWithTheStandIn(t *testing.T) {
	s := newStandIn(t, horizontest.Settings{Workers: 1})
	s.bench.Push(0, 2, time.Hour)
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	tree := s.until("grown", grown(2))
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var records Records
	for len(records.Supervisors) < 2 || len(records.Masters) < 1 {
		if records, err = ReadRecords(t.Context(), s.redis, []string{"none:", horizontest.Prefix}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if told := Compare(&records, &tree, host); len(told) > 0 {
		t.Errorf("a Horizon that is as it says: %q", told)
	}
	for _, p := range tree.Masters[0].Supervisors {
		_ = Signal(p.ID, syscall.SIGKILL)
	}
	_ = Signal(tree.Masters[0].ID, syscall.SIGKILL)
	tree = s.until("orphaned", func(t Tree) bool { return len(t.Masters) == 0 && len(t.Orphans) == 2 })
	if told := Compare(&records, &tree, host); len(told) != 2 {
		t.Errorf("a master that was killed, and its orphans: %q", told)
	}
}
