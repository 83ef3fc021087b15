package queue

import (
	"math"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestLaravelCachePrefixes(t *testing.T) {
	for _, c := range []struct {
		name        string
		connections []string
		configured  string
		want        []string
	}{
		{"derived from the connection's", []string{"laravel_database_", "laravel-database-"}, "",
			[]string{"laravel_database_laravel_cache_", "laravel_database_laravel_cache:", "laravel-database-laravel-cache-"}},
		{"derived from the names", []string{"own:"}, "", []string{
			"own:web_shop_cache_", "own:web_shop_cache:", "own:web-shop-cache-",
			"own:shop_cache_", "own:shop_cache:", "own:shop-cache-",
			"own:laravel_cache_", "own:laravel_cache:", "own:laravel-cache-",
		}},
		{"configured", []string{"p_"}, "laravel_cache",
			[]string{"p_laravel_cache", "p_laravel_cache:", "p_laravel_cache-", "p_laravel_cache_"}},
		{"configured whole", []string{"p_", ""}, "cache:", []string{"p_cache:", "cache:"}},
	} {
		diff(t, c.name, LaravelCachePrefixes(c.connections, "Web Shop", "shop", c.configured), c.want)
	}
}

// pauses runs a scrape and returns what it says of each queue: 1, 0, or -1 with
// an error.
func pauses(t *testing.T, r *PauseReader, c redis.UniversalClient, now time.Time) map[string]float64 {
	t.Helper()
	pipe := c.Pipeline()
	r.Enqueue(t.Context(), pipe, now)
	_, _ = pipe.Exec(t.Context())
	got := map[string]float64{}
	r.Results(func(target *PauseTarget, paused float64, err error) {
		if math.IsNaN(paused) != (err != nil) {
			t.Errorf("%s: paused %v, err %v", target.Queue, paused, err)
		}
		if got[target.Queue] = paused; err != nil {
			got[target.Queue] = -1
		}
	})
	return got
}

func pauseTargets(cluster bool, prefixes ...string) []PauseTarget {
	var list []PauseTarget
	for _, queue := range []string{"high", "default"} {
		list = append(list, PauseTarget{Application: "shop", Connection: "main", Queue: queue, Prefixes: prefixes, Cluster: cluster})
	}
	return list
}

func TestPause(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	prefixes := LaravelCachePrefixes(LaravelPrefixes("", "", ""), "", "", "")
	for _, prefix := range []string{"laravel_database_laravel_cache:", "laravel_database_laravel_cache_", "laravel-database-laravel-cache-"} {
		t.Run(prefix, func(t *testing.T) {
			c.FlushDB(t.Context())
			r := NewPauseReader()
			r.SetTargets(pauseTargets(false, prefixes...))
			check := func(what string, high, deflt float64) {
				t.Helper()
				diff(t, what, pauses(t, r, c, at), map[string]float64{"high": high, "default": deflt})
			}
			check("none", 0, 0)
			c.Set(t.Context(), prefix+"illuminate:queue:paused:redis:high", "b:1;", 0)
			check("one paused", 1, 0)
			c.Set(t.Context(), prefix+"illuminate:queues:paused", "b:1;", 0)
			check("all paused", 1, 1)
			c.Del(t.Context(), prefix+"illuminate:queue:paused:redis:high", prefix+"illuminate:queues:paused")
			check("resumed", 0, 0)
		})
	}
}

// The queue connection is part of the flag's name.
func TestPauseOfAQueueConnection(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	targets := pauseTargets(false, "p_")
	targets[0].QueueConnection = "tenants"
	r := NewPauseReader()
	r.SetTargets(targets)
	for _, queue := range []string{"high", "default"} {
		c.Set(t.Context(), "p_illuminate:queue:paused:redis:"+queue, "b:1;", 0)
	}
	diff(t, "redis", pauses(t, r, c, at), map[string]float64{"high": 0, "default": 1})
	c.Set(t.Context(), "p_illuminate:queue:paused:tenants:high", "b:1;", 0)
	diff(t, "tenants", pauses(t, r, c, at), map[string]float64{"high": 1, "default": 1})
}

// The restart flag shows the prefix, and from then on one command a queue and
// one an application are enough.
func TestPausePrefixIsLearned(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	c.Set(t.Context(), "b_illuminate:queue:restart", "1732645678", 0)
	r := NewPauseReader()
	r.SetTargets(pauseTargets(false, "a_", "b_", "c_"))
	count := func(now time.Time) int {
		pipe := c.Pipeline()
		r.Enqueue(t.Context(), pipe, now)
		n := pipe.Len()
		_, _ = pipe.Exec(t.Context())
		r.Results(func(*PauseTarget, float64, error) {})
		return n
	}
	diff(t, "commands at first", count(at), 3+3+2*3)
	diff(t, "commands then", count(at.Add(time.Second)), 1+2)
	r.SetTargets(pauseTargets(false, "a_", "b_", "c_"))
	diff(t, "commands after a reload", count(at.Add(2*time.Second)), 1+2)
	diff(t, "commands a minute later", count(at.Add(time.Minute)), 3+1+2)
	c.Set(t.Context(), "a_illuminate:queue:paused:redis:high", "b:1;", 0)
	diff(t, "another application's flag", pauses(t, r, c, at.Add(61*time.Second))["high"], 0.0)
}

func TestPauseWhereNotAllKeysMayBeRead(t *testing.T) {
	server := redistest.Start(t, redistest.Options{Users: []string{
		"some on >secret ~b_* +@read +ping +client +hello", "none on >secret ~z_* +@read +ping +client +hello",
	}})
	admin := server.Client()
	admin.Set(t.Context(), "b_illuminate:queue:paused:redis:high", "b:1;", 0)
	for user, want := range map[string]map[string]float64{
		"some": {"high": 1, "default": 0},
		"none": {"high": -1, "default": -1},
	} {
		c := redis.NewClient(&redis.Options{Addr: server.Addr, Username: user, Password: "secret", MaxRetries: -1})
		defer c.Close()
		r := NewPauseReader()
		r.SetTargets(pauseTargets(false, "a_", "b_"))
		for _, scrape := range []string{"first", "second"} {
			diff(t, user+", "+scrape, pauses(t, r, c, at), want)
		}
	}
}

func TestPauseNotRun(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	r := NewPauseReader()
	r.SetTargets(pauseTargets(false, "a_", "b_"))
	diff(t, "run", pauses(t, r, c, at), map[string]float64{"high": 0, "default": 0})
	r.Enqueue(t.Context(), c.Pipeline(), at)
	r.Results(func(target *PauseTarget, paused float64, err error) {
		if !math.IsNaN(paused) || err == nil {
			t.Errorf("%s: paused %v, err %v", target.Queue, paused, err)
		}
	})
}
