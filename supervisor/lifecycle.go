package supervisor

import (
	"cmp"
	"errors"
	"strconv"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// launch fills a place with a process.
func (l *loop) launch(w *worker) {
	now, s := l.now(), w.sub
	if w.generation > 0 {
		w.restarts++
	}
	w.state, w.generation, w.epoch, w.hash = Starting, w.pool.generation, w.pool.epoch, s.hash
	w.wished, w.started, w.running, w.deadline = now, time.Time{}, time.Time{}, time.Time{}
	w.activity, w.job, w.jobSince, w.jobs = Unclear, "", time.Time{}, 0
	w.pid, w.paused, w.usage, w.dropped, w.asked, w.rolled = 0, false, proc.Usage{}, 0, "", false
	w.retryAt, w.held, w.deaf = time.Time{}, false, w.pool.deaf
	if w.pool.def.traits.parser != nil {
		w.activity = Idle
	}
	w.process++
	w.grace = s.spec.StopTimeout
	w.pool.count().Starts++
	w.child = l.s.processes.start(proc.Launch{Spec: *s.spec, Name: w.name(), Observe: l.observer(w)})
	l.workers[w.child] = w
	w.pool.horizon.clearAt = time.Time{} // what is seen counts for one start
	l.starts.take()
}

// happened takes in an event of a process.
func (l *loop) happened(e processEvent) {
	w := l.workers[e.Child]
	if w == nil {
		l.afterwards(e)
		return
	}
	switch e.Kind {
	case proc.Started:
		w.started, w.pid = e.At, e.PID
		w.pool.startError = nil
		l.tell(w.pool, w, EventStarted, "started")
		if w.pool.def.traits.ready == 0 || w.deaf {
			l.ready(w)
		} else {
			l.booting[w] = true
		}
	case proc.Failed:
		l.failedToStart(w, e.Err)
	case proc.Exited:
		l.exited(w, e.Exit)
	case proc.Leaked, proc.Gone: // come after the end
	}
	l.touch(w.pool)
}

// afterwards takes in what is found of a worker after its end.
func (l *loop) afterwards(e processEvent) {
	late := l.late[e.Child]
	switch {
	case late == nil:
	case e.Kind == proc.Leaked:
		l.leaked(late.worker.pool, e.Count)
	case e.Kind == proc.Gone:
		delete(l.late, e.Child)
		l.outputEnded(late)
	}
}

// ready notes that a worker can take jobs.
func (l *loop) ready(w *worker) {
	delete(l.booting, w)
	if w.state != Starting {
		return
	}
	w.state, w.running = Running, l.now()
	w.pool.count().StartSeconds.observe(w.running.Sub(w.wished).Seconds())
	l.touch(w.pool)
}

func (l *loop) leaked(p *pool, n int) {
	p.count().Leaked += uint64(n)
	l.log.Warn("Processes that outlived their worker were killed", "pool", p.def.name, "processes", n)
	l.event(Event{Pool: p.def.name, Slot: -1, Kind: EventLeaked, Text: "processes that outlived their worker were killed", Fields: map[string]any{"processes": n}})
	l.mark(p)
}

// failedToStart takes in that a worker could not be started.
func (l *loop) failedToStart(w *worker, err *proc.StartError) {
	p := w.pool
	p.count().Exits[proc.ReasonCannotStart]++
	w.lastExit = string(proc.ReasonCannotStart)
	if w.state != Stopping {
		p.startError = &CannotStart{Reason: string(err.Reason), Text: err.Error()}
		w.failures++
		l.failure(w, EventCannotStart, "a worker cannot be started", "err", err.Error())
	}
	l.leave(w, false)
}

// exited takes in the end of a worker.
func (l *loop) exited(w *worker, exit *proc.Exit) {
	now, p := l.now(), w.pool
	reason := w.exitReason(exit, now)
	lived := w.lived(now)
	p.count().Exits[reason]++
	p.count().Leaked += uint64(exit.Leaked)
	p.cpuDone += max(exit.User+exit.System, w.usage.CPU)
	if dropped := w.child.Dropped(); dropped > 0 {
		p.lost += dropped
	}
	w.lastExit = describe(exit)
	if exit.Killed && w.activity != Idle && w.running != (time.Time{}) {
		p.count().BusyKilled++
		l.log.Error("A worker was killed that may have had a job: it did not leave in time", "pool", p.def.name, "slot", w.slot, "job", w.job)
	}
	if exit.Killed {
		l.tell(p, w, EventKilled, "killed after its time to leave")
	}
	switch {
	case w.state == Stopping:
		l.tell(p, w, EventExited, w.lastExit)
	case expected(exit, p.def.traits):
		w.failures = 0
		if lived < quickEnd && w.jobs == 0 {
			w.quick++
		} else {
			w.quick = 0
		}
		l.tell(p, w, EventExited, w.lastExit)
	default:
		if lived >= healthyAfter {
			w.failures = 0
		}
		w.failures++
		l.failure(w, EventExited, "a worker ended unexpectedly", "exit", w.lastExit, "seconds", lived.Seconds())
	}
	l.leave(w, expected(exit, p.def.traits))
}

// expected ends are part of a worker's life.
func expected(exit *proc.Exit, t traits) bool {
	status := exit.Status
	return status.Exited() && (status.ExitStatus() == 0 || t.memoryCode != 0 && status.ExitStatus() == t.memoryCode)
}

// leave parts a worker from its process. A worker that was told to leave is
// gone then; another one's place waits to be filled again.
func (l *loop) leave(w *worker, clean bool) {
	now, p := l.now(), w.pool
	delete(l.workers, w.child)
	delete(l.booting, w)
	l.late[w.child] = &ended{w, w.process, w.parser, clean}
	stopped := w.state == Stopping
	w.state, w.child, w.activity, w.job = Backoff, nil, Unclear, ""
	if stopped || p.gone || w.sub.retired || l.draining {
		p.remove(w)
		return
	}
	if l.sourceAway(p) {
		w.held = true
		return
	}
	wait := backoff(w.failures, l.s.o.Random())
	if w.quick > 1 {
		wait = max(wait, quickEnd-now.Sub(w.wished))
	}
	w.retryAt = now.Add(wait)
}

// failure tells of an end that was not expected: at most one line a second and
// pool.
func (l *loop) failure(w *worker, kind EventKind, message string, attributes ...any) {
	now, p := l.now(), w.pool
	quick := w.lived(now) < healthyAfter
	if quick && p.intensity.failed(now, p.desired()) {
		l.log.Error("Workers keep ending as soon as they start: one is tried at a time until one stays", "pool", p.def.name)
		l.tell(p, nil, EventThrottled, "workers keep ending as soon as they start")
	}
	if now.Before(p.quietTill) {
		p.silenced++
		return
	}
	attributes = append([]any{"pool", p.def.name, "slot", w.slot, "failures", w.failures}, attributes...)
	if p.silenced > 0 {
		attributes = append(attributes, "more", p.silenced)
	}
	p.quietTill, p.silenced = now.Add(time.Second), 0
	l.log.Warn(message, attributes...) //nolint:sloglint // one of two constant messages
	l.tell(p, w, kind, message)
}

// stop tells a worker to leave. It is told once.
func (l *loop) stop(w *worker, why proc.Reason, rolled bool) {
	if w.state == Backoff {
		w.pool.remove(w)
		return
	}
	if w.state == Stopping {
		return
	}
	delete(l.booting, w)
	w.state, w.asked, w.rolled = Stopping, why, rolled
	l.tellStrays(w)
	w.told = l.now()
	l.stopWithin(w, l.grace(w))
	l.askTimeouts(w)
	if w.paused && stops(w.pool.def.traits.pause) {
		l.pause(w, false) // so that it sees that it is to leave
	}
	l.tell(w.pool, w, EventStopping, cmp.Or(string(why), "the supervisor ends"))
	l.mark(w.pool)
}

func (l *loop) stopWithin(w *worker, grace time.Duration) {
	w.deadline = l.now().Add(grace)
	l.mark(w.pool)
	if err := w.child.Stop(grace); err != nil {
		l.log.Error("A worker cannot be told to leave", "pool", w.pool.def.name, "slot", w.slot, "err", err)
	}
}

// stopMargin is what a worker gets beyond its job's timeout where nothing says
// how long it has.
const stopMargin = 10 * time.Second

// grace is the time that a worker has to leave by the configuration. What its
// job may take by itself comes on top; see askTimeouts.
func (l *loop) grace(w *worker) time.Duration {
	grace := w.grace
	if w.sub.ready && w.hash == w.sub.hash {
		grace = w.sub.spec.StopTimeout // which may have changed without the worker being another one
	}
	if grace <= 0 {
		grace = w.pool.def.jobTimeout() + stopMargin
	}
	if l.hurry >= 0 {
		grace = min(grace, l.hurry)
	}
	return grace
}

// pause tells a worker to take no more jobs, or to go on.
func (l *loop) pause(w *worker, on bool) {
	t := w.pool.def.traits
	signal := t.resume
	if on {
		signal = t.pause
	}
	if w.paused == on {
		return
	}
	if on && signal != 0 && (w.deaf || l.booting[w]) {
		l.stop(w, "", false) // it would die of the signal
		return
	}
	w.paused = on
	if signal == 0 {
		return
	}
	if err := w.child.Signal(signal); err != nil && !errors.Is(err, proc.ErrNotRunning) {
		l.log.Error("A worker cannot be signalled", "pool", w.pool.def.name, "slot", w.slot, "signal", signal.String(), "err", err)
	}
}

// describe says how a process ended.
func describe(exit *proc.Exit) string {
	text := ""
	switch {
	case exit.NeverRan:
		return "stopped before it ran"
	case exit.OutOfMemory:
		text = "killed by the kernel: memory_max"
	case exit.Status.Signaled():
		text = "signal " + exit.Status.Signal().String()
	default:
		text = "exit status " + strconv.Itoa(exit.Status.ExitStatus())
	}
	if exit.Killed {
		text += ", killed after its time to leave"
	}
	return text
}
