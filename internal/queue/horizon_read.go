package queue

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// HorizonReader reads the Horizons whose data lies on one connection. Like a
// Reader it is used by one goroutine at a time.
type HorizonReader struct {
	entries []*horizonEntry
	clock   horizonClock
	batch   batch
	reading HorizonReading
}

type horizonEntry struct {
	target HorizonTarget
	group  *group // of prefixes
	keys   []*horizonKeys

	// Records by the names that the last scrape found.
	masters     map[string]*redis.SliceCmd
	supervisors map[string]*redis.SliceCmd
	queues      map[string]*redis.SliceCmd
	many        bool // there are too many queues to read
}

// NewHorizonReader makes a HorizonReader without targets.
func NewHorizonReader() *HorizonReader { return &HorizonReader{} }

// SetTargets replaces the list of Horizons. One that was there before keeps
// its memory.
func (r *HorizonReader) SetTargets(targets []HorizonTarget) {
	old := map[string]*horizonEntry{}
	for _, e := range r.entries {
		old[e.id()] = e
	}
	entries := make([]*horizonEntry, 0, len(targets))
	for _, t := range targets {
		e := newHorizonEntry(t, &r.clock)
		if was := old[e.id()]; was != nil {
			e = was
		}
		entries = append(entries, e)
	}
	r.entries = entries
}

func newHorizonEntry(t HorizonTarget, c *horizonClock) *horizonEntry {
	e := &horizonEntry{target: t}
	var layouts []layout
	for _, p := range t.prefixes() {
		layouts = append(layouts, layout{prefix: p})
		e.keys = append(e.keys, newHorizonKeys(p, c))
	}
	e.group = newGroup(layouts)
	return e
}

// prefixes lists the candidates. Horizon on a Cluster puts braces round a
// prefix that has none.
func (t *HorizonTarget) prefixes() []string {
	switch {
	case t.Prefix == "" && len(t.PrefixHints) > 0:
		return t.PrefixHints
	case t.Prefix == "":
		return HorizonPrefixes("", t.Application)
	case strings.Contains(t.Prefix, "{"):
		return []string{t.Prefix}
	}
	return []string{t.Prefix, "{" + t.Prefix + "}"}
}

func (e *horizonEntry) id() string {
	return strings.Join(append([]string{e.target.Application, e.target.Connection}, e.target.prefixes()...), "\x00")
}

// Enqueue adds this scrape's commands to pipe. now is this machine's time.
func (r *HorizonReader) Enqueue(ctx context.Context, pipe redis.Pipeliner, now time.Time) {
	r.clock.master = strconv.FormatInt(now.Unix()-masterFresh, 10)
	r.clock.supervisor = strconv.FormatInt(now.Unix()-supervisorFresh, 10)
	b := &r.batch
	b.begin(now)
	for _, e := range r.entries {
		e.group.begin(now)
		for i, k := range e.keys {
			if e.group.reads(i) {
				k.enqueue(b, !e.many)
			}
		}
		for _, records := range [...]map[string]*redis.SliceCmd{e.masters, e.supervisors, e.queues} {
			for _, cmd := range records {
				b.add(cmd)
			}
		}
	}
	_ = pipe.BatchProcess(ctx, b.cmds...) // it only collects
}

// Results calls yield once for each target, in the order of SetTargets. Call
// it after Exec, whatever Exec returned. The reading is valid until yield
// returns.
func (r *HorizonReader) Results(now time.Time, yield func(*HorizonTarget, *HorizonReading)) {
	for _, e := range r.entries {
		h := &r.reading
		h.reset()
		e.read(now, h)
		yield(&e.target, h)
	}
}

func (e *horizonEntry) read(now time.Time, h *HorizonReading) {
	before := e.group.chosen
	for i, k := range e.keys {
		if e.group.reads(i) {
			sum, err := k.evidence()
			e.group.note(i, sum, err)
		}
	}
	e.group.decide()
	if before != e.group.chosen {
		e.masters, e.supervisors, e.queues = nil, nil, nil // of another prefix
	}
	k := e.keys[e.group.chosen]
	h.Prefix = k.prefix
	if h.Err = k.masters.Err(); h.Err != nil {
		return
	}
	e.readMasters(k, h)
	e.readSupervisors(k, h)
	e.readCounts(k, h)
	e.readQueues(k, now, h)
}

func (e *horizonEntry) readMasters(k *horizonKeys, h *HorizonReading) {
	names := k.masters.Val()
	h.Masters = float64(len(names))
	records, complete := e.records(e.masters, names, h)
	if complete {
		h.Status = statusOf(records)
	}
	e.masters = remember(e.masters, names, k.prefix+"master:", "status")
}

// statusOf is what horizon:status would say of masters with these records.
func statusOf(records map[string][]any) HorizonStatus {
	status := HorizonInactive
	for _, record := range records {
		switch field(record, 0) {
		case "": // it has expired
		case "paused":
			status = HorizonPaused
		default:
			return HorizonRunning
		}
	}
	return status
}

func (e *horizonEntry) readSupervisors(k *horizonKeys, h *HorizonReading) {
	if err := k.supervisors.Err(); err != nil {
		h.partly(err)
		return
	}
	names := k.supervisors.Val()
	h.Supervisors = float64(len(names))
	records, complete := e.records(e.supervisors, names, h)
	e.supervisors = remember(e.supervisors, names, k.prefix+"supervisor:", "status", "processes")
	if !complete {
		return
	}
	pools := map[horizonPool]float64{}
	for name, record := range records {
		s := HorizonSupervisor{Name: name, Status: HorizonRunning}
		switch field(record, 0) {
		case "": // it has expired
			continue
		case "paused":
			s.Status = HorizonPaused
		}
		for pool, n := range poolsOf(field(record, 1)) {
			pools[pool] += n
			s.Processes += n
		}
		h.Details = append(h.Details, s)
	}
	slices.SortFunc(h.Details, func(a, b HorizonSupervisor) int { return strings.Compare(a.Name, b.Name) })
	for pool, n := range pools {
		h.Processes = append(h.Processes, HorizonProcesses{QueueConnection: pool.connection, Queue: pool.queue, Processes: n})
	}
	slices.SortFunc(h.Processes, func(a, b HorizonProcesses) int {
		return cmp.Or(strings.Compare(a.QueueConnection, b.QueueConnection), strings.Compare(a.Queue, b.Queue))
	})
}

func (e *horizonEntry) readCounts(k *horizonKeys, h *HorizonReading) {
	for _, c := range [...]struct {
		cmd *redis.IntCmd
		to  *float64
	}{
		{k.recent, &h.RecentJobs}, {k.pending, &h.PendingJobs}, {k.completed, &h.CompletedJobs},
		{k.failed, &h.FailedJobs}, {k.recentFailed, &h.RecentFailedJobs},
	} {
		if err := failed(c.cmd); err != nil {
			h.partly(err)
			continue
		}
		*c.to = float64(c.cmd.Val())
	}
}

func (e *horizonEntry) readQueues(k *horizonKeys, now time.Time, h *HorizonReading) {
	if err := failed(k.snapshot); err != nil {
		h.partly(err)
	} else if t, ok := unixTime(k.snapshot.Val(), now); ok && k.snapshot.Err() == nil {
		h.LastSnapshot = t
	}
	if err := k.measured.Err(); err != nil {
		h.partly(err)
		return
	}
	if e.many = k.measured.Val() > horizonMaxCount; e.many {
		e.queues = nil
		h.partly(errTooManyQueues)
		return
	}
	if err := k.queues.Err(); err != nil {
		if !errors.Is(err, ErrNotRun) {
			h.partly(err)
		}
		return
	}
	names := queueNames(k.queues.Val(), k.prefix)
	records, complete := e.records(e.queues, names, h)
	e.queues = remember(e.queues, names, k.prefix+"queue:", "throughput", "runtime")
	if !complete {
		return
	}
	total := 0.0
	h.Queues = make([]HorizonQueue, 0, len(names))
	for name, record := range records {
		q := HorizonQueue{Queue: name, RuntimeSeconds: math.NaN(), WaitSeconds: math.NaN()}
		if n, err := strconv.ParseFloat(field(record, 0), 64); err == nil {
			q.Throughput = n // no record: none since the last snapshot
		}
		if ms, err := strconv.ParseFloat(field(record, 1), 64); err == nil {
			q.RuntimeSeconds = ms / 1e3
		}
		total += q.Throughput
		h.Queues = append(h.Queues, q)
	}
	slices.SortFunc(h.Queues, func(a, b HorizonQueue) int { return strings.Compare(a.Queue, b.Queue) })
	if minutes := (unix(now) - h.LastSnapshot) / 60; !math.IsNaN(minutes) {
		h.JobsPerMinute = total / max(minutes, 1)
	}
}

var errTooManyQueues = errors.New("more queues are measured by Horizon than are read (" + horizonMax + ")")
