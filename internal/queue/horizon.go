package queue

import (
	"math"
	"slices"
	"strings"
)

// HorizonStatus is what horizon:status would say.
type HorizonStatus int

// The states of a Horizon, of a master and of a supervisor.
const (
	HorizonInactive HorizonStatus = iota // no master reports
	HorizonRunning
	HorizonPaused // every master that reports is paused
	NumHorizonStatuses

	HorizonUnknown HorizonStatus = -1 // a master reports whose record has not been read yet
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
// and lists nil where something is not known: the names of masters, supervisors
// and queues come with one scrape, and what stands in their records with the
// next one.
type HorizonReading struct {
	Status      HorizonStatus
	Masters     float64 // masters that reported in the last 14 s
	Supervisors float64 // supervisors that reported in the last 29 s

	Processes []HorizonProcesses  // of all supervisors, by queue, sorted; terminating ones are not in them
	Queues    []HorizonQueue      // measured queues, sorted by name
	Details   []HorizonSupervisor // sorted by name

	JobsPerMinute    float64 // that succeeded since the last snapshot, as Horizon's dashboard computes it, not rounded
	RecentJobs       float64 // within trim.recent, if a master runs that trims
	PendingJobs      float64 // running ones among them
	CompletedJobs    float64 // within trim.completed
	FailedJobs       float64 // within trim.failed
	RecentFailedJobs float64 // within trim.recent_failed
	LastSnapshot     float64 // unix seconds

	Prefix string // in use

	Err     error // nothing could be read
	Partial error // why something is missing
}

// reset makes everything unknown.
func (h *HorizonReading) reset() {
	nan := math.NaN()
	*h = HorizonReading{
		Status: HorizonUnknown, Masters: nan, Supervisors: nan, JobsPerMinute: nan, RecentJobs: nan,
		PendingJobs: nan, CompletedJobs: nan, FailedJobs: nan, RecentFailedJobs: nan, LastSnapshot: nan,
	}
}

func (h *HorizonReading) partly(err error) {
	if h.Partial == nil {
		h.Partial = err
	}
}

// Waits fills in the waits of the queues: what Horizon calls the time to clear,
// computed from the lengths of their ready lists. ready returns the length of a
// queue's list, or NaN where it is not known.
func (h *HorizonReading) Waits(ready func(queue string) float64) {
	for i := range h.Queues {
		q := &h.Queues[i]
		q.WaitSeconds = math.NaN()
		for _, p := range h.Processes {
			names := strings.Split(p.Queue, ",")
			if !slices.Contains(names, q.Queue) {
				continue
			}
			wait := 0.0
			for _, name := range names {
				wait += h.clear(name, ready(name))
			}
			wait /= max(p.Processes, 1)
			if math.IsNaN(q.WaitSeconds) || wait > q.WaitSeconds {
				q.WaitSeconds = wait
			}
		}
	}
}

// clear returns how many seconds of work ready jobs of a queue are.
func (h *HorizonReading) clear(queue string, ready float64) float64 {
	if ready == 0 {
		return 0
	}
	for i := range h.Queues {
		if h.Queues[i].Queue == queue {
			return ready * h.Queues[i].RuntimeSeconds
		}
	}
	return math.NaN()
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
	RuntimeSeconds float64 // their mean run time; NaN where there were none
	WaitSeconds    float64 // NaN until Waits is called
}
