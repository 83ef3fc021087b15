package preset

import (
	"context"
	"errors"
	"fmt"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// The values of Error.Reason.
const (
	ReasonBadConfiguration = "bad_configuration" // no command can be made of it
	ReasonProbeFailed      = "probe_failed"      // the application could not be asked
	ReasonWrongConnection  = "wrong_connection"  // the application uses another Redis
	ReasonHorizonFiles     = "horizon_files"     // the files that it reads cannot be made or brought to the disk
)

// Error says why workers cannot be started. It holds no secret.
type Error struct {
	Reason string
	Text   string
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// UnprovenError says why it could not be found out which Redis an application
// uses.
type UnprovenError struct{ Text string }

// Error returns the text.
func (e *UnprovenError) Error() string {
	return "which Redis the application uses cannot be found out: " + e.Text
}

// DeafError says why workers handle no signals: a job under way does not end in
// peace when its worker is told to leave, and no worker can be paused.
type DeafError struct{ Text string }

// Error returns the text.
func (e *DeafError) Error() string { return "workers handle no signals: " + e.Text }

// Explain returns why workers cannot be started, of an error of this package
// or of proc: the reason for a label and the text for people.
func Explain(err error) (reason, text string) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason, err.Error()
	}
	if e, ok := errors.AsType[*proc.StartError](err); ok {
		return string(e.Reason), err.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return ReasonProbeFailed, err.Error()
	}
	return string(proc.OtherReason), err.Error()
}

func misconfigured(format string, args ...any) *Error {
	return &Error{ReasonBadConfiguration, fmt.Sprintf(format, args...)}
}
