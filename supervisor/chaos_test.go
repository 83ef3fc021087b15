package supervisor

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// Whatever happens in whatever order: never more processes than
// max_processes + max_surge, nobody is told twice to leave, and when peace
// returns the pool is as it should be.
func TestChaos(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			chaos := rand.New(rand.NewPCG(seed, 1))
			births := rand.New(rand.NewPCG(seed, 2)) // the loop's goroutine rolls these
			config := func() string {
				surge := chaos.IntN(3)
				return fleet(queueConfig{
					name: "a", queues: "x, y, tenant-*", preset: "laravel", min: chaos.IntN(3), max: 8 - surge,
					command: []string{"one", "two"}[chaos.IntN(2)], more: fmt.Sprintf("    max_surge: %d\n", surge), worker: "      stop_timeout: 20s\n",
				})
			}
			inBubble(t, config(), nil, func(b *bench) {
				b.processes.onBirth(func(c *fakeChild) {
					c.leaves = time.Duration(births.IntN(3)) * time.Second
					if births.IntN(20) == 0 {
						c.leaves = -1
					}
					c.deaf = births.IntN(2) == 0
				})
				for range 300 {
					b.disturb(chaos, config)
					b.advance(time.Duration(chaos.IntN(700)) * time.Millisecond)
					if n := len(b.processes.running()); n > 8 {
						b.t.Fatalf("%d processes, of at most 8: %+v", n, b.pool("a"))
					}
				}
				b.calm()
			})
		})
	}
}

// disturb does one of everything that can happen.
func (b *bench) disturb(chaos *rand.Rand, config func() string) {
	var c *fakeChild
	if running := b.processes.running(); len(running) > 0 {
		c = running[chaos.IntN(len(running))]
	}
	switch what := chaos.IntN(12); {
	case what == 0:
		b.apply(config())
	case what == 1:
		b.order(Command{Action: []Action{ActionPause, ActionContinue}[chaos.IntN(2)]})
	case what == 2:
		b.order(Command{Action: ActionRestart})
	case what == 3:
		_, _ = b.Control(b.t.Context(), Command{Action: ActionScale, Processes: chaos.IntN(9), For: 5 * time.Second}) // may be out of bounds
	case what == 4:
		b.reader.setDown("main", chaos.IntN(2) == 0)
	case what == 5:
		b.reader.find("tenant-*", []string{"tenant-1", "tenant-2"}[:chaos.IntN(3)]...)
	case what <= 7:
		b.reader.set([]string{"x", "y", "tenant-1", "tenant-2"}[chaos.IntN(4)], float64(chaos.IntN(20)))
	case c == nil:
	case what == 8:
		c.exit([]syscall.WaitStatus{0, failure, memory}[chaos.IntN(3)])
	case what == 9:
		c.says("begin")
	case what == 10:
		c.says("processed 20")
	default:
		b.processes.mu.Lock()
		c.deaf = false
		b.processes.mu.Unlock()
	}
}

// calm ends all disturbance and looks at what comes of it.
func (b *bench) calm() {
	b.t.Helper()
	b.processes.onBirth(nil)
	b.processes.mu.Lock()
	for _, c := range b.processes.all {
		c.deaf = false
	}
	b.processes.mu.Unlock()
	b.reader.setDown("main", false)
	b.reader.find("tenant-*")
	for _, name := range []string{"x", "y"} {
		b.reader.set(name, 0)
	}
	b.order(Command{Action: ActionContinue})
	b.apply(fleet(queueConfig{name: "a", queues: "x, y, tenant-*", preset: "laravel", min: 2, max: 8, command: "last"}))
	for range 30 {
		for _, c := range b.processes.running() {
			c.says("processed 1") // nobody is busy
		}
		b.advance(10 * time.Second)
	}
	b.counts("a", 0, 4, 0, 0)
	for _, c := range b.processes.running() {
		if c.launch.Spec.Args[0] != "last" {
			b.t.Errorf("worker %s still runs %v", c.slot(), c.launch.Spec.Args)
		}
	}
	for _, c := range b.processes.all {
		if c.told > 1 { // the deadline is moved only when the supervisor ends
			b.t.Errorf("worker %s was told to leave %d times", c.slot(), c.told)
		}
	}
}
