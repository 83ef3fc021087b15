package supervisor

import (
	"cmp"
	"fmt"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// worker is a place in a pool and the process that fills it. It begins and,
// between two processes, waits in Backoff; in every other state there is a child.
type worker struct {
	pool  *pool
	sub   *subPool
	slot  int
	state WorkerState
	child child // nil in Backoff

	// The present process.
	pid        int    // 0 = not known yet
	process    uint64 // numbers the processes of the place
	parser     parser
	grace      time.Duration // to leave, as its command was made
	generation int
	epoch      int
	hash       proc.Hash
	wished     time.Time // when its start was asked for
	started    time.Time // it has become the worker
	running    time.Time // it can take jobs
	activity   Activity
	job        string
	jobSince   time.Time
	silent     bool // the job's end may not be told
	jobs       uint64
	paused     bool
	deaf       bool // it does not handle its pause signal, but dies of it
	usage      proc.Usage
	dropped    uint64
	asked      proc.Reason // why it was told to leave
	rolled     bool        // it leaves for a replacement
	told       time.Time   // when
	deadline   time.Time

	// The place.
	restarts int
	failures int // in a row
	quick    int // orderly ends in a row that were suspiciously fast
	retryAt  time.Time
	held     bool // until the source answers
	lastExit string
}

func (w *worker) name() string { return fmt.Sprintf("%s/%d", w.pool.def.name, w.slot) }

// active workers count towards what is desired.
func (w *worker) active() bool { return w.state != Stopping }

// outdated workers are to be replaced. A place without a process is not: it
// gets the present command in any case.
func (w *worker) outdated() bool {
	return (w.state == Starting || w.state == Running) && w.sub.ready &&
		(w.hash != w.sub.hash || w.epoch != w.pool.epoch)
}

// lived is how long the process has been the worker.
func (w *worker) lived(now time.Time) time.Duration {
	if w.started.IsZero() {
		return 0
	}
	return now.Sub(w.started)
}

// settleAfter is how long a new worker has to stay before it takes the place of
// an old one.
const settleAfter = time.Second

// settled workers have shown that their command works.
func (w *worker) settled(now time.Time) bool {
	return w.state == Running && (w.jobs > 0 || now.Sub(w.running) >= settleAfter)
}

func (w *worker) candidate() Candidate {
	return Candidate{Activity: w.activity, Booting: w.state == Starting, Generation: w.generation, Started: w.wished}
}

// doubt no longer takes a job for running whose end may not be told, once the
// time is over that it may take. It returns when that will be, zero = never.
func (w *worker) doubt(now time.Time) time.Time {
	timeout := w.pool.def.jobTimeout()
	if w.activity != Busy || !w.silent || timeout <= 0 {
		return time.Time{}
	}
	at := w.jobSince.Add(timeout + time.Second)
	if now.Before(at) {
		return at
	}
	w.activity, w.job = Unclear, ""
	return time.Time{}
}

// busy reports whether the worker has a job; nil where that is not known.
func (w *worker) busy() *bool {
	if w.activity == Unclear || w.child == nil {
		return nil
	}
	is := w.activity == Busy
	return &is
}

// exitReason says why the process has ended.
func (w *worker) exitReason(exit *proc.Exit, now time.Time) proc.Reason {
	d := w.pool.def
	asked := w.asked
	if w.state == Stopping {
		asked = cmp.Or(asked, proc.ReasonClean) // it left as it was told to
	}
	context := proc.Context{Asked: asked, MemoryCode: d.traits.memoryCode}
	timeout := d.jobTimeout()
	context.TimedOut = w.activity == Busy && timeout > 0 && now.Sub(w.jobSince) >= timeout-time.Second
	switch {
	case d.queue.MaxJobs > 0 && w.jobs >= uint64(d.queue.MaxJobs):
		context.Clean = proc.ReasonMaxJobs
	case d.queue.MaxTime > 0 && w.lived(now) >= d.queue.MaxTime.Std():
		context.Clean = proc.ReasonMaxTime
	}
	return exit.Reason(context)
}

// ended is a process that has ended but is not gone.
type ended struct {
	worker  *worker
	process uint64
	parser  parser
	clean   bool // it left by itself, as workers do
}
