package collector

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// result is what one probe of a connection found. It is immutable.
type result struct {
	spec   *spec
	at     time.Time // end of the probe
	up     bool
	reason connection.Reason // why not up
	err    error

	duration time.Duration
	ping     time.Duration // 0 = not measured
	version  string
	role     string

	blocks []block // the connection's own first
	queues []queueResult
}

// hung reports whether the connection let the probe run into its deadline. The
// next scrape does not wait for such a connection again.
func (r *result) hung() bool { return !r.up && r.reason == connection.ReasonTimeout }

// queueResult is one queue's part of a result.
type queueResult struct {
	spec    *queueSpec
	reading queue.Reading
}

// jobs is the number of jobs in all known states.
func (q *queueResult) jobs() float64 {
	sum := 0.0
	for _, n := range q.reading.Jobs {
		if n > 0 {
			sum += n
		}
	}
	return sum
}

// cellFresh is how long a figure speaks that another connection's probe found.
// That connection may be scraped elsewhere, and here only once by hand.
const cellFresh = 5 * time.Minute

// cell holds a figure that one connection's probe finds for another's series.
// NaN = not known.
type cell struct{ found atomic.Pointer[dated] }

type dated struct {
	value float64
	at    time.Time
}

func newCell() *cell { return &cell{} }

func (c *cell) set(v float64, at time.Time) { c.found.Store(&dated{v, at}) }

func (c *cell) get(now time.Time) float64 {
	if d := c.found.Load(); d != nil && now.Sub(d.at) < cellFresh {
		return d.value
	}
	return math.NaN()
}

var stateLabels = func() (labels [queue.NumStates]string) {
	for i := range labels {
		labels[i] = label("state", queue.State(i).String())
	}
	return labels
}()

// block renders the queue's reading as series.
func (q *queueResult) block() block {
	r := &q.reading
	b := block{labels: q.spec.labels, samples: make([]sample, 0, 16)}
	for state, n := range r.Jobs {
		b.add(famQueueJobs, stateLabels[state], n)
	}
	b.add(famQueueOldestAge, "", r.OldestAge)
	b.add(famQueueOldestAgeLowerBound, "", r.OldestAgeLowerBound)
	b.add(famQueueDelayedOverdue, "", r.DelayedOverdue)
	b.add(famQueueOldestOverdueAge, "", r.OldestOverdueAge)
	b.add(famQueueReservedExpired, "", r.ReservedExpired)
	b.add(famQueueWorkers, "", r.Workers)
	b.add(famQueueWorkersBusy, "", r.WorkersBusy)
	b.add(famQueueProcessed, "", r.Processed)
	b.add(famQueueFailed, "", r.Failed)
	b.samples = append(b.samples, q.spec.fixed...)
	b.add(famQueueReadSuccess, "", truth(r.Err == nil))
	return b
}

func truth(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return math.NaN()
	}
	return float64(t.UnixMilli()) / 1000
}
