package supervisor

import (
	"maps"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// Counters are what has happened to a pool since the supervisor began to run
// it. A key that is missing from a map stands for 0.
type Counters struct {
	Starts      uint64
	Exits       map[proc.Reason]uint64
	BusyKilled  uint64  // killed at their deadline while they had, or may have had, a job
	Leaked      uint64  // processes that outlived their worker
	LinesLost   uint64  // lines of output that were not forwarded
	CPUSeconds  float64 // of all workers, the present ones included
	JobResults  map[JobResult]uint64
	ScaleEvents map[ScaleEvent]uint64

	StartSeconds Histogram // from the wish to start until the worker can take a job
	JobSeconds   Histogram
	WaitSeconds  Histogram
}

// JobResult is how an attempt at a job ended.
type JobResult string

// The values of the label result of jobs_processed_total.
const (
	JobProcessed JobResult = "processed"
	JobFailed    JobResult = "failed"
	JobReleased  JobResult = "released"
	JobLost      JobResult = "lost" // the worker ended before the job did
)

// JobResults lists them.
func JobResults() []JobResult { return []JobResult{JobProcessed, JobFailed, JobReleased, JobLost} }

// ScaleEvent is the labels of scale_events_total.
type ScaleEvent struct {
	Direction Direction
	Reason    Reason
}

var (
	startBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
	jobBounds   = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
	loopBounds  = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1}
)

func newCounters() Counters {
	return Counters{
		Exits: map[proc.Reason]uint64{}, ScaleEvents: map[ScaleEvent]uint64{}, StartSeconds: newHistogram(startBounds),
	}
}

// ofJobs adds those of jobs. Pools that are never told of jobs go without: a
// thousand of them would keep a megabyte of zeros.
func (c *Counters) ofJobs() {
	c.JobResults = map[JobResult]uint64{}
	c.JobSeconds, c.WaitSeconds = newHistogram(jobBounds), newHistogram(jobBounds)
}

// clone copies c for a State.
func (c *Counters) clone() Counters {
	n := *c
	n.Exits, n.JobResults, n.ScaleEvents = maps.Clone(c.Exits), maps.Clone(c.JobResults), maps.Clone(c.ScaleEvents)
	n.StartSeconds, n.JobSeconds, n.WaitSeconds = c.StartSeconds.clone(), c.JobSeconds.clone(), c.WaitSeconds.clone()
	return n
}
