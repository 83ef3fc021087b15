package supervisor

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// publishInterval is how old a State may be while things happen.
const publishInterval = 50 * time.Millisecond

// mayPublish shows the state unless that was done a moment ago.
func (l *loop) mayPublish() {
	now := l.now()
	switch {
	case !l.stale && now.Before(l.publishBy):
	case now.Before(l.publishAt):
		if !l.publishing {
			l.publishing = true
			l.wakes.add(l.publishAt, func() { l.publishing = false })
		}
	default:
		l.publish()
	}
}

// mark notes that the status of a pool is older than the pool.
func (l *loop) mark(p *pool) { p.stale, l.stale = true, true }

// publish makes a new State of what has changed since the last one.
func (l *loop) publish() {
	before, now := l.s.state.Load(), l.now()
	l.stale, l.publishAt, l.publishBy = false, now.Add(publishInterval), now.Add(time.Second)
	next := &State{
		At: now, Name: l.s.o.Name, Observe: l.s.o.Observe, Draining: l.draining,
		Pools: make([]*PoolStatus, 0, len(l.order)), Events: l.events.list(), Sources: before.Sources,
		Loop: LoopStatus{Last: now, Passes: l.passes, Seconds: l.statistic.clone()},
	}
	for _, p := range l.order {
		if p.stale || p.status == nil {
			p.status, p.stale = l.status(p), false
		}
		next.Pools = append(next.Pools, p.status)
	}
	if l.sourced {
		next.Sources, l.sourced = l.sourceStatus(), false
	}
	l.s.state.Store(next)
}

func (l *loop) sourceStatus() []SourceStatus {
	list := make([]SourceStatus, 0, len(l.sources))
	for _, s := range l.sources {
		status := SourceStatus{Connection: s.connection, Up: s.up, ReadAt: s.readAt, Seconds: s.seconds, Pools: len(s.pools)}
		if len(s.pools) > 0 {
			conn := s.pools[0].def.conn
			status.Environment, status.Region, status.Team = conn.Environment, conn.Region, conn.Team
		}
		if s.err != nil {
			status.Error = s.err.Error()
		}
		list = append(list, status)
	}
	slices.SortFunc(list, func(a, b SourceStatus) int { return strings.Compare(a.Connection, b.Connection) })
	return list
}

func (l *loop) status(p *pool) *PoolStatus {
	d := p.def
	s := &PoolStatus{
		Name: d.name, Application: d.app.Slug, Connection: d.conn.Name,
		Environment: d.conn.Environment, Region: d.conn.Region, Team: d.team(),
		Preset: d.queue.Worker.Preset, Configurations: d.configurations, QueueNames: d.names, Balance: d.balance(), Rules: p.rules(),
		Paused: p.paused, Draining: p.gone || l.draining, Preparing: p.preparation != 0, Throttled: p.intensity.throttled,
		CannotStart: cmp.Or(p.cannot, p.startError),
		Min:         d.least(), Max: max(d.bounds().Max, p.raisedMax), Desired: p.desired(), Override: p.override,
		Generation: p.generation, Version: p.versionText, Observation: p.observation, LastDecision: p.decision,
	}
	s.ReportsJobs, s.Horizon = d.traits.parser != nil, p.horizon.status
	s.Deaf = p.deaf || p.seemsDeaf
	if src := l.sources[d.conn.Name]; src != nil {
		s.SourceUp = src.up
	}
	if p.proven {
		s.SpecHash = p.nominal.String()
	}
	s.Counters = p.show()
	s.Counters.LinesLost = p.lost
	cpu := p.cpuDone
	for _, sub := range p.subs {
		if sub.ready {
			s.MemoryMax = sub.spec.MemoryMax
		}
		s.SubPools = append(s.SubPools, l.subStatus(p, sub))
		for _, w := range sub.workers {
			s.Workers = append(s.Workers, w.status())
			cpu += w.usage.CPU
			s.Counters.LinesLost += w.dropped
			if w.outdated() {
				s.Outdated++
			}
		}
	}
	s.Counters.CPUSeconds = cpu.Seconds()
	for i := range s.SubPools {
		s.Counts.add(s.SubPools[i].Counts)
	}
	slices.SortFunc(s.Workers, func(a, b WorkerStatus) int { return cmp.Compare(a.Slot, b.Slot) })
	return s
}

func (l *loop) subStatus(p *pool, sub *subPool) SubPoolStatus {
	s := SubPoolStatus{
		Name: sub.name, Queues: sub.queues, Discovered: sub.discovered, Desired: sub.wanted,
	}
	if src := l.sources[p.def.conn.Name]; src != nil && src.up != nil {
		up := *src.up
		for _, name := range sub.queues {
			f, read := p.figures(name)
			up = up && (!read || f.ok)
		}
		s.SourceUp = &up
	}
	t := sub.tally(l.now())
	s.Counts = Counts{Starting: t.starting, Running: t.running, Stopping: t.stopping, Backoff: t.backoff}
	if p.def.traits.parser != nil {
		busy := 0
		for _, w := range sub.workers {
			if w.activity == Busy {
				busy++
			}
		}
		s.Counts.Busy = &busy
	}
	if !p.paused {
		s.Serving = t.running
	}
	return s
}

func (c *Counts) add(o Counts) {
	c.Starting += o.Starting
	c.Running += o.Running
	c.Stopping += o.Stopping
	c.Backoff += o.Backoff
	if o.Busy != nil {
		busy := *o.Busy
		if c.Busy != nil {
			busy += *c.Busy
		}
		c.Busy = &busy
	}
}

func (w *worker) status() WorkerStatus {
	s := WorkerStatus{
		Pool: w.pool.def.name, Application: w.pool.def.app.Slug, SubPool: w.sub.name, Slot: w.slot, State: w.state,
		Paused: w.paused, Generation: w.generation, Outdated: w.outdated(), Queues: w.sub.queues, StartedAt: w.started,
		Busy: w.busy(), Job: w.job, JobSince: w.jobSince, Jobs: w.jobs, RSS: w.usage.RSS, CPUSeconds: w.usage.CPU.Seconds(),
		Restarts: w.restarts, Failures: w.failures, LastExit: w.lastExit,
	}
	if w.child != nil {
		s.PID = w.pid
	}
	switch w.state {
	case Backoff:
		s.BackoffUntil = w.retryAt
	case Stopping:
		s.StopDeadline = w.deadline
	case Starting, Running:
	}
	return s
}
