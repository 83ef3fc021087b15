package collector

import (
	"sync"
	"time"

	"github.com/queuefleet/queuefleet/internal/connection"
)

// tally is what is counted of a connection over its probes. The mutex guards
// all of it: a probe writes, a scrape that gave up waiting reads.
type tally struct {
	mu          sync.Mutex
	probes      float64
	failures    [reasonCount]float64
	changes     float64
	known       bool // there was a probe
	up          bool
	lastSuccess time.Time
}

// Every reason of the closed set has its series from the start, or increase()
// would miss the first failure.
var reasons = connection.Reasons()

const reasonCount = 13

var (
	reasonLabels = func() (labels [reasonCount]string) {
		for i, r := range reasons {
			labels[i] = label("reason", string(r))
		}
		return labels
	}()
	reasonIndex = func() map[connection.Reason]int {
		index := make(map[connection.Reason]int, reasonCount)
		for i, r := range reasons {
			index[r] = i
		}
		return index
	}()
)

func (t *tally) count(up bool, reason connection.Reason, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.probes++
	if up {
		t.lastSuccess = at
	} else {
		t.failures[reasonIndex[reason]]++
	}
	if t.known && t.up != up {
		t.changes++
	}
	t.known, t.up = true, up
}

func (t *tally) add(b *block) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b.add(famProbes, "", t.probes)
	for i, n := range t.failures {
		b.add(famProbeFailures, reasonLabels[i], n)
	}
	b.add(famStateChanges, "", t.changes)
	b.add(famLastSuccess, "", unixSeconds(t.lastSuccess))
}

// success is when the connection last answered; zero = never.
func (t *tally) success() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lastSuccess
}
