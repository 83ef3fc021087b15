package collector

import (
	"math"

	"github.com/queuefleet/queuefleet/internal/queue"
)

// fillHorizons renders what the Horizons on this connection say of themselves.
func (t *trip) fillHorizons(r *result, ok outcomes) []block {
	var blocks []block
	ready := r.ready()
	i := 0
	t.probe.horizons.Results(t.now, func(_ *queue.HorizonTarget, h *queue.HorizonReading) {
		spec := r.spec.horizons[i]
		i++
		if !r.up || h.Err != nil {
			ok.note("horizon", false)
			return
		}
		ok.note("horizon", h.Partial == nil)
		h.Waits(func(name string) float64 {
			if n, known := ready[queueKey{spec.application, spec.target.Connection, name}]; known {
				return n
			}
			return math.NaN() // not watched, or on another connection
		})
		blocks = append(blocks, spec.block(h))
	})
	return blocks
}

// ready is how many jobs are ready, by queue.
func (r *result) ready() map[queueKey]float64 {
	ready := make(map[queueKey]float64, len(r.queues))
	for i := range r.queues {
		ready[r.queues[i].spec.key()] = r.queues[i].reading.Jobs[queue.Ready]
	}
	return ready
}

func (s *horizonSpec) block(h *queue.HorizonReading) block {
	b := block{labels: s.labels}
	if h.Status != queue.HorizonUnknown {
		for state := range queue.NumHorizonStatuses {
			b.add(famHorizonStatus, label("status", state.String()), truth(state == h.Status))
		}
	}
	b.add(famHorizonMasters, "", h.Masters)
	b.add(famHorizonSupervisors, "", h.Supervisors)
	for _, p := range h.Processes {
		b.add(famHorizonProcesses, label("queue_connection", p.QueueConnection)+label("queue", p.Queue), p.Processes)
	}
	b.add(famHorizonJobsPerMinute, "", h.JobsPerMinute)
	b.add(famHorizonRecentJobs, "", h.RecentJobs)
	b.add(famHorizonPendingJobs, "", h.PendingJobs)
	b.add(famHorizonCompletedJobs, "", h.CompletedJobs)
	b.add(famHorizonFailedJobs, "", h.FailedJobs)
	b.add(famHorizonRecentFailedJobs, "", h.RecentFailedJobs)
	for _, q := range h.Queues {
		b.add(famHorizonQueueThroughput, label("queue", q.Queue), q.Throughput)
	}
	for _, q := range h.Queues {
		b.add(famHorizonQueueRuntime, label("queue", q.Queue), q.RuntimeSeconds)
	}
	for _, q := range h.Queues {
		b.add(famHorizonQueueWait, label("queue", q.Queue), q.WaitSeconds)
	}
	b.add(famHorizonLastSnapshot, "", h.LastSnapshot)
	return b
}
