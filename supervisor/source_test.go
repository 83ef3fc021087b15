package supervisor

import (
	"fmt"
	"testing"

	"github.com/queuefleet/queuefleet/internal/queue"
)

// Queues that decide nothing are read in portions: each once a round, however
// many there are.
func TestPortions(t *testing.T) {
	for _, n := range []int{0, 1, fixedEvery - 1, fixedEvery, 1000} {
		r := readRequest{}
		for i := range n {
			r.fixed = append(r.fixed, queue.Target{Queue: fmt.Sprint(i)})
		}
		if got := len(r.portion(0)); got != n {
			t.Errorf("of %d queues the first reading has %d", n, got)
		}
		seen := map[string]int{}
		for reading := 1; reading <= fixedEvery; reading++ {
			portion := r.portion(reading)
			if most := n/fixedEvery + 1; len(portion) > most {
				t.Errorf("of %d queues a reading has %d, want %d at most", n, len(portion), most)
			}
			for _, target := range portion {
				seen[target.Queue]++
			}
		}
		for _, target := range r.fixed {
			if seen[target.Queue] != 1 {
				t.Errorf("of %d queues %s was read %d times in a round, want once", n, target.Queue, seen[target.Queue])
			}
		}
	}
}
