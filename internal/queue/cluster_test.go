package queue

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// A Cluster's queues are found in both forms, as an application writes the hash
// tag itself or lets Laravel 13.5 do it, and every command has one key only.
func TestCluster(t *testing.T) {
	cluster := redistest.StartCluster(t, redistest.Options{})
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
	defer c.Close()
	targets := func(application string, queues ...string) []Target {
		var list []Target
		for _, q := range queues {
			list = append(list, Target{Application: application, Connection: "main", Queue: q, Cluster: true, PrefixHints: []string{application + "_database_", ""}})
		}
		return list
	}
	r := NewReader(Options{Ages: true})
	r.SetTargets(append(targets("old", "{high}", "{default}"), targets("new", "mail", "sync")...))
	s := sample{ready: 3, delayed: 2, overdue: 1, reserved: 2, expired: 1, age: 20, overdueAge: 10}
	for key, name := range map[string]string{"old_database_": "{high}", "new_database_": "{mail}"} {
		laravelFixture.fill(t.Context(), c, key, name, s)
	}
	want := laravelFixture.want(s)
	for scrapes := range 2 {
		got := scrape(t, r, c, at)
		for _, name := range []string{"{high}", "mail"} {
			diff(t, name, figuresOf(got[name]), want)
		}
		for _, name := range []string{"{default}", "sync"} {
			diff(t, name, figuresOf(got[name]), laravelFixture.want(sample{}))
		}
		if t.Failed() {
			t.Fatalf("at scrape %d", scrapes)
		}
	}
	diff(t, "detections", r.Detections(), []Detection{
		{Application: "new", Connection: "main", Framework: "laravel", Prefix: "new_database_", HashTag: true, Found: true},
		{Application: "old", Connection: "main", Framework: "laravel", Prefix: "old_database_", Found: true},
	})

	t.Run("pauses", func(t *testing.T) {
		p := NewPauseReader()
		p.SetTargets(pauseTargets(true, "a_", "b_", "c_"))
		c.Set(t.Context(), "b_illuminate:queue:paused:redis:high", "b:1;", 0)
		for range 2 {
			diff(t, "pauses", pauses(t, p, c, at), map[string]float64{"high": 1, "default": 0})
		}
	})
	t.Run("horizon", func(t *testing.T) {
		h := NewHorizonReader()
		h.SetTargets([]HorizonTarget{{Application: "new", Connection: "main", Prefix: "new_horizon:"}})
		c.ZAdd(t.Context(), "{new_horizon:}masters", redis.Z{Score: float64(at.Unix()), Member: "m"})
		c.HSet(t.Context(), "{new_horizon:}master:m", "status", "running")
		scrapeHorizon(t, h, c, at)
		if got := scrapeHorizon(t, h, c, at); got.Status != HorizonRunning || got.Err != nil || got.Partial != nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("discovery", func(t *testing.T) {
		for _, tenant := range []string{"a", "b", "c", "d", "e", "f"} {
			c.RPush(t.Context(), "queues:{tenant-"+tenant+"}", "x")
		}
		d := NewDiscoverer(DiscovererOptions{
			Sleep: func(context.Context, time.Duration) error { return nil },
			Nodes: func(ctx context.Context, each func(context.Context, *redis.Client) error) error {
				var mu sync.Mutex
				return c.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
					mu.Lock()
					defer mu.Unlock()
					return each(ctx, master)
				})
			},
		})
		p := tenants("")
		p.Cluster = true
		d.SetPatterns([]Pattern{p})
		if err := d.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		names, _ := d.Queues(0)
		diff(t, "names", names, []string{"tenant-a", "tenant-b", "tenant-c", "tenant-d", "tenant-e", "tenant-f"})
	})
}
