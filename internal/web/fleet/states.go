package fleet

import "github.com/queuefleet/queuefleet/collector"

// connectionState is a state as the pages show it.
type connectionState struct {
	state collector.State
	badge string // class of the style sheet
}

// states are in the order of the pages: what wants attention comes first.
var states = []connectionState{
	{collector.Down, "bad"},
	{collector.Hung, "hung"},
	{collector.Unknown, ""},
	{collector.Up, "good"},
	{collector.Inactive, ""},
	{collector.Deleted, ""},
}

// rank is the place of a state in states.
func rank(state collector.State) int {
	for i := range states {
		if states[i].state == state {
			return i
		}
	}
	return len(states)
}

// badge is the class that colours a state.
func badge(state collector.State) string {
	if i := rank(state); i < len(states) {
		return states[i].badge
	}
	return ""
}

// queueState sums up what is known of a queue.
type queueState string

const (
	queueFailed queueState = "failed" // could not be read, although its connection answered
	queueLate   queueState = "late"   // its oldest job has waited longer than the objective
	queuePaused queueState = "paused"
	queueUnread queueState = "unread" // its connection has not answered, or nobody has asked yet
	queueOK     queueState = "ok"
)

var queueStates = []struct {
	state queueState
	badge string
}{
	{queueFailed, "bad"},
	{queueLate, "hung"},
	{queuePaused, ""},
	{queueUnread, ""},
	{queueOK, "good"},
}

func queueRank(state queueState) int {
	for i := range queueStates {
		if queueStates[i].state == state {
			return i
		}
	}
	return len(queueStates)
}

func stateOf(q *collector.QueueStatus) queueState {
	switch {
	case q.ReadSuccess == nil:
		return queueUnread
	case !*q.ReadSuccess:
		return queueFailed
	case q.Paused != nil && *q.Paused:
		return queuePaused
	case late(q):
		return queueLate
	default:
		return queueOK
	}
}

// late reports whether the oldest job has surely waited longer than it should.
func late(q *collector.QueueStatus) bool {
	if q.WaitObjectiveSeconds == nil {
		return false
	}
	age, _ := oldest(q)
	return age != nil && *age > *q.WaitObjectiveSeconds
}

// oldest returns the age of the oldest job, or how long at least it has
// waited, or nil where neither is known.
func oldest(q *collector.QueueStatus) (age *float64, atLeast bool) {
	if q.OldestAgeSeconds != nil {
		return q.OldestAgeSeconds, false
	}
	return q.OldestAgeLowerBoundSeconds, q.OldestAgeLowerBoundSeconds != nil
}
