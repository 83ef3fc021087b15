package supervisor

import (
	"testing"
	"time"
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
