package supervisor

import (
	"cmp"
	"slices"
	"time"
)

// Activity is what is known of a worker's work.
type Activity int

// In the order in which workers leave. Busy ones never do.
const (
	Idle    Activity = iota // has no job; a worker that is still booting included
	Unclear                 // the preset does not tell
	Busy
)

// Candidate is a worker that could be told to leave. Workers that were told
// already are none.
type Candidate struct {
	Activity   Activity
	Booting    bool // not able to take a job yet
	Generation int  // of the specification it was started with
	Started    time.Time
}

// Victims chooses which of the candidates leave, at most n, and returns their
// indexes. Idle ones go before those of which nothing is known; a busy one is
// never chosen, so there may be fewer than n: the caller asks again when a job
// has ended. Among equals the older generation goes first, since a reload will
// replace it anyway; then one that is still booting, since it cannot be about
// to take a job; then the oldest, as in Horizon: it has grown most and is
// nearest to its own end by max_jobs or max_time.
func Victims(workers []Candidate, n int) []int {
	order := make([]int, 0, len(workers))
	for i, w := range workers {
		if w.Activity != Busy {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &workers[i], &workers[j]
		return cmp.Or(
			cmp.Compare(a.Activity, b.Activity),
			cmp.Compare(a.Generation, b.Generation),
			compareBool(b.Booting, a.Booting),
			a.Started.Compare(b.Started),
		)
	})
	return order[:min(max(0, n), len(order))]
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
