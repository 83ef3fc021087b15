package supervisor

import (
	"errors"
	"fmt"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// Action is what an operator can do to pools.
type Action string

// The actions.
const (
	ActionPause    Action = "pause"    // no new jobs; survives a reload
	ActionContinue Action = "continue" // ends a pause
	ActionRestart  Action = "restart"  // replaces every worker, a few at a time
	ActionScale    Action = "scale"    // so many workers in total, until For has passed
	ActionAuto     Action = "auto"     // ends an order to scale
)

// DefaultScaleFor is how long an order to scale holds that does not say it.
const DefaultScaleFor = time.Hour

// Command is an operator's order. It concerns the pools that are named, or
// those of an application, or all.
type Command struct {
	Action      Action
	Pools       []string // names of pools
	Application string   // slug; with Pools, those of them that are the application's
	Processes   int      // of ActionScale: workers of each pool in total
	For         time.Duration
	By          string // who asks, for the events
}

// Result says what a Command has reached.
type Result struct {
	Pools []string // sorted
}

// ErrUnknownPool says that a command names a pool that does not exist, or an
// application that has none.
type ErrUnknownPool struct{ Name string }

// Error names what was asked for.
func (e ErrUnknownPool) Error() string { return fmt.Sprintf("there is no pool %q", e.Name) }

// ErrOutOfBounds says that a pool may not have that many workers.
type ErrOutOfBounds struct {
	Pool            string
	Asked, Min, Max int
	PerApplication  bool // the preset runs one process per application, which cannot be scaled
}

// Error tells the bounds.
func (e ErrOutOfBounds) Error() string {
	if e.PerApplication {
		return fmt.Sprintf("pool %s runs one process per application and cannot be scaled", e.Pool)
	}
	return fmt.Sprintf("pool %s has between %d and %d processes, not %d", e.Pool, e.Min, e.Max, e.Asked)
}

// Errors of Control.
var (
	ErrUnknownAction = errors.New("unknown action")
	ErrNotRunning    = errors.New("the supervisor is not running")
)

// Event is something that happened to a pool or to one of its workers.
type Event struct {
	ID   uint64    `json:"id"` // ascending, without gaps
	At   time.Time `json:"at"`
	Pool string    `json:"pool,omitempty"`
	Slot int       `json:"slot"` // -1: the pool's, not a worker's
	Kind EventKind `json:"kind"`
	Text string    `json:"text"`

	Fields map[string]any `json:"fields,omitempty"` // figures and names, by snake_case name
}

// EventKind is what an Event tells of.
type EventKind string

// The kinds.
const (
	EventPool        EventKind = "pool"         // added, changed, removed
	EventStarted     EventKind = "started"      // a worker runs
	EventStopping    EventKind = "stopping"     // a worker was told to leave
	EventExited      EventKind = "exited"       // a worker has ended
	EventKilled      EventKind = "killed"       // a worker did not leave in time
	EventLeaked      EventKind = "leaked"       // processes that outlived a worker were killed
	EventCannotStart EventKind = "cannot_start" // a worker or a whole pool
	EventThrottled   EventKind = "throttled"    // a pool's workers end so fast that one is tried at a time
	EventScaled      EventKind = "scaled"       // other counts are desired
	EventControl     EventKind = "control"      // an operator's order
	EventSource      EventKind = "source"       // a queue source went away or came back
	EventLife        EventKind = "life"         // the supervisor itself
)

// State is all that is known of the pools at one moment. It is immutable.
type State struct {
	At       time.Time
	Name     string        // of the supervisor
	Observe  bool          // it only decides
	Draining bool          // it is about to end
	Pools    []*PoolStatus // sorted by name
	Events   []Event       // the last ones, oldest first

	Sources []SourceStatus // sorted by connection
	Loop    LoopStatus
}

// Pool finds a pool by name.
func (s *State) Pool(name string) (*PoolStatus, bool) {
	for _, p := range s.Pools {
		if p.Name == name {
			return p, true
		}
	}
	return nil, false
}

// Workers lists the workers of all pools.
func (s *State) Workers() []WorkerStatus {
	n := 0
	for _, p := range s.Pools {
		n += len(p.Workers)
	}
	all := make([]WorkerStatus, 0, n)
	for _, p := range s.Pools {
		all = append(all, p.Workers...)
	}
	return all
}

// LoopStatus is how the loop itself does.
type LoopStatus struct {
	Last    time.Time // end of the last pass
	Passes  uint64
	Seconds Histogram // duration of a pass
}

// SourceStatus is a connection as the source of queue figures.
type SourceStatus struct {
	Connection  string    `json:"connection"`
	Environment string    `json:"environment,omitempty"`
	Region      string    `json:"region,omitempty"`
	Team        string    `json:"team,omitempty"`
	Up          *bool     `json:"up"` // nil: not asked yet
	Error       string    `json:"error,omitempty"`
	ReadAt      time.Time `json:"read_at,omitzero"` // the last answer
	Seconds     float64   `json:"read_seconds"`     // how long the last reading took
	Pools       int       `json:"pools"`
}

// PoolStatus is one pool. It is immutable.
type PoolStatus struct {
	Name           string   `json:"pool"`
	Application    string   `json:"application"`
	Connection     string   `json:"connection"`
	Environment    string   `json:"environment,omitempty"`
	Region         string   `json:"region,omitempty"`
	Team           string   `json:"team,omitempty"`
	Preset         string   `json:"preset"`
	Configurations []string `json:"configurations,omitempty"` // of a pool that several share: their names
	QueueNames     []string `json:"queue_names"`              // as configured, patterns included
	Balance        Balance  `json:"balance"`
	Rules          Rules    `json:"scaling_rules"`

	Paused      bool         `json:"paused"`
	Draining    bool         `json:"draining"`  // it is on its way out
	Preparing   bool         `json:"preparing"` // its command is being checked
	Throttled   bool         `json:"throttled"` // its workers end so fast that one is tried at a time
	CannotStart *CannotStart `json:"cannot_start,omitempty"`
	SourceUp    *bool        `json:"source_up"` // nil: not asked yet

	Min      int             `json:"min_processes"` // of the whole pool
	Max      int             `json:"max_processes"`
	Desired  int             `json:"desired"`
	Counts   Counts          `json:"workers"`
	SubPools []SubPoolStatus `json:"sub_pools"`
	Override *Override       `json:"override,omitempty"`

	SpecHash   string `json:"spec_hash,omitempty"` // changes when workers have to be replaced
	Generation int    `json:"generation"`
	Outdated   int    `json:"outdated"`          // workers that are to be replaced
	Version    string `json:"version,omitempty"` // of the application's framework
	MemoryMax  uint64 `json:"memory_max_bytes,omitempty"`

	Observation  *Observation `json:"-"` // of LastDecision
	LastDecision *Decision    `json:"last_decision,omitempty"`

	ReportsJobs bool `json:"reports_jobs"` // the preset's output tells of jobs

	Workers  []WorkerStatus `json:"-"` // by slot
	Counters Counters       `json:"-"`
}

// CannotStart is why a pool has no workers, or not the ones that the
// configuration asks for.
type CannotStart struct {
	Reason string `json:"reason"` // one of CannotStartReasons
	Text   string `json:"text"`
}

// Counts are workers by state.
type Counts struct {
	Starting int  `json:"starting"`
	Running  int  `json:"running"`
	Stopping int  `json:"stopping"`
	Backoff  int  `json:"backoff"`
	Busy     *int `json:"busy"` // of the running and stopping ones; nil: the preset does not tell
}

// SubPoolStatus is the part of a pool that works one queue, or all of them
// under balance off.
type SubPoolStatus struct {
	Name       string   `json:"sub_pool"`
	Queues     []string `json:"queues"`
	Discovered bool     `json:"discovered"`
	SourceUp   *bool    `json:"source_up"`
	Desired    int      `json:"desired"`
	Counts     Counts   `json:"workers"`
	Serving    int      `json:"serving"` // running workers that would take a job
}

// WorkerState is where a worker stands between its start and its end.
type WorkerState string

// The states.
const (
	Starting WorkerState = "starting" // the process exists or is about to, and takes no job yet
	Running  WorkerState = "running"
	Stopping WorkerState = "stopping" // told to leave, still there
	Backoff  WorkerState = "backoff"  // there is no process until the wait is over
)

// WorkerStates lists the states in the order in which a worker goes through them.
func WorkerStates() []WorkerState { return []WorkerState{Starting, Running, Stopping, Backoff} }

// WorkerStatus is one worker.
type WorkerStatus struct {
	Pool         string      `json:"pool"`
	Application  string      `json:"application"`
	SubPool      string      `json:"sub_pool"`
	Slot         int         `json:"slot"` // unique within the pool
	PID          int         `json:"pid,omitempty"`
	State        WorkerState `json:"state"`
	Paused       bool        `json:"paused"`
	Generation   int         `json:"generation"`
	Outdated     bool        `json:"outdated"`
	Queues       []string    `json:"queues"`
	StartedAt    time.Time   `json:"started_at,omitzero"`
	Busy         *bool       `json:"busy"` // nil: the preset does not tell
	Job          string      `json:"job,omitempty"`
	JobSince     time.Time   `json:"job_since,omitzero"`
	Jobs         uint64      `json:"jobs"` // finished by this process
	RSS          uint64      `json:"rss_bytes,omitempty"`
	CPUSeconds   float64     `json:"cpu_seconds,omitempty"`
	Restarts     int         `json:"restarts"` // of this slot
	Failures     int         `json:"failures"` // ends in a row that were not expected
	LastExit     string      `json:"last_exit,omitempty"`
	BackoffUntil time.Time   `json:"backoff_until,omitzero"`
	StopDeadline time.Time   `json:"stop_deadline,omitzero"`
}

// Why explains a pool's last decision.
type Why struct {
	Pool        string       `json:"pool"`
	Observation *Observation `json:"observation"`
	Decision    *Decision    `json:"decision"`
	Sentences   []string     `json:"sentences"`
}

// Why explains the numbers of workers of a pool. ok is false where there is no
// such pool.
func (s *State) Why(pool string) (w Why, ok bool) {
	p, ok := s.Pool(pool)
	if !ok {
		return Why{}, false
	}
	w = Why{Pool: pool, Observation: p.Observation, Decision: p.LastDecision, Sentences: p.sentences()}
	return w, true
}

func (p *PoolStatus) sentences() []string {
	var all []string
	if p.CannotStart != nil {
		all = append(all, "No worker is started because of "+p.CannotStart.Reason+": "+p.CannotStart.Text+".")
	}
	if p.Paused {
		all = append(all, "The pool is paused.")
	}
	if p.SourceUp != nil && !*p.SourceUp {
		all = append(all, "The queue source does not answer: desired counts stay, and workers that end are started again when it answers.")
	}
	if p.LastDecision == nil {
		return append(all, "Nothing has been decided yet.")
	}
	for _, sub := range p.LastDecision.SubPools {
		all = append(all, sub.Sentence()+".")
	}
	return all
}

// The values of CannotStart.Reason that are not a proc.StartReason.
const (
	ReasonWrongConnection  = "wrong_connection"  // the application resolved another Redis than the configuration names
	ReasonProbeFailed      = "probe_failed"      // the application could not be asked
	ReasonBadConfiguration = "bad_configuration" // the preset cannot make a command of it
	ReasonCheckHangs       = "check_hangs"       // the command's files do not answer
)

// CannotStartReasons is the closed set of CannotStart.Reason.
func CannotStartReasons() []string {
	all := []string{ReasonWrongConnection, ReasonProbeFailed, ReasonBadConfiguration, ReasonCheckHangs}
	for _, reason := range proc.StartReasons() {
		all = append(all, string(reason))
	}
	return all
}
