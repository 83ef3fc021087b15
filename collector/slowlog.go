package collector

import (
	"context"
	"errors"
	"math"

	"github.com/redis/go-redis/v9"
)

const (
	famSlowlogLength familyID = infoFamilyEnd + iota
	famSlowlogLastID
	famSlowlogLastDuration

	slowlogFamilyEnd
)

var slowlogFamilies = [slowlogFamilyEnd - infoFamilyEnd]family{
	{"redis_slowlog_length", gauge, "Entries in the slow log."},
	{"redis_slowlog_last_id", gauge, "Number of the newest entry in the slow log, counted since the server started; absent while the log is empty."},
	{"redis_last_slow_execution_duration_seconds", gauge, "Duration of the newest command in the slow log in seconds; absent while the log is empty."},
}

var slowlogSection = section{
	name:    "slowlog",
	enabled: func(*Options) bool { return true },
	enqueue: func(ctx context.Context, pipe redis.Pipeliner) func(*block) error {
		length, newest := pipe.Do(ctx, "slowlog", "len"), pipe.Do(ctx, "slowlog", "get", 1)
		return func(b *block) error { return addSlowlog(b, length, newest) }
	},
}

func addSlowlog(b *block, length, newest *redis.Cmd) error {
	n, err := length.Int64()
	if err == nil {
		b.add(famSlowlogLength, "", float64(n))
	}
	entry, entryErr := newestSlow(newest)
	b.add(famSlowlogLastID, "", entry.id)
	b.add(famSlowlogLastDuration, "", entry.seconds)
	return errors.Join(during("slowlog len", err), during("slowlog get", entryErr))
}

type slowEntry struct{ id, seconds float64 }

// newestSlow reads SLOWLOG GET 1. An entry is id, time, microseconds, arguments
// and more; the arguments are payload and stay unread.
func newestSlow(reply *redis.Cmd) (slowEntry, error) {
	none := slowEntry{math.NaN(), math.NaN()}
	entries, err := reply.Slice()
	if err != nil || len(entries) == 0 {
		return none, err
	}
	entry, _ := entries[0].([]any)
	if len(entry) < 3 {
		return none, errReplyForm
	}
	id, idOK := entry[0].(int64)
	usec, usecOK := entry[2].(int64)
	if !idOK || !usecOK {
		return none, errReplyForm
	}
	return slowEntry{float64(id), float64(usec) / 1e6}, nil
}
