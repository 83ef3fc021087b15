package app

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/supervisor"
)

// manyPools is from how many pools on memory counts more than a little CPU.
const manyPools = 100

const (
	// tidyAfter is for how long nothing has to be started: by then the workers
	// have been measured for the first time as well.
	tidyAfter = 8 * time.Second
	// tidyLimit is how long a configuration's workers are waited for.
	tidyLimit = 2 * time.Minute
)

// tidier keeps a supervisor's memory small. While nothing happens it makes next
// to no garbage, so what reading a configuration and starting its workers left
// would stay for minutes, and the pages of that peak for good.
type tidier struct {
	applied chan struct{}
	state   func() *supervisor.State
}

func newTidier(state func() *supervisor.State) *tidier {
	return &tidier{applied: make(chan struct{}, 1), state: state}
}

// apply is told of each configuration.
func (t *tidier) apply(cfg *configs.Config) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(poolsPercent(cfg))
	}
	select {
	case t.applied <- struct{}{}:
	default:
	}
}

// poolsPercent is how far the heap may grow between collections.
func poolsPercent(cfg *configs.Config) int {
	pools := 0
	for i := range cfg.Queues {
		if cfg.Queues[i].Worker != nil {
			pools++
		}
	}
	if pools >= manyPools {
		return 40
	}
	return 100
}

// run gives memory back once the workers of a new configuration have been
// started. It returns at the end of ctx.
func (t *tidier) run(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.applied:
		}
		begun := time.Now()
		since := begun // nothing is started
		for time.Since(begun) < tidyLimit && time.Since(since) < tidyAfter {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case now := <-second.C:
				if !settled(t.state()) {
					since = now
				}
			}
		}
		debug.FreeOSMemory()
	}
}

// settled reports whether no command is being made and no worker started. A
// place that waits for its back-off may do so for long.
func settled(s *supervisor.State) bool {
	for _, p := range s.Pools {
		if p.Preparing || p.Counts.Starting > 0 || p.Desired > p.Counts.Running+p.Counts.Backoff && p.CannotStart == nil && !p.Paused {
			return false
		}
	}
	return len(s.Sources) > 0 || len(s.Pools) == 0
}
