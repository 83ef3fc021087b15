package supervisor

import "math"

// Measured run times outside these bounds say more about the clock than about
// the jobs: a job costs at least its round trips to Redis, and one that takes
// longer than a month would drown every other queue.
const (
	shortestMS = 1.0
	longestMS  = 30 * 24 * 3600 * 1000.0
)

// load is what waits in a sub-pool, summed over its queues.
type load struct {
	ready, overdue, expired Number
	demand                  float64 // all three: jobs that a worker could work now
	weight                  float64 // what max is shared by; finite, above 0 where demand is
	age                     Number
	answered                bool
}

// measure sums up every sub-pool.
func measure(o *Observation) []load {
	mean := meanRuntime(o)
	loads := make([]load, len(o.SubPools))
	for i := range o.SubPools {
		loads[i] = o.SubPools[i].load(o.Strategy, mean)
	}
	return loads
}

// meanRuntime is the mean of the run times that are known, and 1 ms where none
// is. It stands in for the unknown ones, so that a queue none of whose jobs
// has ended yet neither starves nor takes all. The plain mean leans to the slow
// queues: a new queue rather gets too much until its first job ends.
func meanRuntime(o *Observation) float64 {
	sum, n := 0.0, 0
	for i := range o.SubPools {
		for _, q := range o.SubPools[i].Queues {
			if ms, ok := q.runtime(); ok {
				sum, n = sum+ms, n+1
			}
		}
	}
	if n == 0 {
		return shortestMS
	}
	return sum / float64(n)
}

func (q *QueueLoad) runtime() (ms float64, ok bool) {
	ms = float64(q.RuntimeMS)
	if !(ms >= 0) || math.IsInf(ms, 0) {
		return 0, false
	}
	return min(max(ms, shortestMS), longestMS), true
}

func (s *SubPool) load(strategy Strategy, mean float64) load {
	l := load{ready: Unknown(), overdue: Unknown(), expired: Unknown(), age: Unknown(), answered: s.Answered}
	for i := range s.Queues {
		q := &s.Queues[i]
		if !q.Ready.Known() {
			l.answered = false
		}
		l.ready, l.overdue, l.expired = plus(l.ready, q.Ready), plus(l.overdue, q.DelayedOverdue), plus(l.expired, q.ReservedExpired)
		if q.OldestAge.Known() && !(l.age >= q.OldestAge) {
			l.age = q.OldestAge
		}
		jobs := jobs(q.Ready) + jobs(q.DelayedOverdue) + jobs(q.ReservedExpired)
		l.demand += jobs
		if strategy == StrategyTime {
			ms, ok := q.runtime()
			if !ok {
				ms = mean
			}
			jobs *= ms
		}
		l.weight += jobs
	}
	l.weight = min(l.weight, math.MaxFloat64)
	return l
}

// jobs is n as a count: what is not known is no reason to start a worker.
func jobs(n Number) float64 {
	if !(n > 0) {
		return 0
	}
	return min(float64(n), math.MaxInt64)
}

// plus adds what is known.
func plus(a, b Number) Number {
	switch {
	case !a.Known():
		return b
	case !b.Known():
		return a
	}
	return a + b
}

// whole rounds jobs up to workers, at most limit.
func whole(jobs float64, limit int) int {
	if jobs >= float64(limit) {
		return limit
	}
	return max(0, int(math.Ceil(jobs)))
}
