package supervisor

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/proc"
)

func TestStartsMinimumAndDrains(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 2, max: 5}, queueConfig{name: "b", queues: "x, y", min: 1, max: 5}), nil, func(b *bench) {
		b.counts("a", 0, 2, 0, 0)
		b.counts("b", 0, 2, 0, 0)
		for _, c := range b.processes.running() {
			c.leaves = time.Second
		}
		b.stop()
		b.settle()
		if s := b.State(); !s.Draining || s.Pools[0].Counts.Stopping != 2 {
			t.Fatalf("not draining: %+v", s.Pools[0].Counts)
		}
		b.advance(time.Second)
		select {
		case <-b.done:
		default:
			t.Fatal("it has not ended though all workers have left")
		}
	})
}

func TestDrainIsHastenedAndForced(t *testing.T) {
	config := fleet(queueConfig{name: "a", min: 1, max: 1, worker: "      stop_timeout: 50s\n"})
	for _, test := range []struct {
		name   string
		hasten func(*bench)
		ends   time.Duration // after the drain has begun
	}{
		{"by itself", func(*bench) {}, 50 * time.Second},
		{"second signal", func(b *bench) { b.Hasten() }, 5 * time.Second},
		{"third signal", func(b *bench) { b.Hasten(); b.KillAll() }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, config, nil, func(b *bench) {
				b.processes.running()[0].leaves = -1
				b.stop()
				b.settle()
				begin := time.Now().Add(-200 * time.Millisecond)
				test.hasten(b)
				<-b.done
				if took := time.Since(begin).Round(time.Second); took != test.ends {
					t.Fatalf("it took %v to end, want %v", took, test.ends)
				}
				if killed := b.pool("a").Counters.BusyKilled; killed != 1 {
					t.Fatalf("%d busy workers killed: what is not known to be idle counts", killed)
				}
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	inBubble(t, "", nil, func(b *bench) {
		b.processes.onBirth(func(c *fakeChild) { c.lives, c.status = 50*time.Millisecond, failure })
		b.begin = time.Now()
		b.apply(fleet(queueConfig{name: "a", min: 1, max: 1}))
		b.advance(4 * time.Minute)
		var gaps []time.Duration
		births := b.processes.births("a", b.begin)
		for i := 1; i < len(births); i++ {
			gaps = append(gaps, (births[i] - births[i-1] - 50*time.Millisecond).Round(time.Millisecond))
		}
		want := []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute}
		if diff := cmp.Diff(want, gaps); diff != "" {
			t.Errorf("waits between starts (-want +got):\n%s", diff)
		}
		if got := b.pool("a").Counters.Exits[proc.ReasonError]; got != uint64(len(births)) {
			t.Errorf("%d exits by error counted, want %d", got, len(births))
		}
		// It stays now, and the next failure is a first one again.
		b.processes.onBirth(func(c *fakeChild) { c.lives, c.status = time.Minute, failure })
		b.advance(time.Minute)
		b.counts("a", 0, 1, 0, 0)
		b.advance(time.Minute)
		b.counts("a", 0, 1, 0, 0)
	})
}

func TestBackoffIsJittered(t *testing.T) {
	for _, test := range []struct {
		failures int
		random   float64
		want     time.Duration
	}{
		{0, 0.9, 0}, {1, 0.9, 0},
		{2, 0, 400 * time.Millisecond}, {2, 0.5, 500 * time.Millisecond}, {2, 1, 600 * time.Millisecond},
		{9, 0.5, time.Minute}, {1000, 0, 48 * time.Second},
	} {
		if got := backoff(test.failures, test.random).Round(time.Millisecond); got != test.want {
			t.Errorf("backoff(%d, %v) = %v, want %v", test.failures, test.random, got, test.want)
		}
	}
}

func TestExpectedEndsHaveNoBackoffButAPace(t *testing.T) {
	for _, test := range []struct {
		name   string
		status syscall.WaitStatus
		lives  time.Duration
		jobs   int // done before the end
		least  int // starts in a minute
		most   int
	}{
		{"clean, after a while", 0, 2 * time.Second, 0, 30, 31},
		{"memory, after a while", memory, 2 * time.Second, 0, 30, 31},
		{"clean, at once", 0, time.Millisecond, 0, 60, 63},
		{"clean, at once, after a job", 0, 100 * time.Millisecond, 1, 590, 601},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, "", nil, func(b *bench) {
				b.processes.onBirth(func(c *fakeChild) {
					c.lives, c.status = test.lives, test.status
					if test.jobs > 0 {
						time.AfterFunc(test.lives/2, func() { c.says("processed 1") })
					}
				})
				b.apply(fleet(queueConfig{name: "a", preset: "laravel", min: 1, max: 1}))
				b.advance(time.Minute - 200*time.Millisecond)
				if n := b.processes.started(); n < test.least || n > test.most {
					t.Errorf("%d starts in a minute, want %d to %d", n, test.least, test.most)
				}
			})
		})
	}
}

func TestIntensity(t *testing.T) {
	inBubble(t, "", nil, func(b *bench) {
		b.processes.onBirth(func(c *fakeChild) { c.lives, c.status = time.Millisecond, failure })
		b.apply(fleet(queueConfig{name: "bad", min: 50, max: 50}, queueConfig{name: "good", min: 1, max: 1, preset: "laravel"}))
		b.advance(30 * time.Second)
		if !b.pool("bad").Throttled {
			t.Fatal("not throttled")
		}
		// One at a time: never two of them within a second of virtual time that
		// both ran at once, and not many.
		before := b.processes.started()
		b.advance(time.Minute)
		if n := b.processes.started() - before; n == 0 {
			t.Error("a throttled pool is dead for ever")
		}
		if lines := b.log.count("a worker ended unexpectedly"); lines > 92 {
			t.Errorf("%d log lines in 91 s", lines)
		}
		b.processes.onBirth(nil)
		b.advance(2 * time.Minute)
		b.counts("bad", 0, 50, 0, 0)
		if b.pool("bad").Throttled {
			t.Error("still throttled though all workers stay")
		}
	})
}

func TestStartLimiterTakesTurns(t *testing.T) {
	limit := func(o *Options) { o.StartRate = StartRate{PerSecond: 10, Burst: 5} }
	inBubble(t, fleet(queueConfig{name: "large", min: 100, max: 100}, queueConfig{name: "small", min: 2, max: 2}), limit, func(b *bench) {
		b.advance(800 * time.Millisecond)
		if n := b.processes.started(); n != 15 {
			t.Errorf("%d started in a second, want 15", n)
		}
		b.counts("small", 0, 2, 0, 0)
		b.advance(9 * time.Second)
		b.counts("large", 0, 100, 0, 0)
	})
}

func TestCannotStart(t *testing.T) {
	refused := &proc.StartError{Reason: proc.BadDirectory, Doing: "changing to directory /nowhere", Err: syscall.ENOENT}
	inBubble(t, "", nil, func(b *bench) {
		b.processes.onBirth(func(c *fakeChild) {
			if c.launch.Name == "a/0" {
				c.refused = refused
			}
		})
		b.planner.cannot["c"] = &CannotStart{Reason: ReasonWrongConnection, Text: "it resolved redis-9"}
		b.apply(fleet(queueConfig{name: "a", min: 1, max: 1}, queueConfig{name: "b", min: 1, max: 1}, queueConfig{name: "c", min: 1, max: 1}))
		b.advance(time.Second)
		b.counts("a", 0, 0, 0, 1)
		b.counts("b", 0, 1, 0, 0)
		b.counts("c", 0, 0, 0, 0)
		if got := b.pool("a").CannotStart; got == nil || got.Reason != "bad_directory" {
			t.Errorf("pool a: %+v", got)
		}
		if got := b.pool("c").CannotStart; got == nil || got.Reason != ReasonWrongConnection {
			t.Errorf("pool c: %+v", got)
		}
		// What was wrong is tried again without anybody's help.
		b.processes.onBirth(nil)
		b.planner.mu.Lock()
		delete(b.planner.cannot, "c")
		b.planner.mu.Unlock()
		b.advance(time.Minute)
		for _, name := range []string{"a", "c"} {
			b.counts(name, 0, 1, 0, 0)
			if p := b.pool(name); p.CannotStart != nil {
				t.Errorf("pool %s: %+v", name, p.CannotStart)
			}
		}
	})
}

func TestHungPreparationHoldsUpNobody(t *testing.T) {
	inBubble(t, "", nil, func(b *bench) {
		b.planner.hangs["a"] = true
		b.apply(fleet(queueConfig{name: "a", min: 1, max: 1}, queueConfig{name: "b", min: 1, max: 1}))
		b.counts("b", 0, 1, 0, 0)
		b.advance(time.Minute)
		if got := b.pool("a").CannotStart; got == nil || got.Reason != ReasonCheckHangs {
			t.Errorf("pool a: %+v", got)
		}
		b.planner.mu.Lock()
		b.planner.hangs["a"] = false
		close(b.planner.release)
		b.planner.mu.Unlock()
		b.advance(time.Minute)
		b.counts("a", 0, 1, 0, 0)
	})
}

func TestObserveStartsNothing(t *testing.T) {
	observe := func(o *Options) { o.Observe = true }
	inBubble(t, fleet(queueConfig{name: "a", min: 1, max: 9}), observe, func(b *bench) {
		b.reader.set("a", 100)
		b.advance(10 * time.Second)
		if n := b.processes.started(); n != 0 {
			t.Errorf("%d started", n)
		}
		if n := b.pool("a").Desired; n != 9 {
			t.Errorf("%d desired", n)
		}
	})
}

func TestRedisAway(t *testing.T) {
	config := fleet(queueConfig{name: "a", min: 1, max: 9}, queueConfig{name: "b", connection: "other", min: 2, max: 2})
	limit := func(o *Options) { o.StartRate = StartRate{PerSecond: 2, Burst: 1} }
	inBubble(t, config, limit, func(b *bench) {
		b.reader.set("a", 100)
		b.advance(20 * time.Second)
		b.counts("a", 0, 9, 0, 0)
		b.reader.setDown("main", true)
		b.advance(1100 * time.Millisecond)
		for _, c := range b.processes.running() {
			if c.launch.Spec.Args[1] == "a" {
				c.exit(failure)
			}
		}
		before := b.processes.started()
		b.advance(30 * time.Second)
		b.counts("a", 0, 0, 0, 9)
		b.counts("b", 0, 2, 0, 0)
		if n := b.processes.started() - before; n != 0 {
			t.Errorf("%d started while the source was away", n)
		}
		if p := b.pool("a"); p.Desired != 9 || p.SourceUp == nil || *p.SourceUp {
			t.Errorf("desired %d, source up %v", p.Desired, p.SourceUp)
		}
		b.reader.setDown("main", false)
		b.advance(2 * time.Second)
		if n := b.processes.started() - before; n < 1 || n > 5 {
			t.Errorf("%d started 2 s after the source came back: a stampede, or nothing", n)
		}
		b.advance(5 * time.Second)
		b.counts("a", 0, 9, 0, 0)
	})
}

func TestNothingStartsBeforeTheSourceAnswers(t *testing.T) {
	inBubble(t, "", nil, func(b *bench) {
		b.reader.setDown("main", true)
		b.apply(fleet(queueConfig{name: "a", min: 1, max: 9}))
		b.advance(10 * time.Second)
		if n := b.processes.started(); n != 0 {
			t.Errorf("%d started", n)
		}
		b.reader.setDown("main", false)
		b.advance(2 * time.Second)
		b.counts("a", 0, 1, 0, 0)
	})
}

func TestBurstIsFollowed(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", preset: "laravel", min: 1, max: 10}), nil, func(b *bench) {
		b.advance(10 * time.Second)
		b.reader.set("a", 5000)
		b.advance(2 * time.Second)
		b.counts("a", 0, 10, 0, 0)
		w, ok := b.State().Why("a")
		if !ok || len(w.Sentences) != 1 || w.Decision.Desired != 10 {
			t.Errorf("why: %+v", w)
		}
	})
}

func TestScaleDownSparesTheBusy(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", preset: "laravel", min: 0, max: 10}), nil, func(b *bench) {
		b.reader.set("a", 100)
		b.advance(2 * time.Second)
		b.counts("a", 0, 10, 0, 0)
		busy := b.processes.running()[:4]
		for _, c := range busy {
			c.says("begin")
		}
		b.reader.set("a", 0)
		b.advance(20 * time.Second)
		b.counts("a", 0, 4, 0, 0)
		for _, c := range busy {
			if c.told != 0 {
				t.Errorf("worker %s was told to leave during its job", c.slot())
			}
			c.says("processed 250")
		}
		b.advance(20 * time.Second)
		b.counts("a", 0, 0, 0, 0)
		c := b.pool("a").Counters
		if c.JobResults[JobProcessed] != 4 || c.JobSeconds.Sum != 1 || c.WaitSeconds.Count != 4 {
			t.Errorf("jobs: %+v", c)
		}
		if got := c.Exits[proc.ReasonScaleDown]; got != 10 {
			t.Errorf("%d exits for scaling down, want 10", got)
		}
	})
}

func TestPatterns(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", queues: "fixed, tenant-*", min: 1, max: 5}), nil, func(b *bench) {
		hash := b.pool("a").SpecHash
		b.counts("a", 0, 1, 0, 0)
		b.reader.find("tenant-*", "tenant-1", "tenant-2", "fixed")
		b.advance(2 * time.Second)
		if n := len(b.pool("a").SubPools); n != 3 {
			t.Fatalf("%d sub-pools, want 3", n)
		}
		b.counts("a", 0, 1, 0, 0) // a discovered queue has a minimum of 0
		b.reader.set("tenant-1", 3)
		b.advance(2 * time.Second)
		b.counts("a", 0, 4, 0, 0)
		b.reader.set("tenant-1", 0)
		b.reader.find("tenant-*")
		b.advance(2 * time.Second)
		b.counts("a", 0, 1, 0, 0)
		if p := b.pool("a"); len(p.SubPools) != 1 || p.SpecHash != hash || p.Generation != 1 {
			t.Errorf("after the queues are forgotten: %d sub-pools, generation %d", len(p.SubPools), p.Generation)
		}
	})
}

func TestOneProcessPerApplication(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", preset: "horizon", min: 1, max: 9}, queueConfig{name: "b", preset: "horizon", min: 1, max: 9}), nil, func(b *bench) {
		b.reader.set("a", 100)
		b.advance(10 * time.Second)
		if pools := b.State().Pools; len(pools) != 1 {
			t.Fatalf("%d pools, want 1", len(pools))
		}
		b.counts("a", 0, 1, 0, 0)
		var bounds ErrOutOfBounds
		if _, err := b.Control(b.t.Context(), Command{Action: ActionScale, Pools: []string{"b"}, Processes: 2}); !errors.As(err, &bounds) || !bounds.PerApplication {
			t.Errorf("scaling: %v", err)
		}
		b.order(Command{Action: ActionRestart, Pools: []string{"b"}}) // by either name
		b.advance(time.Second)
		b.counts("a", 0, 1, 0, 0)
		if n := b.processes.started(); n != 2 {
			t.Errorf("%d started, want 2", n)
		}
	})
}

func TestHosts(t *testing.T) {
	here, elsewhere := queueConfig{name: "a", min: 1, max: 1, more: "    hosts: [\"host-*\"]\n"}, queueConfig{name: "b", min: 1, max: 1, more: "    hosts: [other]\n"}
	inBubble(t, fleet(here, elsewhere), nil, func(b *bench) {
		if pools := b.State().Pools; len(pools) != 1 || pools[0].Name != "a" {
			t.Errorf("%d pools", len(pools))
		}
		if n := b.processes.started(); n != 1 {
			t.Errorf("%d started", n)
		}
	})
}

// A worker that ignores its signal costs nobody but its pool.
func TestStubbornWorkersDelayNobody(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 50, max: 50, worker: "      stop_timeout: 100s\n"}, queueConfig{name: "b", min: 1, max: 10, preset: "laravel"}), nil, func(b *bench) {
		for _, c := range b.processes.running() {
			if c.launch.Spec.Args[1] == "a" {
				c.leaves = -1
			}
		}
		b.apply(fleet(queueConfig{name: "b", min: 1, max: 10, preset: "laravel"}))
		b.counts("a", 0, 0, 50, 0)
		b.reader.set("b", 1000)
		b.advance(2 * time.Second)
		b.counts("b", 0, 10, 0, 0)
		b.counts("a", 0, 0, 50, 0)
		b.advance(100 * time.Second)
		if _, ok := b.State().Pool("a"); ok {
			t.Error("a pool that has drained is still there")
		}
	})
}

func TestEventsTellEverythingOnce(t *testing.T) {
	inBubble(t, fleet(queueConfig{name: "a", min: 1, max: 1}), nil, func(b *bench) {
		b.processes.running()[0].exit(failure)
		b.settle()
		var kinds []string
		for i, e := range b.State().Events {
			if e.ID != uint64(i+1) {
				t.Errorf("event %d has number %d", i, e.ID)
			}
			kinds = append(kinds, fmt.Sprintf("%s %d", e.Kind, e.Slot))
		}
		want := []string{"pool -1", "scaled -1", "started 0", "exited 0", "started 0"}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}
