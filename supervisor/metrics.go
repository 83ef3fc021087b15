package supervisor

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// namespace stands before the name of every metric of this package.
const namespace = "queuefleet_supervisor_"

// poolCollector makes metrics of the State. A pool's labels are those of
// the fleet's identity that have a value, so its descriptions differ from pool to
// pool and are made at each collection.
type poolCollector struct{ s *Supervisor }

// Describe describes nothing: the collector is unchecked.
func (c *poolCollector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the metrics of the present State.
func (c *poolCollector) Collect(out chan<- prometheus.Metric) {
	state := c.s.State()
	e := newEmitter(out)
	loop := state.Loop
	e.gauge("last_loop_timestamp_seconds", "When the loop that decides last had nothing left to do.", float64(loop.Last.UnixMilli())/1000)
	e.histogram("loop_duration_seconds", "Time of a pass of the loop that decides.", &loop.Seconds)
	for i := range state.Sources {
		if s := &state.Sources[i]; s.Up != nil {
			e.use(s.identity())
			e.gauge("queue_source_up", "1 if the connection that the queues are read from answers.", number(*s.Up))
		}
	}
	serving := map[[3]string]int{}
	for _, p := range state.Pools {
		e.pool(p)
		for _, sub := range p.SubPools {
			for _, q := range sub.Queues {
				serving[[3]string{p.Application, p.Connection, q}] += sub.Serving
			}
		}
	}
	for key, n := range serving {
		e.use([][2]string{{"application", key[0]}, {"connection", key[1]}, {"queue", key[2]}})
		e.gauge("queue_serving_workers", "Running workers that take jobs of the queue; those of pools that serve several queues count for each.", float64(n))
	}
}

// pool sends what there is of one pool.
func (e *emitter) pool(p *PoolStatus) {
	e.use(identity(p))
	e.workers(p)
	e.counters(&p.Counters)
	if p.ReportsJobs {
		e.jobs(&p.Counters)
	}
	e.gauge("paused", "1 while the pool is paused.", number(p.Paused))
	e.gauge("pool_throttled", "1 while the pool's workers end so fast that one is tried at a time.", number(p.Throttled))
	e.limits(p)
	if p.Horizon != nil {
		e.gauge("orphan_workers", "Supervisors and workers of an earlier Horizon of the application whose master is gone.", float64(len(p.Horizon.Orphans)))
	}
	for _, reason := range CannotStartReasons() {
		e.gauge("cannot_start", "1 while the pool cannot start workers as configured, by reason.",
			number(p.CannotStart != nil && p.CannotStart.Reason == reason), "reason", reason)
	}
	e.use([][2]string{{"pool", p.Name}, {"application", p.Application}, {"connection", p.Connection}})
	for _, sub := range p.SubPools {
		for _, q := range sub.Queues {
			e.gauge("pool_queue_info", "1 for each queue that the pool works.", 1, "queue", q)
		}
	}
}

// identity is the labels of a pool's series.
func identity(p *PoolStatus) [][2]string {
	queue := ""
	if len(p.SubPools) == 1 && len(p.SubPools[0].Queues) == 1 && len(p.QueueNames) == 1 {
		queue = p.SubPools[0].Queues[0]
	}
	return labels("application", p.Application, "connection", p.Connection, "pool", p.Name, "queue", queue,
		"environment", p.Environment, "region", p.Region, "team", p.Team)
}

func (s *SourceStatus) identity() [][2]string {
	return labels("connection", s.Connection, "environment", s.Environment, "region", s.Region, "team", s.Team)
}

// labels pairs names with those values that are not empty.
func labels(pairs ...string) [][2]string {
	var all [][2]string
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			all = append(all, [2]string{pair[0], pair[1]})
		}
	}
	return all
}

func (e *emitter) workers(p *PoolStatus) {
	const help = "Worker places by state; backoff ones have no process."
	e.gauge("workers", help, float64(p.Counts.Starting), "state", string(Starting))
	e.gauge("workers", help, float64(p.Counts.Running), "state", string(Running))
	e.gauge("workers", help, float64(p.Counts.Stopping), "state", string(Stopping))
	e.gauge("workers", help, float64(p.Counts.Backoff), "state", string(Backoff))
	if p.Counts.Busy != nil {
		e.gauge("workers_busy", "Workers that have a job.", float64(*p.Counts.Busy))
	}
	e.gauge("workers_desired", "Workers that the pool is to have.", float64(p.Desired))
	e.gauge("workers_min", "Least workers of the pool.", float64(p.Min))
	e.gauge("workers_max", "Most workers of the pool.", float64(p.Max))
	e.gauge("workers_outdated", "Workers that are to be replaced.", float64(p.Outdated))
	memory := uint64(0)
	for i := range p.Workers {
		memory += p.Workers[i].RSS
	}
	e.gauge("workers_memory_bytes", "Resident memory of the pool's workers, as last measured.", float64(memory))
	if p.MemoryMax > 0 {
		e.gauge("worker_memory_max_bytes", "Hard ceiling of each worker's memory.", float64(p.MemoryMax))
	}
}

func (e *emitter) counters(c *Counters) {
	e.counter("worker_starts_total", "Processes that were started.", float64(c.Starts))
	for _, reason := range proc.Reasons() {
		e.counter("worker_exits_total", "Ends of workers by reason.", float64(c.Exits[reason]), "reason", string(reason))
	}
	e.counter("busy_workers_killed_total", "Workers that were killed since they did not leave in time, and that had or may have had a job.", float64(c.BusyKilled))
	e.counter("leaked_processes_total", "Processes that outlived their worker and were killed.", float64(c.Leaked))
	e.counter("log_lines_dropped_total", "Lines of output that were not forwarded.", float64(c.LinesLost))
	e.counter("workers_cpu_seconds_total", "CPU time of the pool's workers.", c.CPUSeconds)
	for _, direction := range Directions() {
		for _, reason := range EventReasons() {
			e.counter("scale_events_total", "Changes of desired workers.", float64(c.ScaleEvents[ScaleEvent{direction, reason}]),
				"direction", string(direction), "reason", string(reason))
		}
	}
	e.histogram("worker_start_duration_seconds", "Time from the wish to start a worker until it can take jobs.", &c.StartSeconds)
}

// jobs sends what the output of workers tells.
func (e *emitter) jobs(c *Counters) {
	for _, result := range JobResults() {
		e.counter("jobs_processed_total", "Ended attempts at jobs by result, as the workers' output tells.", float64(c.JobResults[result]), "result", string(result))
	}
	e.histogram("job_duration_seconds", "Run time of jobs, as the workers' output tells.", &c.JobSeconds)
	e.histogram("job_wait_seconds", "Time that jobs waited, as the workers' output tells.", &c.WaitSeconds)
}

// limits sends what keeps a pool from the workers it needs.
func (e *emitter) limits(p *PoolStatus) {
	for _, limit := range Limits() {
		e.gauge("scale_limited", "1 while that keeps the pool from the workers it needs.",
			number(p.LastDecision != nil && p.LastDecision.Limited(limit)), "reason", string(limit))
	}
}

func (e *emitter) gauge(name, help string, value float64, more ...string) {
	e.send(prometheus.GaugeValue, name, help, value, more)
}

func (e *emitter) counter(name, help string, value float64, more ...string) {
	e.send(prometheus.CounterValue, name, help, value, more)
}

func (e *emitter) send(kind prometheus.ValueType, name, help string, value float64, more []string) {
	desc, pairs := e.describe(name, help, more)
	e.out <- &series{desc: desc, pairs: pairs, kind: kind, value: value}
}

func (e *emitter) histogram(name, help string, h *Histogram) {
	desc, pairs := e.describe(name, help, nil)
	e.out <- &series{desc: desc, pairs: pairs, histogram: h}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
