package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// HorizonStatus is what horizon:status would say.
type HorizonStatus int

// The states of a Horizon, of a master and of a supervisor.
const (
	HorizonInactive HorizonStatus = iota // no master reports
	HorizonRunning
	HorizonPaused // every master that reports is paused
	NumHorizonStatuses
)

var horizonStatusNames = [NumHorizonStatuses]string{"inactive", "running", "paused"}

// String returns the name as it stands in the label status.
func (s HorizonStatus) String() string {
	if s < 0 || s >= NumHorizonStatuses {
		return "unknown"
	}
	return horizonStatusNames[s]
}

// HorizonTarget is one application's Horizon.
type HorizonTarget struct {
	Application string
	Connection  string // where Horizon keeps its data
	// Prefix of Horizon's keys. Empty: it is found among PrefixHints.
	Prefix      string
	PrefixHints []string // see HorizonPrefixes
}

// HorizonReading is what one scrape knows about one Horizon. Numbers are NaN
// and lists nil where something is not known. Supervisors and queues that
// appear between two scrapes have their details from the next one on.
type HorizonReading struct {
	Status      HorizonStatus // meaningful where Masters is a number
	Masters     float64       // masters that reported in the last 14 s
	Supervisors float64       // supervisors that reported in the last 29 s

	Processes []HorizonProcesses // by queue, sorted; terminating ones are not in them
	Queues    []HorizonQueue     // measured queues, sorted by name
	Details   []HorizonSupervisor

	JobsPerMinute    float64 // as Horizon's dashboard shows it: since the last snapshot
	RecentJobs       float64 // within trim.recent
	PendingJobs      float64 // running ones among them
	CompletedJobs    float64 // within trim.completed
	FailedJobs       float64 // within trim.failed
	RecentFailedJobs float64 // within trim.recent_failed
	LastSnapshot     float64 // unix seconds

	Prefix string // in use

	Err     error // nothing could be read
	Partial error // why something is missing
}

// HorizonProcesses is the number of worker processes of one queue. Where the
// balance is off, one pool serves several queues: Queue has them all, joined by
// commas.
type HorizonProcesses struct {
	QueueConnection string // name within the application, as redis
	Queue           string
	Processes       float64
}

// HorizonSupervisor is one supervisor that reports.
type HorizonSupervisor struct {
	Name      string // as HOST-abcd:supervisor-1
	Status    HorizonStatus
	Processes float64
}

// HorizonQueue is what Horizon measured of one queue since its last snapshot.
type HorizonQueue struct {
	Queue          string
	Throughput     float64 // jobs that succeeded since the last snapshot
	RuntimeSeconds float64 // their mean run time
	WaitSeconds    float64 // time to clear the queue with the present processes
}

// HorizonReader reads the Horizons whose data lies on one connection. Like a
// Reader it is used by one goroutine at a time.
type HorizonReader struct {
	entries []*horizonEntry
	cmds    []redis.Cmder
	reading HorizonReading
}

type horizonEntry struct {
	target HorizonTarget
}

// NewHorizonReader makes a HorizonReader without targets.
func NewHorizonReader() *HorizonReader { return &HorizonReader{} }

// SetTargets replaces the list of Horizons. One that was there before keeps its memory.
func (r *HorizonReader) SetTargets(targets []HorizonTarget) {
	r.entries = make([]*horizonEntry, 0, len(targets))
	for i := range targets {
		r.entries = append(r.entries, &horizonEntry{target: targets[i]})
	}
}

// Enqueue adds this scrape's commands to pipe. now is this machine's time.
func (r *HorizonReader) Enqueue(ctx context.Context, pipe redis.Pipeliner, now time.Time) {
	_ = pipe.BatchProcess(ctx, r.cmds...)
}

// Results calls yield once for each target, in the order of SetTargets.
func (r *HorizonReader) Results(now time.Time, yield func(*HorizonTarget, *HorizonReading)) {
	for _, e := range r.entries {
		r.reading = HorizonReading{Err: ErrNotRun}
		yield(&e.target, &r.reading)
	}
}
