package supervisor

import (
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// Workers that handle no signals, as of a PHP without pcntl, are not waited for
// for ever. They would die of a pause, so they are told to leave instead.
func TestDeafWorkers(t *testing.T) {
	inBubble(t, fleet(), nil, func(b *bench) {
		b.processes.onBirth(func(c *fakeChild) { c.deaf = true })
		b.apply(fleet(queueConfig{name: "a", preset: "laravel", min: 2, max: 2}))
		b.advance(deafAfter - time.Second)
		b.counts("a", 2, 0, 0, 0)
		b.processes.running()[0].says("begin") // works, whatever it handles
		b.settle()
		b.counts("a", 1, 1, 0, 0)
		b.advance(2 * time.Second)
		b.counts("a", 0, 2, 0, 0)
		if p := b.pool("a"); !p.Deaf {
			t.Error("nobody is told")
		}
		if n := b.log.count("has PHP no pcntl"); n != 1 {
			t.Errorf("%d warnings, want 1", n)
		}
		b.order(Command{Action: ActionPause})
		b.settle()
		b.counts("a", 0, 0, 0, 0)
		for _, c := range b.processes.all {
			if len(c.signals) > 0 || c.told != 1 {
				t.Errorf("%s got %v and was told to leave %d times", c.slot(), c.signals, c.told)
			}
		}
		b.processes.onBirth(nil)
		b.order(Command{Action: ActionContinue})
		b.settle()
		b.counts("a", 0, 2, 0, 0)
		if p := b.pool("a"); p.Deaf {
			t.Error("workers that handle signals are still taken for deaf")
		}
		if got := b.pool("a").Counters.Exits[proc.ReasonSignal]; got != 0 {
			t.Errorf("%d died of a signal", got)
		}
	})
}

// A worker that has told of a job before it was seen to handle signals is not
// paused by one.
func TestPauseBeforeSignalsAreHandled(t *testing.T) {
	inBubble(t, fleet(), nil, func(b *bench) {
		b.processes.onBirth(func(c *fakeChild) { c.deaf = true })
		b.apply(fleet(queueConfig{name: "a", preset: "laravel", min: 1, max: 1}))
		c := b.processes.running()[0]
		c.says("begin")
		b.settle()
		b.counts("a", 0, 1, 0, 0)
		b.order(Command{Action: ActionPause})
		if len(c.signals) > 0 || c.told != 1 {
			t.Errorf("it got %v and was told to leave %d times", c.signals, c.told)
		}
	})
}
