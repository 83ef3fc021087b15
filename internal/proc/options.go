package proc

import (
	"log/slog"
	"time"
)

// Options are what a Manager is made with.
type Options struct {
	Logger *slog.Logger

	// Adopt makes orphaned descendants children of this process, as they are of
	// process 1 in any case, so that those which a worker left behind are found
	// and reaped. All children of the process are then reaped by the Manager:
	// os/exec must not be used beside it.
	Adopt bool

	// CgroupDir is where each worker gets a cgroup of its own, "" = nowhere; see
	// DelegatedCgroup.
	CgroupDir string

	// Forward is given the workers' output, line by line, by one goroutine. It may
	// block: lines that exceed the bounds meanwhile are dropped and counted. nil =
	// the output is read and dropped.
	Forward func(*Child, Line)

	// Rate bounds what one worker may forward; 0 = 2,000 lines, 1 MiB a second.
	Rate Rate

	// DrainTime is how long output is read after a worker's end while somebody
	// still holds it open; 0 = 1 s.
	DrainTime time.Duration

	stub *stub // for tests: nil = what works
}

// Stats are counts since the Manager began.
type Stats struct {
	Leaked    uint64 // processes that outlived their worker and were killed
	Strangers uint64 // adopted processes reaped, the leaked ones included
	Dropped   uint64 // lines of output that were not forwarded
	Abandoned uint64 // streams that somebody held open beyond DrainTime
}
