package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/preset"
	"github.com/queuefleet/queuefleet/internal/proc"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// modeVariable makes this test binary play a worker instead of testing.
const modeVariable = "SUPERVISOR_TEST_PART"

// playPart is a worker of the tests' own.
func playPart(part string) {
	told := make(chan os.Signal, 8)
	signal.Notify(told, syscall.SIGTERM)
	switch part {
	case "stubborn": // ignores that it is told to leave
		fmt.Println("up")
		for {
			<-told
		}
	case "slow": // finishes what takes 3 s
		<-told
		time.Sleep(3 * time.Second)
	case "fail":
		os.Exit(3)
	case "silent":
		os.Stdout.Close()
		os.Stderr.Close()
		<-told
	default:
		<-told
	}
}

// testPresets are presets of the tests' own: "exec" runs the command as it is.
func testPresets(name string) (preset.Preset, bool) {
	build := func(in preset.Input) (proc.Spec, error) {
		w := in.Queue.Worker
		env, err := proc.NewEnv(w.Environment)
		spec := proc.Spec{Path: w.Command[0], Args: w.Command, Dir: w.Directory, Env: env, StopTimeout: w.StopTimeout.Std()}
		if os.Geteuid() == 0 && err == nil {
			spec.User, err = proc.LookupIdentity("root", "")
		}
		return spec, err
	}
	return preset.Preset{Name: name, Build: build}, name == "exec"
}

// forwardTo writes workers' output to a log.
func forwardTo(logger *slog.Logger) func(*proc.Child, proc.Line) {
	return func(c *proc.Child, line proc.Line) {
		logger.Info("Worker output", "worker", c.Name(), "line", line.Text)
	}
}

// real is a supervisor of real processes over a real Redis.
type real struct {
	*Supervisor
	t      testing.TB
	set    *connection.Set
	server *redistest.Server
	stop   context.CancelFunc
	done   chan struct{}
	log    *logLines
}

func newReal(t testing.TB, change func(*Options)) *real {
	t.Helper()
	r := &real{t: t, done: make(chan struct{}), server: redistest.Start(t, redistest.Options{}), log: &logLines{}}
	logger := slog.New(slog.NewTextHandler(r.log, nil))
	manager, err := proc.New(proc.Options{Logger: logger, Forward: forwardTo(logger)})
	if err != nil {
		t.Fatal(err)
	}
	r.set = connection.NewSet(slog.New(slog.NewTextHandler(io.Discard, nil)))
	o := Options{Logger: logger, Name: "test", Set: r.set, Manager: manager, Presets: testPresets, StartRate: StartRate{PerSecond: -1}}
	if change != nil {
		change(&o)
	}
	r.Supervisor = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() {
		defer close(r.done)
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		r.KillAll()
		<-r.done
		if err := manager.Close(context.Background()); err != nil {
			t.Error(err)
		}
		r.set.Close()
	})
	return r
}

// pools is a configuration of pools that play parts. Each is NAME PART COUNT
// and more lines of the worker.
func (r *real) pools(pools ...[4]string) {
	r.t.Helper()
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	text := fmt.Sprintf("connections:\n  - name: main\n    address: %s\napplications:\n  - slug: shop\nqueues:\n", r.server.Addr)
	for _, p := range pools {
		text += fmt.Sprintf("  - {name: %s, application: shop, connection: main, queue_names: [%[1]s], min_processes: %[3]s, max_processes: %[3]s,\n"+
			"     worker: {preset: exec, command: [%[4]s], directory: /, user: root, environment: {%[5]s: %[2]s}, %[6]s}}\n", p[0], p[1], p[2], self, modeVariable, p[3])
	}
	cfg, err := configs.Parse("test.yml", []byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	r.set.Apply(cfg.Connections)
	r.Apply(cfg)
}

// until waits for a state.
func (r *real) until(what string, is func(*State) bool) {
	r.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is(r.State()) {
		select {
		case <-tick.C:
		case <-deadline:
			r.t.Fatalf("not %s: %+v", what, r.State().Pools)
		}
	}
}

func (r *real) untilRunning(pool string, n int) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d of %s running", n, pool), func(s *State) bool {
		p, ok := s.Pool(pool)
		return ok && p.Counts.Running == n && p.Counts.Starting+p.Counts.Backoff == 0
	})
}

func TestRealWorkers(t *testing.T) {
	r := newReal(t, nil)
	r.pools([4]string{"good", "good", "3", ""}, [4]string{"silent", "silent", "1", ""}, [4]string{"bad", "fail", "2", ""},
		[4]string{"stubborn", "stubborn", "1", "stop_timeout: 300ms, "})
	r.untilRunning("good", 3)
	r.untilRunning("silent", 1)
	r.until("deaf to the signal", func(*State) bool { return r.log.count("line=up") == 1 })
	r.until("bad in back-off", func(s *State) bool {
		p, ok := s.Pool("bad")
		return ok && p.Counts.Backoff == 2 && p.Counters.Exits[proc.ReasonError] >= 4
	})
	// One is killed from outside and replaced.
	victim := r.State().Workers()[2]
	if err := syscall.Kill(victim.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.until("replaced", func(s *State) bool {
		p, ok := s.Pool(victim.Pool)
		return ok && p.Counts.Running == 3 || p.Counters.Exits[proc.ReasonSignal] == 1 && p.Counts.Running >= 1
	})
	r.stop()
	<-r.done
	s := r.State()
	if p, _ := s.Pool("stubborn"); p.Counters.BusyKilled != 1 || p.Counters.Exits[proc.ReasonTimeout] != 1 {
		t.Errorf("stubborn: %+v", p.Counters)
	}
	if p, _ := s.Pool("good"); p.Counters.Exits[proc.ReasonClean]+p.Counters.Exits[proc.ReasonSignal] < 3 || p.Counters.BusyKilled != 0 {
		t.Errorf("good: %+v", p.Counters)
	}
	if !strings.Contains(r.log.text.String(), "worker=stubborn/0 line=up") {
		t.Error("a worker's output is not in the log")
	}
}

func TestRealCannotStart(t *testing.T) {
	r := newReal(t, nil)
	r.pools([4]string{"good", "good", "1", ""})
	r.untilRunning("good", 1)
	text := fmt.Sprintf("connections:\n  - name: main\n    address: %s\napplications:\n  - slug: shop\nqueues:\n", r.server.Addr)
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, worker := range map[string]string{
		"missing": "command: [/nowhere/php], directory: /", "plain": "command: [" + plain + "], directory: /", "lost": "command: [/bin/true], directory: /nowhere",
	} {
		text += fmt.Sprintf("  - {name: %s, application: shop, connection: main, queue_names: [%[1]s], worker: {preset: exec, user: root, %s}}\n", name, worker)
	}
	cfg, err := configs.Parse("test.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Apply(cfg)
	for name, reason := range map[string]proc.StartReason{"missing": proc.MissingCommand, "plain": proc.NotExecutable, "lost": proc.BadDirectory} {
		r.until(name+" cannot start", func(s *State) bool {
			p, ok := s.Pool(name)
			return ok && p.CannotStart != nil && p.CannotStart.Reason == string(reason)
		})
	}
}

// Reading through a real Redis that goes away and comes back.
func TestRealSource(t *testing.T) {
	r := newReal(t, func(o *Options) { o.ReadInterval = 50 * time.Millisecond })
	r.pools([4]string{"good", "good", "2", ""})
	r.untilRunning("good", 2)
	r.server.Stop()
	r.until("away", func(s *State) bool { return len(s.Sources) == 1 && s.Sources[0].Up != nil && !*s.Sources[0].Up })
	for _, w := range r.State().Workers() {
		if err := syscall.Kill(w.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	r.until("held", func(s *State) bool { p, _ := s.Pool("good"); return p.Counts.Backoff == 2 && p.Desired == 2 })
	r.server.Restart()
	r.untilRunning("good", 2)
}

// pass holds the time of a pass of the loop against a limit.
func loopP99(s *State) float64 {
	h := s.Loop.Seconds
	left := h.Count / 100
	above := h.Count
	for i, n := range h.Counts {
		above -= n
		if above <= left {
			return h.Bounds[i]
		}
	}
	return -1
}

// Fifty workers that do not leave take nothing from another pool.
func TestRealStubbornWorkersDelayNobody(t *testing.T) {
	r := newReal(t, nil)
	r.pools([4]string{"stubborn", "stubborn", "50", "stop_timeout: 60s, "}, [4]string{"good", "good", "2", ""})
	r.until("deaf to the signal", func(*State) bool { return r.log.count("line=up") == 50 })
	r.pools([4]string{"good", "good", "2", ""})
	r.until("stopping", func(s *State) bool { p, ok := s.Pool("stubborn"); return ok && p.Counts.Stopping == 50 })
	r.pools([4]string{"good", "good", "5", ""})
	r.untilRunning("good", 5)
	if p, ok := r.State().Pool("stubborn"); !ok || p.Counts.Stopping != 50 {
		t.Errorf("the stubborn ones: %+v", p)
	}
	t.Logf("a pass of the loop takes at most %v s in 99 of 100 of %d cases", loopP99(r.State()), r.State().Loop.Passes)
}
