package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// What is read of the jobs that workers have at most, of each queue. A job that
// is not seen is taken for one without a timeout of its own.
const (
	timeoutJobs  = 500
	timeoutBytes = 1 << 20
	// timeoutMost is the longest timeout that is believed: a job without a sane
	// one must not keep a supervisor from its end for ever.
	timeoutMost = 24 * time.Hour
)

// Pipelined sends what fn collects, as connection.Client does.
type Pipelined func(ctx context.Context, fn func(redis.Pipeliner)) ([]redis.Cmder, error)

// LongestTimeouts returns, for each of the targets, the longest timeout of
// their own that jobs have which workers have taken: a job's overrides the
// worker's. 0 = there is none, or the framework keeps none in the job. With an
// error, the first one, it returns what could be read all the same. It reads a
// bounded part of long lists.
func LongestTimeouts(ctx context.Context, send Pipelined, targets []Target) ([]time.Duration, error) {
	longest := make([]time.Duration, len(targets))
	var open []*reservedJobs
	for i := range targets {
		t := &targets[i]
		if t.framework() != DefaultFramework {
			continue
		}
		for _, l := range laravelLayouts(t) {
			open = append(open, &reservedJobs{key: laravelKey(t.Queue, l) + ":reserved", longest: &longest[i]})
		}
	}
	var first error
	for len(open) > 0 {
		if _, err := send(ctx, func(pipe redis.Pipeliner) {
			for _, r := range open {
				r.enqueue(ctx, pipe)
			}
		}); err != nil && ctx.Err() != nil {
			return longest, ctx.Err()
		}
		var more []*reservedJobs
		for _, r := range open {
			again, err := r.read()
			first = cmp.Or(first, err)
			if again {
				more = append(more, r)
			}
		}
		open = more
	}
	return longest, first
}

// reservedJobs goes through the jobs that workers have taken from one queue.
type reservedJobs struct {
	key     string
	longest *time.Duration

	cmd     *redis.StringSliceCmd
	asked   int // jobs, by cmd
	jobs    int // read
	bytes   int
	largest int // job
}

// enqueue asks for the next jobs: first for one, then for as many as fit.
func (r *reservedJobs) enqueue(ctx context.Context, pipe redis.Pipeliner) {
	r.asked = 1
	if r.largest > 0 {
		r.asked = max(1, min((timeoutBytes-r.bytes)/r.largest, timeoutJobs-r.jobs))
	}
	r.cmd = pipe.ZRangeByScore(ctx, r.key, &redis.ZRangeBy{Min: "-inf", Max: "+inf", Offset: int64(r.jobs), Count: int64(r.asked)})
}

// read takes in the reply and reports whether there may be more worth reading.
func (r *reservedJobs) read() (again bool, err error) {
	payloads, err := r.cmd.Result()
	if err != nil {
		return false, err
	}
	for _, payload := range payloads {
		r.jobs++
		r.bytes += len(payload)
		r.largest = max(r.largest, len(payload))
		*r.longest = max(*r.longest, ownTimeout(payload))
	}
	return len(payloads) == r.asked && r.jobs < timeoutJobs && r.bytes < timeoutBytes, nil
}

// ownTimeout is the timeout that a job of Laravel's brings along, 0 = none. In
// the framework's own terms 0 stands for no limit, which is none to wait for.
func ownTimeout(payload string) time.Duration {
	var job struct {
		Timeout json.RawMessage `json:"timeout"`
	}
	if err := json.Unmarshal([]byte(payload), &job); err != nil {
		return 0
	}
	text := string(job.Timeout)
	if quoted, err := strconv.Unquote(text); err == nil {
		text = quoted
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, timeoutMost.Seconds()) * float64(time.Second))
}
