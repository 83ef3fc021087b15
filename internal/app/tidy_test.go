package app

import (
	"testing"

	"github.com/queuefleet/queuefleet/supervisor"
)

// Memory is given back when nothing is about to be started any more, and a pool
// that has no workers to wait for does not put that off.
func TestSettled(t *testing.T) {
	running := supervisor.Counts{Running: 2}
	for name, test := range map[string]struct {
		pool supervisor.PoolStatus
		want bool
	}{
		"runs":      {supervisor.PoolStatus{Desired: 2, Counts: running}, true},
		"preparing": {supervisor.PoolStatus{Desired: 2, Counts: running, Preparing: true}, false},
		"starting":  {supervisor.PoolStatus{Desired: 3, Counts: supervisor.Counts{Running: 2, Starting: 1}}, false},
		"lacks":     {supervisor.PoolStatus{Desired: 3, Counts: running}, false},
		"backoff":   {supervisor.PoolStatus{Desired: 3, Counts: supervisor.Counts{Running: 2, Backoff: 1}}, true},
		"broken":    {supervisor.PoolStatus{Desired: 3, CannotStart: &supervisor.CannotStart{}}, true},
		"paused":    {supervisor.PoolStatus{Desired: 3, Paused: true}, true},
	} {
		state := &supervisor.State{Pools: []*supervisor.PoolStatus{&test.pool}, Sources: make([]supervisor.SourceStatus, 1)}
		if got := settled(state); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	if settled(&supervisor.State{Pools: []*supervisor.PoolStatus{{}}}) {
		t.Error("before anything was read")
	}
}
