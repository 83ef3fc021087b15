package collector

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// Horizon's own keys become series, and the wait is computed where its queue is
// watched.
func TestHorizon(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	ctx, c, now := t.Context(), server.Client(), float64(time.Now().Unix())
	const prefix = "shop_horizon:"
	c.ZAdd(ctx, prefix+"masters", redis.Z{Score: now + 60, Member: "web-abcd"})
	c.HSet(ctx, prefix+"master:web-abcd", "status", "running")
	c.ZAdd(ctx, prefix+"supervisors", redis.Z{Score: now + 60, Member: "web-abcd:one"})
	c.HSet(ctx, prefix+"supervisor:web-abcd:one", "status", "running", "processes", `{"redis:high":2,"redis:elsewhere":1}`)
	for _, queue := range []string{"high", "elsewhere"} {
		c.SAdd(ctx, prefix+"measured_queues", prefix+"queue:"+queue)
		c.HSet(ctx, prefix+"queue:"+queue, "throughput", "30", "runtime", "500")
	}
	c.Set(ctx, prefix+"last_snapshot_at", fmt.Sprint(int64(now)), 0)
	c.RPush(ctx, "laravel_database_queues:high", "a", "b", "c", "d", "e", "f", "g", "h")

	b := newBench(t, Options{})
	b.apply(t, "connections:\n"+connectionYAML("main", server.Addr)+`
applications: [{slug: shop, horizon: {connection: main}}]
queues: [{application: shop, connection: main, queue_names: [high]}]
`)
	const labels = `{application="shop",connection="main"`
	s := b.scrape(t)
	s.want(t, `redis_horizon_masters`+labels+`}`, "1")
	s.absent(t, "redis_horizon_status")
	s.absent(t, "redis_horizon_processes")
	s = b.scrape(t) // the records of what the first scrape found
	for status, value := range map[string]string{"running": "1", "paused": "0", "inactive": "0"} {
		s.want(t, `redis_horizon_status`+labels+`,status="`+status+`"}`, value)
	}
	s.want(t, `redis_horizon_supervisors`+labels+`}`, "1")
	s.want(t, `redis_horizon_processes`+labels+`,queue_connection="redis",queue="high"}`, "2")
	s.want(t, `redis_horizon_queue_throughput_jobs`+labels+`,queue="high"}`, "30")
	s.want(t, `redis_horizon_queue_runtime_seconds`+labels+`,queue="high"}`, "0.5")
	s.want(t, `redis_horizon_queue_wait_seconds`+labels+`,queue="high"}`, "2")
	s.absent(t, "redis_horizon_queue_wait_seconds", `queue="elsewhere"`)
	s.want(t, `redis_horizon_jobs_per_minute`+labels+`}`, "60")
	s.want(t, `redis_horizon_recent_jobs`+labels+`}`, "0")
}
