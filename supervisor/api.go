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
	EventOrphans     EventKind = "orphans"      // processes of an earlier Horizon were found
	EventCannotStart EventKind = "cannot_start" // a worker or a whole pool
	EventThrottled   EventKind = "throttled"    // a pool's workers end so fast that one is tried at a time
	EventScaled      EventKind = "scaled"       // other counts are desired
	EventControl     EventKind = "control"      // an operator's order
	EventSource      EventKind = "source"       // a queue source went away or came back
	EventLife        EventKind = "life"         // the supervisor itself
)

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
	if p.Horizon != nil {
		all = append(all, p.Horizon.sentences(p.Application)...)
	}
	if p.Deaf {
		all = append(all, "The workers handle no signals: told to leave they are cut off in their job, which comes back after retry_after, and a pause ends them. Does PHP lack pcntl?")
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
	ReasonHorizonFiles     = "horizon_files"     // the files that Horizon reads cannot be made, or not be replaced
	ReasonAnotherMaster    = "another_master"    // a Horizon of the application runs that is not the pool's
)

// CannotStartReasons is the closed set of CannotStart.Reason.
func CannotStartReasons() []string {
	all := []string{ReasonWrongConnection, ReasonProbeFailed, ReasonBadConfiguration, ReasonCheckHangs, ReasonHorizonFiles, ReasonAnotherMaster}
	for _, reason := range proc.StartReasons() {
		all = append(all, string(reason))
	}
	return all
}
