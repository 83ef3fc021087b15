package supervisor

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// pids lists the processes that serve a queue.
func (b *bench) pids(queue string) []int {
	var pids []int
	for _, c := range b.processes.running() {
		if c.launch.Spec.Args[len(c.launch.Spec.Args)-1] == queue {
			pids = append(pids, c.pid)
		}
	}
	return pids
}

// touched lists the processes that were told or sent anything.
func (b *bench) touched() []int {
	b.processes.mu.Lock()
	defer b.processes.mu.Unlock()
	var pids []int
	for _, c := range b.processes.all {
		if c.told > 0 || len(c.signals) > 0 {
			pids = append(pids, c.pid)
		}
	}
	return pids
}

func TestReloadOfCountsTouchesNobody(t *testing.T) {
	config := func(least, most int) string {
		return fleet(queueConfig{name: "a", preset: "laravel", min: least, max: most, more: "    max_wait: 10s\n"}, queueConfig{name: "b", min: 3, max: 3})
	}
	inBubble(t, config(3, 5), nil, func(b *bench) {
		before := b.pids("a")
		for i := range 20 {
			b.apply(config(3-i%2, 5+i%3))
		}
		if got := b.touched(); got != nil {
			t.Errorf("processes %v were signalled", got)
		}
		if diff := cmp.Diff(before, b.pids("a")); diff != "" {
			t.Errorf("processes (-before +after):\n%s", diff)
		}
		if p := b.pool("a"); p.Generation != 1 || p.Min != 2 || p.Max != 6 {
			t.Errorf("generation %d, min %d, max %d", p.Generation, p.Min, p.Max)
		}
	})
}

func TestReloadOfOneCommandTouchesOnePool(t *testing.T) {
	config := func(command string) string {
		return fleet(queueConfig{name: "a", min: 3, max: 3, command: command}, queueConfig{name: "b", min: 3, max: 3})
	}
	inBubble(t, config("one"), nil, func(b *bench) {
		others := b.pids("b")
		b.apply(config("two"))
		b.advance(5 * time.Second)
		b.counts("a", 0, 3, 0, 0)
		for _, c := range b.processes.running() {
			if c.launch.Spec.Args[1] == "a" && c.launch.Spec.Args[0] != "two" {
				t.Errorf("process %d still runs %v", c.pid, c.launch.Spec.Args)
			}
		}
		if diff := cmp.Diff(others, b.pids("b")); diff != "" {
			t.Errorf("the other pool's processes (-before +after):\n%s", diff)
		}
		p := b.pool("a")
		if p.Generation != 2 || p.Outdated != 0 || p.Counters.Exits[proc.ReasonReload] != 3 {
			t.Errorf("generation %d, %d outdated, %d exits by reload", p.Generation, p.Outdated, p.Counters.Exits[proc.ReasonReload])
		}
	})
}

// A roll never exceeds max_processes + max_surge, whatever takes how long, and
// keeps most of the workers.
func TestRoll(t *testing.T) {
	for _, test := range []struct {
		name          string
		surge         int
		least, most   int // processes of any age while it rolls
		leaves, boots time.Duration
	}{
		{"no surge", 0, 6, 8, 0, time.Second},
		{"no surge, slow to leave", 0, 6, 8, 10 * time.Second, time.Second},
		{"surge of one", 1, 7, 9, 0, time.Second},
		{"surge of four", 4, 8, 12, 0, time.Second},
		{"surge of four, slow to leave", 4, 8, 12, 10 * time.Second, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := func(command string) string {
				return fleet(queueConfig{name: "a", preset: "laravel", min: 8, max: 8, command: command, more: "    max_surge: " + string(rune('0'+test.surge)) + "\n"})
			}
			inBubble(t, config("one"), nil, func(b *bench) {
				b.counts("a", 0, 8, 0, 0)
				b.processes.mu.Lock()
				for _, c := range b.processes.all {
					c.leaves = test.leaves
				}
				b.processes.birth = func(c *fakeChild) {
					c.deaf = true
					time.AfterFunc(test.boots, func() {
						b.processes.mu.Lock()
						defer b.processes.mu.Unlock()
						c.deaf = false
					})
				}
				b.processes.mu.Unlock()
				b.apply(config("two"))
				least, most := 99, 0
				for range 1000 {
					n := len(b.processes.running())
					least, most = min(least, n), max(most, n)
					b.advance(100 * time.Millisecond)
				}
				if least < test.least || most > test.most {
					t.Errorf("between %d and %d processes, want %d to %d", least, most, test.least, test.most)
				}
				b.counts("a", 0, 8, 0, 0)
				if n := b.processes.started(); n != 16 {
					t.Errorf("%d started, want 16", n)
				}
			})
		})
	}
}

func TestRollPrefersTheIdle(t *testing.T) {
	config := func(command string) string {
		return fleet(queueConfig{name: "a", preset: "laravel", min: 4, max: 4, command: command})
	}
	inBubble(t, config("one"), nil, func(b *bench) {
		old := b.processes.running()
		for _, c := range old[:3] {
			c.says("begin")
		}
		b.processes.onBirth(func(c *fakeChild) { c.deaf = true }) // so that it goes no further
		b.apply(config("two"))
		for i, c := range old {
			if told := c.told > 0; told != (i == 3) {
				t.Errorf("worker %s, busy %v: told to leave %v", c.slot(), i < 3, told)
			}
		}
	})
}

// A command that cannot work stops its own roll: most of the old workers stay.
func TestBrokenCommandKeepsOldWorkers(t *testing.T) {
	config := func(command string) string {
		return fleet(queueConfig{name: "a", min: 8, max: 8, command: command})
	}
	inBubble(t, config("one"), nil, func(b *bench) {
		b.processes.onBirth(func(c *fakeChild) {
			if c.launch.Spec.Args[0] == "two" {
				c.lives, c.status = time.Millisecond, failure
			}
		})
		b.apply(config("two"))
		b.advance(time.Minute)
		old := 0
		for _, c := range b.processes.running() {
			if c.launch.Spec.Args[0] == "one" {
				old++
			}
		}
		if old < 5 {
			t.Errorf("%d old workers are left", old)
		}
		b.apply(config("three"))
		b.advance(2 * time.Minute)
		b.counts("a", 0, 8, 0, 0)
	})
}

func TestCommandThatFailsItsCheckKeepsWorkers(t *testing.T) {
	config := func(command string) string {
		return fleet(queueConfig{name: "a", min: 2, max: 2, command: command})
	}
	inBubble(t, config("one"), nil, func(b *bench) {
		before := b.pids("a")
		b.planner.mu.Lock()
		b.planner.cannot["a"] = &CannotStart{Reason: ReasonProbeFailed, Text: "no answer"}
		b.planner.mu.Unlock()
		b.apply(config("two"))
		b.advance(time.Second)
		if p := b.pool("a"); p.CannotStart == nil || !slices.Equal(before, b.pids("a")) {
			t.Errorf("cannot start %v; processes %v, before %v", p.CannotStart, b.pids("a"), before)
		}
	})
}

func TestRemovedPoolDrains(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 2, max: 2}, queueConfig{name: "b", min: 1, max: 1}), nil, func(b *bench) {
		for _, c := range b.processes.running() {
			c.leaves = 3 * time.Second
		}
		b.apply(fleet(queueConfig{name: "b", min: 1, max: 1}))
		b.counts("a", 0, 0, 2, 0)
		if !b.pool("a").Draining {
			t.Error("it does not say that it drains")
		}
		// It comes back while it drains: the leaving ones are not taken back.
		b.apply(fleet(queueConfig{name: "a", min: 2, max: 2}, queueConfig{name: "b", min: 1, max: 1}))
		b.counts("a", 0, 0, 2, 0)
		b.advance(4 * time.Second)
		b.counts("a", 0, 2, 0, 0)
		b.apply(fleet(queueConfig{name: "b", min: 1, max: 1}))
		b.advance(time.Second)
		if _, ok := b.State().Pool("a"); ok {
			t.Error("it is still there")
		}
		b.counts("b", 0, 1, 0, 0)
	})
}

func TestQueueNamesChange(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", queues: "x, y", min: 1, max: 4}), nil, func(b *bench) {
		x := b.pids("x")
		b.apply(fleet(queueConfig{name: "a", queues: "x, z", min: 1, max: 4}))
		b.advance(3 * time.Second)
		if !slices.Equal(x, b.pids("x")) {
			t.Error("the worker of the queue that stayed was touched")
		}
		if len(b.pids("y")) != 0 || len(b.pids("z")) != 1 {
			t.Errorf("y has %v, z has %v", b.pids("y"), b.pids("z"))
		}
	})
}

func TestRestartOn(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "current")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink("release-1", link))
	config := fleet(queueConfig{name: "a", min: 1, max: 1, worker: "      restart_on: [" + link + "]\n"}, queueConfig{name: "b", min: 1, max: 1})
	inBubble(t, config, nil, func(b *bench) {
		b.advance(3 * time.Second)
		if n := b.processes.started(); n != 2 {
			t.Fatalf("%d started before anything changed", n)
		}
		must(os.Remove(link))
		b.advance(3 * time.Second) // missing for a moment
		must(os.Symlink("release-2", link))
		b.advance(3 * time.Second)
		if n := b.processes.started(); n != 3 {
			t.Errorf("%d started, want 3: one replacement", n)
		}
		if b.planner.anew != 1 {
			t.Errorf("the application was asked %d times after the deploy, want once", b.planner.anew)
		}
		b.counts("a", 0, 1, 0, 0)
	})
}

func TestPauseBySignal(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", preset: "laravel", min: 3, max: 9}), nil, func(b *bench) {
		first := b.processes.running()
		b.processes.onBirth(func(c *fakeChild) { c.deaf = true })
		b.reader.set("a", 4)
		b.advance(2 * time.Second)
		b.counts("a", 1, 3, 0, 0)
		b.order(Command{Action: ActionPause, Pools: []string{"a"}})
		b.order(Command{Action: ActionPause}) // once more does nothing
		b.counts("a", 0, 3, 0, 0)             // the one that booted was told to leave: it would have died of the signal
		for _, c := range first {
			if diff := cmp.Diff([]syscall.Signal{syscall.SIGUSR2}, c.signals); diff != "" || c.told != 0 {
				t.Errorf("signals (-want +got):\n%s", diff)
			}
		}
		b.reader.set("a", 1000)
		first[0].exit(failure)
		b.advance(10 * time.Second)
		b.counts("a", 0, 2, 0, 1)
		b.apply(fleet(queueConfig{name: "a", preset: "laravel", min: 2, max: 9}))
		if p := b.pool("a"); !p.Paused {
			t.Error("the pause did not survive a reload")
		}
		b.processes.onBirth(nil)
		b.order(Command{Action: ActionContinue, Application: "shop"})
		b.advance(2 * time.Second)
		b.counts("a", 0, 9, 0, 0)
		if diff := cmp.Diff([]syscall.Signal{syscall.SIGUSR2, syscall.SIGCONT}, first[1].signals); diff != "" {
			t.Errorf("signals (-want +got):\n%s", diff)
		}
	})
}

func TestPauseWithoutSignalDrains(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 3, max: 9}), nil, func(b *bench) {
		b.order(Command{Action: ActionPause})
		b.counts("a", 0, 0, 0, 0)
		if n := b.pool("a").Desired; n != 3 {
			t.Errorf("%d desired while paused, want 3", n)
		}
		b.order(Command{Action: ActionContinue})
		b.counts("a", 0, 3, 0, 0)
	})
}

func TestPausedWorkersAreReplacedAfterwards(t *testing.T) {
	config := func(command string) string {
		return fleet(queueConfig{name: "a", preset: "laravel", min: 2, max: 2, command: command})
	}
	inBubble(t, config("one"), nil, func(b *bench) {
		b.order(Command{Action: ActionPause})
		b.apply(config("two"))
		b.counts("a", 0, 0, 0, 0)
		b.order(Command{Action: ActionContinue})
		b.counts("a", 0, 2, 0, 0)
	})
}

func TestScaleHolds(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 1, max: 10}), nil, func(b *bench) {
		b.order(Command{Action: ActionScale, Pools: []string{"a"}, Processes: 7, For: time.Minute})
		b.counts("a", 0, 7, 0, 0)
		b.advance(50 * time.Second)
		b.counts("a", 0, 7, 0, 0)
		b.advance(20 * time.Second)
		b.counts("a", 0, 1, 0, 0)
		b.order(Command{Action: ActionScale, Pools: []string{"a"}, Processes: 7})
		b.order(Command{Action: ActionAuto, Pools: []string{"a"}})
		b.advance(20 * time.Second)
		b.counts("a", 0, 1, 0, 0)
	})
}

func TestOrdersThatCannotBe(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 2, max: 10}), nil, func(b *bench) {
		for _, test := range []struct {
			command Command
			want    error
		}{
			{Command{Action: ActionPause, Pools: []string{"nobody"}}, ErrUnknownPool{"nobody"}},
			{Command{Action: ActionPause, Application: "nobody"}, ErrUnknownPool{"nobody"}},
			{Command{Action: ActionPause, Application: "nobody", Pools: []string{"a"}}, ErrUnknownPool{"a"}},
			{Command{Action: ActionScale, Processes: 1}, ErrOutOfBounds{Pool: "a", Asked: 1, Min: 2, Max: 10}},
			{Command{Action: ActionScale, Processes: 11}, ErrOutOfBounds{Pool: "a", Asked: 11, Min: 2, Max: 10}},
			{Command{Action: "explode"}, ErrUnknownAction},
		} {
			if _, err := b.Control(b.t.Context(), test.command); err != test.want { //nolint:errorlint // exactly this one
				t.Errorf("%+v: %v, want %v", test.command, err, test.want)
			}
		}
		b.counts("a", 0, 2, 0, 0)
		b.stop()
		<-b.done
		if _, err := b.Control(b.t.Context(), Command{Action: ActionPause}); err != ErrNotRunning { //nolint:errorlint // exactly this one
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestRestartReplacesAll(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 5, max: 5}, queueConfig{name: "b", min: 1, max: 1}), nil, func(b *bench) {
		before, others := b.pids("a"), b.pids("b")
		b.order(Command{Action: ActionRestart, Pools: []string{"a"}})
		b.advance(5 * time.Second)
		b.counts("a", 0, 5, 0, 0)
		for _, pid := range b.pids("a") {
			if slices.Contains(before, pid) {
				t.Errorf("process %d is still there", pid)
			}
		}
		if !slices.Equal(others, b.pids("b")) {
			t.Error("another pool was touched")
		}
	})
}

func TestLoweredMaximumHolds(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 1, max: 8}), nil, func(b *bench) {
		b.reader.set("a", 100)
		b.advance(3 * time.Second)
		b.counts("a", 0, 8, 0, 0)
		b.apply(fleet(queueConfig{name: "a", min: 1, max: 4}))
		b.counts("a", 0, 4, 0, 0)
		if n := b.pool("a").Max; n != 4 {
			t.Errorf("the maximum is %d", n)
		}
		if _, err := b.Control(b.t.Context(), Command{Action: ActionScale, Processes: 5}); err != (ErrOutOfBounds{Pool: "a", Asked: 5, Min: 1, Max: 4}) { //nolint:errorlint // exactly this one
			t.Errorf("scaling: %v", err)
		}
	})
}
