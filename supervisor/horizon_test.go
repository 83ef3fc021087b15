package supervisor

import (
	"strings"
	"sync"
	"testing"
	"time"

	horizons "github.com/queuefleet/queuefleet/internal/horizon"
)

// fakeHorizons are what the process table of a test shows beside its own
// processes.
type fakeHorizons struct {
	mu    sync.Mutex
	tree  horizons.Tree
	looks int
	slow  time.Duration // from a look until its answer
	hangs chan struct{} // until then the directory /hangs does not answer
}

func (f *fakeHorizons) find(dirs []string, tell func(int, horizons.Tree, error)) {
	f.mu.Lock()
	f.looks++
	tree, slow, hangs := f.tree, f.slow, f.hangs
	f.mu.Unlock()
	for i, dir := range dirs {
		go func() {
			if dir == "/hangs" {
				<-hangs
			}
			time.Sleep(slow)
			tell(i, tree, nil)
		}()
	}
}

func (f *fakeHorizons) looked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looks
}

func (f *fakeHorizons) set(masters, orphans []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tree = horizons.Tree{}
	for _, pid := range masters {
		f.tree.Masters = append(f.tree.Masters, horizons.MasterTree{Process: horizons.Process{ID: horizons.ID{PID: pid}, Kind: horizons.Master}})
	}
	for _, pid := range orphans {
		f.tree.Orphans = append(f.tree.Orphans, horizons.Process{ID: horizons.ID{PID: pid}, Kind: horizons.Worker})
	}
}

func TestNoSecondMaster(t *testing.T) {
	config := fleet(queueConfig{name: "a", preset: "horizon", min: 1, max: 1}, queueConfig{name: "b", min: 1, max: 1})
	others := &fakeHorizons{}
	others.set([]int{4711}, []int{4712, 4713})
	inBubble(t, config, func(o *Options) { o.horizons = others.find }, func(b *bench) {
		b.advance(20 * time.Second)
		b.counts("a", 0, 0, 0, 0)
		b.counts("b", 0, 1, 0, 0)
		p := b.pool("a")
		if p.CannotStart == nil || p.CannotStart.Reason != ReasonAnotherMaster {
			t.Errorf("cannot start: %+v", p.CannotStart)
		}
		if p.Horizon == nil || len(p.Horizon.Masters) != 1 || len(p.Horizon.Orphans) != 2 {
			t.Errorf("beside it: %+v", p.Horizon)
		}
		if n := b.log.count("A second Horizon master is not started"); n != 1 {
			t.Errorf("told %d times", n)
		}
		others.set(nil, []int{4712, 4713})
		b.advance(2 * time.Second)
		b.counts("a", 0, 1, 0, 0)
		if p := b.pool("a"); p.CannotStart != nil || len(p.Horizon.Orphans) != 2 {
			t.Errorf("%+v, %+v", p.CannotStart, p.Horizon)
		}
		others.set([]int{b.pids("a")[0]}, []int{4713})
		b.advance(time.Minute) // its own process is no other master
		p = b.pool("a")
		if len(p.Horizon.Masters) != 0 || len(p.Horizon.Orphans) != 1 || p.CannotStart != nil {
			t.Errorf("%+v, %+v", p.CannotStart, p.Horizon)
		}
		if n := b.log.count("Processes have outlived their Horizon"); n != 2 {
			t.Errorf("orphans were told %d times", n)
		}
		// Nobody looks more often than twice a minute while all is well.
		before := others.looked()
		b.advance(10 * time.Minute)
		if n := others.looked() - before; n > 21 {
			t.Errorf("%d looks in ten minutes", n)
		}
	})
}

// Each start looks anew: between two of them something else may have begun one.
func TestEachStartOfAMasterLooks(t *testing.T) {
	others := &fakeHorizons{}
	config := fleet(queueConfig{name: "a", preset: "horizon", min: 1, max: 1})
	inBubble(t, config, func(o *Options) { o.horizons = others.find }, func(b *bench) {
		b.counts("a", 0, 1, 0, 0)
		b.advance(time.Minute) // what is seen while its process lives counts for nothing
		others.set([]int{4711}, nil)
		b.processes.running()[0].exit(0)
		b.advance(10 * time.Second)
		b.counts("a", 0, 0, 0, 1)
		if n := b.processes.started(); n != 1 {
			t.Fatalf("%d were started", n)
		}
		others.set(nil, nil)
		b.advance(2 * time.Second)
		b.counts("a", 0, 1, 0, 0)
	})
}

// While a place waits for its back-off, somebody may start a master.
func TestALookIsNotGoodForLong(t *testing.T) {
	others := &fakeHorizons{}
	config := fleet(queueConfig{name: "a", preset: "horizon", min: 1, max: 1})
	inBubble(t, config, func(o *Options) { o.horizons = others.find }, func(b *bench) {
		b.processes.onBirth(func(c *fakeChild) { c.lives, c.status = time.Millisecond, 1<<8 })
		b.processes.running()[0].exit(1 << 8)
		for b.pool("a").Counts.Backoff == 0 || b.processes.started() < 5 {
			b.advance(100 * time.Millisecond)
		}
		b.settle()
		before := b.processes.started()
		others.set([]int{4711}, nil)
		b.advance(10 * time.Minute)
		if n := b.processes.started(); n != before {
			t.Errorf("%d were started beside another master", n-before)
		}
	})
}

// A look goes on while the pool's own process begins or ends.
func TestTheOwnMasterIsNoOther(t *testing.T) {
	others := &fakeHorizons{slow: 2 * time.Second}
	config := fleet(queueConfig{name: "a", preset: "horizon", min: 1, max: 1})
	inBubble(t, config, func(o *Options) { o.horizons = others.find }, func(b *bench) {
		b.advance(20 * time.Second)
		b.counts("a", 0, 1, 0, 0)
		looks := others.looked()
		others.set(b.pids("a"), nil)
		for others.looked() == looks {
			b.advance(100 * time.Millisecond)
		}
		others.set(nil, nil)
		b.processes.onBirth(func(c *fakeChild) { c.forks = time.Minute })
		b.processes.running()[0].exit(0)
		b.advance(10 * time.Second)
		b.counts("a", 1, 0, 0, 0)
		others.set([]int{b.processes.running()[0].pid}, nil)
		b.advance(2 * time.Minute)
		b.counts("a", 0, 1, 0, 0)
		if n := b.log.count("A second Horizon master is not started"); n != 0 {
			t.Errorf("its own master was taken for another one %d times", n)
		}
	})
}

// An application whose directory does not answer keeps no other one waiting.
func TestAHangingDirectoryHoldsUpNobody(t *testing.T) {
	others := &fakeHorizons{}
	config := fleet(queueConfig{name: "a", preset: "horizon", min: 1, max: 1}, queueConfig{name: "b", preset: "horizon", min: 1, max: 1})
	config = strings.Replace(config, "directory: /\n", "directory: /hangs\n", 1)
	config = strings.Replace(config, "name: b\n    application: shop", "name: b\n    application: other", 1)
	config = strings.Replace(config, "connections:\n", "  - slug: other\nconnections:\n", 1)
	inBubble(t, config, func(o *Options) {
		others.hangs, o.horizons = make(chan struct{}), others.find
	}, func(b *bench) {
		defer close(others.hangs)
		b.advance(10 * time.Second)
		b.counts("a", 0, 0, 0, 0)
		b.counts("b", 0, 1, 0, 0)
		b.processes.running()[0].exit(0)
		b.advance(10 * time.Second)
		b.counts("b", 0, 1, 0, 0)
		others.set(nil, []int{4712})
		b.advance(time.Minute)
		if p := b.pool("b"); len(p.Horizon.Orphans) != 1 {
			t.Errorf("%+v", p.Horizon)
		}
		// What has been seen before is no reason to start one: it is looked again.
		before := others.looked()
		others.hangs <- struct{}{}
		b.settle()
		b.counts("a", 0, 0, 0, 0)
		if n := others.looked() - before; n != 1 {
			t.Errorf("it was looked %d times", n)
		}
		others.hangs <- struct{}{}
		b.settle()
		b.counts("a", 0, 1, 0, 0)
	})
}
