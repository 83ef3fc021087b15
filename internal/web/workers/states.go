package workers

import (
	"slices"

	"github.com/queuefleet/queuefleet/supervisor"
)

// poolState sums up a pool in a word.
type poolState string

const (
	poolBroken   poolState = "broken"   // no worker can be started as the configuration asks for
	poolCrashing poolState = "crashing" // workers end at once, or wait for their back-off to be over
	poolAway     poolState = "away"     // its Redis does not answer
	poolLeaving  poolState = "leaving"  // it is on its way out
	poolPaused   poolState = "paused"
	poolChanging poolState = "changing" // it does not have the workers yet that it is to have
	poolOK       poolState = "ok"
)

// poolStates are in the order of the pages: what wants attention comes first.
var poolStates = []struct {
	state poolState
	badge string // class of the style sheet
}{
	{poolBroken, "bad"},
	{poolCrashing, "bad"},
	{poolAway, "hung"},
	{poolLeaving, ""},
	{poolPaused, ""},
	{poolChanging, "hung"},
	{poolOK, "good"},
}

func stateOf(p *supervisor.PoolStatus) poolState {
	switch {
	case p.CannotStart != nil:
		return poolBroken
	case p.Throttled || p.Counts.Backoff > 0:
		return poolCrashing
	case p.Draining:
		return poolLeaving
	case p.SourceUp != nil && !*p.SourceUp:
		return poolAway
	case p.Paused:
		return poolPaused
	case p.Preparing || p.Outdated > 0 || p.Counts.Running != p.Desired || p.Counts.Starting > 0:
		return poolChanging
	default:
		return poolOK
	}
}

func rank(state poolState) int {
	return slices.IndexFunc(poolStates, func(s struct {
		state poolState
		badge string
	}) bool {
		return s.state == state
	})
}

// workerBadge is the class that colours a worker's state.
func workerBadge(state supervisor.WorkerState) string {
	switch state {
	case supervisor.Running:
		return "good"
	case supervisor.Backoff:
		return "bad"
	case supervisor.Starting, supervisor.Stopping:
		return "hung"
	default:
		return ""
	}
}
