package proc

import "time"

// Kind is what happened to a child.
type Kind int

// A child's events come in this order: Started or not, then exactly one of
// Failed and Exited, then Leaked any number of times, and at last Gone.
const (
	Started Kind = iota // it has become the worker
	Failed              // it could not be started; nothing of it is left
	Exited              // it has ended and has been reaped
	Leaked              // processes were found that outlived it, and killed
	Gone                // its output has been read, and nothing that it left behind runs any more
)

// String returns the kind's name.
func (k Kind) String() string {
	return [...]string{"started", "failed", "exited", "leaked", "gone"}[k]
}

// Event is something that happened to a child.
type Event struct {
	Kind  Kind
	Child *Child
	At    time.Time
	Err   *StartError // of Failed
	Exit  *Exit       // of Exited
	Count int         // of Leaked, processes
}
