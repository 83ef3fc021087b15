package supervisor

import (
	"cmp"
	"context"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// timeoutAsk gathers the workers of one connection that were told to leave, so
// that the jobs they may have are looked at once for all of them: a job may
// bring along a longer timeout than its worker has, and is to end in peace.
type timeoutAsk struct {
	connection string
	within     time.Duration
	asking     bool
	workers    []*worker
}

// askTimeouts has the deadline of a worker that was told to leave looked at.
func (l *loop) askTimeouts(w *worker) {
	conn := w.pool.def.conn
	a := l.asks[conn.Name]
	if a == nil {
		a = &timeoutAsk{connection: conn.Name}
		l.asks[conn.Name] = a
	}
	a.within = cmp.Or(conn.ProbeTimeout.Std(), 2*time.Second)
	a.workers = append(a.workers, w)
}

// sendTimeoutAsks asks for what has been gathered. Nobody waits for the answer;
// where there is none, the time of the configuration holds.
func (l *loop) sendTimeoutAsks() {
	for name, a := range l.asks {
		switch {
		case a.asking:
		case len(a.workers) == 0:
			delete(l.asks, name)
		default:
			l.sendTimeoutAsk(a)
		}
	}
}

func (l *loop) sendTimeoutAsk(a *timeoutAsk) {
	workers := a.workers
	targets, of := timeoutTargets(workers)
	a.asking, a.workers = true, nil
	within := a.within
	l.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(l.background, within)
		defer cancel()
		longest, err := l.s.reader.timeouts(ctx, a.connection, targets)
		l.s.post(func(l *loop) {
			a.asking = false
			if err != nil {
				l.log.Warn("How long jobs may take by themselves cannot be read: workers have the configured time to leave",
					"connection", a.connection, "err", err)
			}
			if len(longest) != len(targets) {
				return
			}
			for _, w := range workers {
				at := of[w.sub]
				for _, own := range longest[at.begin:at.end] {
					l.extend(w, own)
				}
			}
		})
	})
}

// span is a part of a list.
type span struct{ begin, end int }

// timeoutTargets lists the queues of the workers, each sub-pool's once, and
// where they are in the list.
func timeoutTargets(workers []*worker) ([]queue.Target, map[*subPool]span) {
	var targets []queue.Target
	of := map[*subPool]span{}
	for _, w := range workers {
		if _, known := of[w.sub]; known {
			continue
		}
		begin := len(targets)
		for _, name := range w.sub.queues {
			if !configs.IsPattern(name) {
				targets = append(targets, w.pool.def.target(name))
			}
		}
		of[w.sub] = span{begin, len(targets)}
	}
	return targets, of
}

// extend gives a worker that leaves the time for a job of that timeout.
func (l *loop) extend(w *worker, own time.Duration) {
	until := w.told.Add(own + stopMargin)
	if own <= 0 || w.state != Stopping || w.child == nil || l.hurry >= 0 || !until.After(w.deadline) {
		return
	}
	l.stopWithin(w, until.Sub(l.now()))
}
