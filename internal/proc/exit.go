package proc

import (
	"syscall"
	"time"
)

// Reason is why a worker ended, from the closed set of the metric
// worker_exits_total.
type Reason string

// The reasons, in Reasons' order.
const (
	ReasonClean       Reason = "clean"
	ReasonError       Reason = "error"
	ReasonSignal      Reason = "signal"
	ReasonMemory      Reason = "memory"
	ReasonTimeout     Reason = "timeout"
	ReasonMaxJobs     Reason = "max_jobs"
	ReasonMaxTime     Reason = "max_time"
	ReasonScaleDown   Reason = "scale_down"
	ReasonReload      Reason = "reload"
	ReasonCannotStart Reason = "cannot_start"
)

// Reasons returns the closed set.
func Reasons() []Reason {
	return []Reason{
		ReasonClean, ReasonError, ReasonSignal, ReasonMemory, ReasonTimeout,
		ReasonMaxJobs, ReasonMaxTime, ReasonScaleDown, ReasonReload, ReasonCannotStart,
	}
}

// Exit is how a worker ended.
type Exit struct {
	Status      syscall.WaitStatus
	User        time.Duration // CPU time of the worker and of the children it waited for
	System      time.Duration
	NeverRan    bool // stopped before it had become the worker
	Stopped     bool // after Stop
	Killed      bool // by us, since its grace was over
	OutOfMemory bool // the kernel enforced MemoryMax
	Leaked      int  // processes that outlived it and were killed; more may follow in Leaked events
}

// Context is what only the owner of a worker knows about its end.
type Context struct {
	Asked      Reason // why Stop was called: ReasonScaleDown, ReasonReload or another
	Clean      Reason // what exit status 0 means, as ReasonMaxJobs where that is known; "" = ReasonClean
	MemoryCode int    // exit status by which the worker says that its memory is used up; 0 = none
	TimedOut   bool   // its job ran longer than it may, and the worker ends itself then
}

// Reason says why a worker ended. An end that was asked for is one of the
// reasons asked for, unless it had to be killed.
func (e *Exit) Reason(c Context) Reason {
	switch {
	case e.Killed, c.TimedOut && e.Status.Signaled():
		return ReasonTimeout
	case e.OutOfMemory:
		return ReasonMemory
	case e.Stopped && c.Asked != "":
		return c.Asked
	case e.NeverRan:
		return ReasonSignal
	case e.Status.Signaled():
		return ReasonSignal
	case c.MemoryCode != 0 && e.Status.ExitStatus() == c.MemoryCode:
		return ReasonMemory
	case e.Status.ExitStatus() != 0:
		return ReasonError
	case c.Clean != "":
		return c.Clean
	default:
		return ReasonClean
	}
}
