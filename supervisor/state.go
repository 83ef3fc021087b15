package supervisor

import "time"

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

	ReportsJobs bool `json:"reports_jobs"`   // the preset's output tells of jobs
	Deaf        bool `json:"deaf,omitempty"` // its workers handle no signals: they cannot finish a job when they are told to leave, nor be paused

	Horizon *HorizonStatus `json:"horizon,omitempty"` // of the preset horizon

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
