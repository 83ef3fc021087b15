package queue

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"github.com/redis/go-redis/v9"
)

// horizonPool is a queue, or several of them, of a queue connection.
type horizonPool struct{ connection, queue string }

// poolsOf reads a supervisor's field processes: {"redis:high,default":3}. PHP
// writes an empty object as a list.
func poolsOf(processes string) map[horizonPool]float64 {
	var byName map[string]float64
	if json.Unmarshal([]byte(processes), &byName) != nil {
		return nil
	}
	pools := make(map[horizonPool]float64, len(byName))
	for name, n := range byName {
		connection, queue, ok := strings.Cut(name, ":")
		if ok && n >= 0 {
			pools[horizonPool{connection, queue}] += n
		}
	}
	return pools
}

// queueNames are the queues behind the members of measured_queues, which are
// whole keys.
func queueNames(members []string, prefix string) []string {
	names := make([]string, 0, len(members))
	for _, m := range members {
		if name, ok := strings.CutPrefix(strings.TrimPrefix(m, prefix), "queue:"); ok {
			names = append(names, name)
		}
	}
	return names
}

// records returns what was read under names, and whether all were. Names that
// the scrape before did not have were not asked for.
func (e *horizonEntry) records(cmds map[string]*redis.SliceCmd, names []string, h *HorizonReading) (map[string][]any, bool) {
	records := make(map[string][]any, len(names))
	complete := true
	for _, name := range names {
		cmd, asked := cmds[name]
		if !asked {
			complete = false
			continue
		}
		if err := cmd.Err(); err != nil {
			h.partly(err)
			complete = false
			continue
		}
		records[name] = cmd.Val()
	}
	return records, complete
}

// remember makes the commands that read the records of names at the next
// scrape, keeping those that there are.
func remember(old map[string]*redis.SliceCmd, names []string, prefix string, fields ...any) map[string]*redis.SliceCmd {
	cmds := make(map[string]*redis.SliceCmd, len(names))
	for _, name := range names {
		if cmd := old[name]; cmd != nil {
			cmds[name] = cmd
			continue
		}
		cmds[name] = redis.NewSliceCmd(context.Background(), append([]any{"hmget", prefix + name}, fields...)...)
	}
	if maps.EqualFunc(old, cmds, func(a, b *redis.SliceCmd) bool { return a == b }) {
		return old
	}
	return cmds
}

// field returns field i of a record, empty where there is none.
func field(record []any, i int) string {
	if i >= len(record) {
		return ""
	}
	s, _ := record[i].(string)
	return s
}
