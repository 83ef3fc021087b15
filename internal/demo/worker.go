package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Lengths in the demo's time.
const (
	workTime   = time.Second     // of a job, on average
	idleTime   = 2 * time.Second // between two looks into an empty queue
	reserveFor = 90 * time.Second
)

// Worker is a process that takes jobs of one queue, as a worker of Laravel does.
type Worker struct {
	Redis  redis.Cmdable
	Prefix string // of the queue's keys
	Queue  string
	Speed  float64
	Output io.Writer // a line for each job
}

// Work takes jobs until ctx ends; the one in hand is finished first. It returns
// an error where Redis fails.
func (w *Worker) Work(ctx context.Context) error {
	// Redis is asked without ctx: what has been taken must be put right.
	calls := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		if err := w.migrate(calls, time.Now()); err != nil {
			return err
		}
		text, err := w.Redis.LPop(calls, w.key("")).Result()
		switch {
		case errors.Is(err, redis.Nil):
			w.wait(ctx, idleTime)
		case err != nil:
			return err
		default:
			if err := w.do(calls, text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Worker) key(suffix string) string { return w.Prefix + "queues:" + w.Queue + suffix }

// wait lasts as long as length takes in the demo, or until ctx ends.
func (w *Worker) wait(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(time.Duration(float64(length) / w.Speed))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// do works one job.
func (w *Worker) do(ctx context.Context, text string) error {
	text = raiseAttempts(text)
	until := time.Now().Add(reserveFor)
	if err := w.Redis.ZAdd(ctx, w.key(":reserved"), redis.Z{Score: float64(until.Unix()), Member: text}).Err(); err != nil {
		return err
	}
	w.wait(ctx, time.Duration(float64(workTime)*(0.5+rand.Float64())))
	if err := w.Redis.ZRem(ctx, w.key(":reserved"), text).Err(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w.Output, "done:", field(text, "displayName"), field(text, "uuid"))
	return err
}

// migrate moves jobs whose time has come to the ready list. Of several workers
// that find a job, the one that could remove it moves it.
func (w *Worker) migrate(ctx context.Context, now time.Time) error {
	until := &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.Unix(), 10), Count: batch}
	for _, suffix := range []string{":delayed", ":reserved"} {
		due, err := w.Redis.ZRangeByScore(ctx, w.key(suffix), until).Result()
		if err != nil {
			return err
		}
		for _, text := range due {
			removed, err := w.Redis.ZRem(ctx, w.key(suffix), text).Result()
			if err != nil {
				return err
			}
			if removed == 0 {
				continue
			}
			if err := w.Redis.RPush(ctx, w.key(""), text).Err(); err != nil {
				return err
			}
		}
	}
	return nil
}
