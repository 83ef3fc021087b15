package preset

import (
	"regexp"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// Parser reads the output of one worker process, line by line. It is not safe
// for use by several goroutines at once.
type Parser interface {
	// Line returns what a line tells of jobs, nothing where it is just a line.
	Line(line proc.Line) []JobEvent

	// End returns what becomes known by the process's end, after its last line.
	// clean means that it left by itself, with status 0 or for its memory.
	End(clean bool) []JobEvent
}

// EventKind is what happened to a job.
type EventKind string

// The kinds.
const (
	JobStarted   EventKind = "started"
	JobProcessed EventKind = "processed" // done
	JobReleased  EventKind = "released"  // an attempt failed, another will follow
	JobFailed    EventKind = "failed"    // an attempt failed; the last one, where the output tells
	JobLost      EventKind = "lost"      // the worker ended before the job did
)

// Unknown is a duration that the output does not tell.
const Unknown time.Duration = -1

// JobEvent is something that a worker's output tells of a job. What it does
// not tell is empty or Unknown.
type JobEvent struct {
	Kind       EventKind
	Queue      string
	Connection string // the application's own name for it
	Job        string // class
	ID         string
	Duration   time.Duration // how long it ran; Unknown for JobStarted
	Wait       time.Duration // how long it waited before it was started
	At         time.Time

	// Silent says of a job that is started that its release would not be told: by
	// the limit of its time it has ended, whether or not there was an event.
	Silent bool
}

// escape matches what colours text on a terminal. A worker's output reaches us
// with its control characters replaced.
var escape = regexp.MustCompile("[\x1b\uFFFD]\\[[0-9;?]*[A-Za-z]")

// plain is a line without colours.
func plain(line string) string {
	if !strings.ContainsAny(line, "\x1b\uFFFD") {
		return line
	}
	return escape.ReplaceAllString(line, "")
}
