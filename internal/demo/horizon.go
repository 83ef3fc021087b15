package demo

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// horizon keeps what Laravel Horizon would keep in Redis for one application
// with one queue: its master, its supervisor, the lists of jobs and the
// figures per class and queue. The hashes with the jobs' details are left out.
type horizon struct {
	connection string // Redis connection that holds the keys
	prefix     string
	queue      string
	class      string
	workers    int
	lastTrim   time.Time
	runtime    map[string]float64 // running mean per key, in milliseconds
	count      map[string]float64
}

const (
	horizonMaster = "demo-host-a1b2"
	recordTTL     = 15 * time.Second // of the master's record; a supervisor's lives twice as long
	keepJobs      = 10 * time.Minute // Horizon keeps an hour; the demo stays small
	snapshotEvery = 5 * time.Minute
)

func newHorizon(s spec) *horizon {
	return &horizon{
		connection: s.connection, prefix: horizonPrefix, queue: s.name, class: s.jobs[0], workers: s.workers(0),
		runtime: map[string]float64{}, count: map[string]float64{},
	}
}

func (h *horizon) supervisor() string { return horizonMaster + ":supervisor-1" }

// score is how Horizon orders jobs: by minus the time, newest first.
func score(at time.Time) float64 { return -float64(at.UnixMilli()) / 1e3 }

// pushed notes a new job.
func (h *horizon) pushed(ctx context.Context, p redis.Pipeliner, id string, at time.Time) {
	for _, list := range []string{"recent_jobs", "pending_jobs"} {
		p.ZAdd(ctx, h.prefix+list, redis.Z{Score: score(at), Member: id})
	}
}

// done notes a finished job; every fiftieth one is one that failed.
func (h *horizon) done(ctx context.Context, p redis.Pipeliner, job running, now time.Time) {
	p.ZRem(ctx, h.prefix+"pending_jobs", job.id)
	if n := job.id[len(job.id)-2:]; n < "05" {
		for _, list := range []string{"failed_jobs", "recent_failed_jobs"} {
			p.ZAdd(ctx, h.prefix+list, redis.Z{Score: score(now), Member: job.id})
		}
		return
	}
	p.ZAdd(ctx, h.prefix+"completed_jobs", redis.Z{Score: score(now), Member: job.id})
	h.measure(ctx, p, "job:"+job.class, job.seconds*1e3)
	h.measure(ctx, p, "queue:"+h.queue, job.seconds*1e3)
}

// measure counts a job under name, which begins with its kind: job or queue.
func (h *horizon) measure(ctx context.Context, p redis.Pipeliner, name string, ms float64) {
	kind, _, _ := strings.Cut(name, ":")
	key := h.prefix + name
	h.count[key]++
	h.runtime[key] += (ms - h.runtime[key]) / h.count[key]
	p.SAdd(ctx, h.prefix+"measured_"+kind+"s", key)
	p.HIncrBy(ctx, key, "throughput", 1)
	p.HSet(ctx, key, "runtime", strconv.FormatFloat(h.runtime[key], 'f', 2, 64))
}

// beat renews the records of the master and its supervisor, as each of their
// loops does, and once in a while trims and takes the snapshot that starts the
// counters anew.
func (h *horizon) beat(ctx context.Context, c redis.Cmdable, now time.Time) error {
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		master, supervisor := h.prefix+"master:"+horizonMaster, h.prefix+"supervisor:"+h.supervisor()
		p.ZAdd(ctx, h.prefix+"masters", redis.Z{Score: float64(now.Unix()), Member: horizonMaster})
		p.HSet(ctx, master, "name", horizonMaster, "environment", "production", "pid", os.Getpid(), "status", "running",
			"supervisors", encode([]string{h.supervisor()}))
		p.Expire(ctx, master, recordTTL)
		p.ZAdd(ctx, h.prefix+"supervisors", redis.Z{Score: float64(now.Unix()), Member: h.supervisor()})
		p.HSet(ctx, supervisor, "name", h.supervisor(), "master", horizonMaster, "pid", os.Getpid(), "status", "running",
			"processes", encode(map[string]int{"redis:" + h.queue: h.workers}),
			"options", encode(map[string]any{"connection": "redis", "queue": h.queue, "balance": "auto", "maxProcesses": h.workers, "minProcesses": 1}))
		p.Expire(ctx, supervisor, 2*recordTTL)
		if now.Sub(h.lastTrim) >= snapshotEvery {
			h.snapshot(ctx, p, now)
		}
		return nil
	})
	return err
}

func (h *horizon) snapshot(ctx context.Context, p redis.Pipeliner, now time.Time) {
	for key := range h.count {
		p.Del(ctx, key)
	}
	clear(h.count)
	clear(h.runtime)
	p.Set(ctx, h.prefix+"last_snapshot_at", now.Unix(), 0)
	oldest := strconv.FormatFloat(score(now.Add(-keepJobs)), 'f', 3, 64)
	for _, list := range []string{"recent_jobs", "completed_jobs", "failed_jobs", "recent_failed_jobs"} {
		p.ZRemRangeByScore(ctx, h.prefix+list, oldest, "+inf")
	}
	h.lastTrim = now
}

// keys lists everything that may have been written.
func (h *horizon) keys() []string {
	names := []string{
		"masters", "supervisors", "master:" + horizonMaster, "supervisor:" + h.supervisor(),
		"recent_jobs", "pending_jobs", "completed_jobs", "failed_jobs", "recent_failed_jobs",
		"measured_jobs", "measured_queues", "job:" + h.class, "queue:" + h.queue, "last_snapshot_at",
	}
	for i, name := range names {
		names[i] = h.prefix + name
	}
	return names
}

func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps and slices of plain values
	}
	return string(raw)
}
