package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// head is the job at the head of a list, and since when it has been seen there.
type head struct {
	cmd *redis.StringCmd
}

func newHead(key string) *head {
	return &head{cmd: redis.NewStringCmd(context.Background(), "lindex", key, "0")}
}

func (h *head) enqueue(b *batch) { b.add(h.cmd) }

func (h *head) read(now time.Time, length int64, b *batch, r *Reading) {
	if err := failed(h.cmd); err != nil {
		r.partly(err)
		return
	}
	if length == 0 {
		r.OldestAge, r.OldestAgeLowerBound = 0, 0
	}
}

// member is the longest overdue member of a sorted set of due times.
type member struct {
	cmd *redis.ZSliceCmd
}

func newMember(key string, now *string) *member {
	return &member{cmd: redis.NewZSliceCmd(context.Background(), "zrangebyscore", key, "-inf", now, "WITHSCORES", "LIMIT", "0", "1")}
}

func (m *member) enqueue(b *batch) { b.add(m.cmd) }

func (m *member) read(now time.Time, b *batch, r *Reading) {
	if err := failed(m.cmd); err != nil {
		r.partly(err)
		return
	}
	r.OldestOverdueAge = 0
	for _, z := range m.cmd.Val() {
		r.OldestOverdueAge = max(0, float64(now.UnixMilli())/1e3-z.Score)
	}
}
