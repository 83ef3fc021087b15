package queue

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// How long Horizon itself believes a record, in seconds, and how many records
// are read at most.
const (
	masterFresh     = 14
	supervisorFresh = 29
	horizonMax      = "2000"
	horizonMaxCount = 2000
)

// horizonClock is from when on records count as fresh, in unix seconds.
type horizonClock struct{ master, supervisor string }

// horizonKeys are the commands for what lies under fixed names below a prefix.
type horizonKeys struct {
	prefix                                           string
	masters, supervisors, queues                     *redis.StringSliceCmd
	measured                                         *redis.IntCmd // how many queues there are
	snapshot                                         *redis.StringCmd
	recent, pending, completed, failed, recentFailed *redis.IntCmd
}

func newHorizonKeys(prefix string, c *horizonClock) *horizonKeys {
	ctx := context.Background()
	fresh := func(key string, since *string) *redis.StringSliceCmd {
		return redis.NewStringSliceCmd(ctx, "zrangebyscore", prefix+key, since, "+inf", "limit", "0", horizonMax)
	}
	return &horizonKeys{
		prefix:       prefix,
		masters:      fresh("masters", &c.master),
		supervisors:  fresh("supervisors", &c.supervisor),
		queues:       redis.NewStringSliceCmd(ctx, "smembers", prefix+"measured_queues"),
		measured:     intCmd("scard", prefix+"measured_queues"),
		snapshot:     redis.NewStringCmd(ctx, "get", prefix+"last_snapshot_at"),
		recent:       intCmd("zcard", prefix+"recent_jobs"),
		pending:      intCmd("zcard", prefix+"pending_jobs"),
		completed:    intCmd("zcard", prefix+"completed_jobs"),
		failed:       intCmd("zcard", prefix+"failed_jobs"),
		recentFailed: intCmd("zcard", prefix+"recent_failed_jobs"),
	}
}

func (k *horizonKeys) enqueue(b *batch, queues bool) {
	for _, cmd := range [...]redis.Cmder{
		k.masters, k.supervisors, k.measured, k.snapshot, k.recent, k.pending, k.completed, k.failed, k.recentFailed,
	} {
		b.add(cmd)
	}
	k.queues.SetErr(ErrNotRun)
	if queues {
		b.add(k.queues)
	}
}

// evidence tells how much there is under a prefix.
func (k *horizonKeys) evidence() (float64, error) {
	sum := 0.0
	for _, cmd := range [...]*redis.IntCmd{k.measured, k.recent, k.completed, k.failed} {
		if err := failed(cmd); err != nil {
			return 0, err
		}
		sum += float64(cmd.Val())
	}
	for _, cmd := range [...]*redis.StringSliceCmd{k.masters, k.supervisors} {
		if err := failed(cmd); err != nil {
			return 0, err
		}
		sum += float64(len(cmd.Val()))
	}
	return sum, nil
}
