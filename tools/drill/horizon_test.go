package drill

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	horizonPrefix = "legacy_horizon:"
	horizonMaster = "legacy-host-a1b2"
)

// beat writes into Redis what a running Laravel Horizon writes about itself.
func beat(ctx context.Context, client *redis.Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	now := time.Now()
	seconds := float64(now.Unix())
	key := func(name string) string { return horizonPrefix + name }
	pipe := client.Pipeline()
	pipe.ZAdd(ctx, key("masters"), redis.Z{Score: seconds, Member: horizonMaster})
	pipe.HSet(ctx, key("master:"+horizonMaster), "name", horizonMaster, "pid", 1, "status", "running", "supervisors", `["`+horizonMaster+`:one"]`)
	pipe.Expire(ctx, key("master:"+horizonMaster), 15*time.Second)
	pipe.ZAdd(ctx, key("supervisors"), redis.Z{Score: seconds, Member: horizonMaster + ":one"})
	pipe.HSet(ctx, key("supervisor:"+horizonMaster+":one"), "name", horizonMaster+":one", "master", horizonMaster, "pid", 1, "status", "running",
		"processes", `{"redis:legacy":2}`, "options", `{"connection":"redis","queue":"legacy","balance":"auto","maxProcesses":2,"minProcesses":1}`)
	pipe.Expire(ctx, key("supervisor:"+horizonMaster+":one"), 30*time.Second)
	for _, list := range []string{"recent_jobs", "completed_jobs", "recent_failed_jobs", "failed_jobs"} {
		pipe.ZAdd(ctx, key(list), redis.Z{Score: -seconds, Member: "of-the-drill"})
	}
	pipe.SAdd(ctx, key("measured_jobs"), key("job:App\\Jobs\\Legacy"))
	pipe.SAdd(ctx, key("measured_queues"), key("queue:legacy"))
	for _, measured := range []string{"job:App\\Jobs\\Legacy", "queue:legacy"} {
		pipe.HSet(ctx, key(measured), "throughput", 7, "runtime", "12.50")
	}
	pipe.Set(ctx, key("last_snapshot_at"), now.Unix(), 0)
	_, err := pipe.Exec(ctx)
	return err
}
