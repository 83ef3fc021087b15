package queue

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// horizon writes what Horizon 5.29 writes: a master and two supervisors, one of
// which has one pool for two queues, and figures of three queues.
func horizon(t *testing.T, c *redis.Client, prefix string) {
	t.Helper()
	ctx, now := t.Context(), at.Unix()
	pipe := c.Pipeline()
	for name, age := range map[string]int64{"web-1-abcd": 3, "web-2-gone": 15} {
		pipe.ZAdd(ctx, prefix+"masters", redis.Z{Score: float64(now - age), Member: name})
	}
	pipe.HSet(ctx, prefix+"master:web-1-abcd", "name", "web-1-abcd", "environment", "production", "pid", "17", "status", "running",
		"supervisors", `["web-1-abcd:supervisor-1"]`)
	for name, age := range map[string]int64{"web-1-abcd:supervisor-1": 1, "web-1-abcd:reports": 20, "web-2-gone:supervisor-1": 30} {
		pipe.ZAdd(ctx, prefix+"supervisors", redis.Z{Score: float64(now - age), Member: name})
	}
	supervisor := func(name, status, processes string) {
		pipe.HSet(ctx, prefix+"supervisor:"+name, "name", name, "master", "web-1-abcd", "pid", "18", "status", status,
			"processes", processes, "options", `{"balance":"auto","timeout":"60"}`)
	}
	supervisor("web-1-abcd:supervisor-1", "running", `{"redis:high":3,"redis:default":2}`)
	supervisor("web-1-abcd:reports", "paused", `{"redis:reports,exports":1}`)
	for queue, metrics := range map[string][2]string{"high": {"120", "250"}, "default": {"30", "1500.5"}, "reports": {}} {
		pipe.SAdd(ctx, prefix+"measured_queues", prefix+"queue:"+queue)
		if metrics[0] != "" {
			pipe.HSet(ctx, prefix+"queue:"+queue, "throughput", metrics[0], "runtime", metrics[1])
		}
	}
	pipe.Set(ctx, prefix+"last_snapshot_at", now-300, 0)
	for set, n := range map[string]int{"recent_jobs": 9, "pending_jobs": 4, "completed_jobs": 5, "failed_jobs": 7, "recent_failed_jobs": 2} {
		for i := range n {
			pipe.ZAdd(ctx, prefix+set, redis.Z{Score: -float64(now - int64(i)), Member: fmt.Sprint(i)})
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
}

func scrapeHorizon(t *testing.T, r *HorizonReader, c redis.UniversalClient, now time.Time) HorizonReading {
	t.Helper()
	pipe := c.Pipeline()
	r.Enqueue(t.Context(), pipe, now)
	_, _ = pipe.Exec(t.Context())
	var got []HorizonReading
	r.Results(now, func(_ *HorizonTarget, h *HorizonReading) { got = append(got, *h) })
	if len(got) != 1 {
		t.Fatalf("%d readings", len(got))
	}
	return got[0]
}

func sameHorizon(t *testing.T, name string, got, want HorizonReading) {
	t.Helper()
	if d := gocmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateErrors(), cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

func TestHorizon(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	horizon(t, c, "web_shop_horizon:")
	r := NewHorizonReader()
	r.SetTargets([]HorizonTarget{{Application: "shop", Connection: "main", PrefixHints: HorizonPrefixes("Web Shop", "shop")}})

	nan := math.NaN()
	first := HorizonReading{
		Status: HorizonUnknown, Masters: 1, Supervisors: 2, JobsPerMinute: nan,
		RecentJobs: 9, PendingJobs: 4, CompletedJobs: 5, FailedJobs: 7, RecentFailedJobs: 2,
		LastSnapshot: float64(at.Unix() - 300), Prefix: "web_shop_horizon:",
	}
	sameHorizon(t, "first scrape", scrapeHorizon(t, r, c, at), first)

	second := first
	second.Status, second.JobsPerMinute = HorizonRunning, 150.0/5
	second.Processes = []HorizonProcesses{{"redis", "default", 2}, {"redis", "high", 3}, {"redis", "reports,exports", 1}}
	second.Queues = []HorizonQueue{{"default", 30, 1.5005, nan}, {"high", 120, .25, nan}, {"reports", 0, nan, nan}}
	second.Details = []HorizonSupervisor{{"web-1-abcd:reports", HorizonPaused, 1}, {"web-1-abcd:supervisor-1", HorizonRunning, 5}}
	got := scrapeHorizon(t, r, c, at)
	sameHorizon(t, "second scrape", got, second)

	ready := map[string]float64{"default": 40, "high": 12, "reports": 5, "exports": 0}
	got.Waits(func(queue string) float64 { return ready[queue] })
	second.Queues = []HorizonQueue{{"default", 30, 1.5005, 40 * 1.5005 / 2}, {"high", 120, .25, 1}, {"reports", 0, nan, nan}}
	sameHorizon(t, "waits", got, second)
	ready["reports"] = 0
	got.Waits(func(queue string) float64 { return ready[queue] })
	if wait := got.Queues[2].WaitSeconds; wait != 0 {
		t.Errorf("nothing waits for reports: wait %v", wait)
	}
}

func TestHorizonStatus(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	key := func(s string) string { return "p_horizon:" + s }
	master := func(name, status string) {
		c.ZAdd(t.Context(), key("masters"), redis.Z{Score: float64(at.Unix()), Member: name})
		if status != "" {
			c.HSet(t.Context(), key("master:"+name), "status", status)
		}
	}
	for _, test := range []struct {
		name    string
		prepare func()
		want    HorizonStatus
	}{
		{"none", func() {}, HorizonInactive},
		{"stale", func() { c.ZAdd(t.Context(), key("masters"), redis.Z{Score: float64(at.Unix() - 15), Member: "a"}) }, HorizonInactive},
		{"running", func() { master("a", "running") }, HorizonRunning},
		{"paused", func() { master("a", "paused") }, HorizonPaused},
		{"one of two paused", func() { master("a", "paused"); master("b", "running") }, HorizonRunning},
		{"expired", func() { master("a", "") }, HorizonInactive},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.FlushDB(t.Context())
			test.prepare()
			r := NewHorizonReader()
			r.SetTargets([]HorizonTarget{{Application: "p", Connection: "main", Prefix: "p_horizon:"}})
			scrapeHorizon(t, r, c, at)
			if got := scrapeHorizon(t, r, c, at).Status; got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// A new supervisor leaves the processes unknown until its record is read; never
// a sum without it.
func TestHorizonNewSupervisor(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	horizon(t, c, "{shop_horizon:}")
	r := NewHorizonReader()
	r.SetTargets([]HorizonTarget{{Application: "shop", Connection: "main", Prefix: "shop_horizon:"}})
	scrapeHorizon(t, r, c, at)
	if h := scrapeHorizon(t, r, c, at); len(h.Processes) != 3 || h.Prefix != "{shop_horizon:}" {
		t.Fatalf("%+v", h)
	}
	c.ZAdd(t.Context(), "{shop_horizon:}supervisors", redis.Z{Score: float64(at.Unix()), Member: "new"})
	c.HSet(t.Context(), "{shop_horizon:}supervisor:new", "status", "running", "processes", "[]")
	if h := scrapeHorizon(t, r, c, at); h.Processes != nil || h.Supervisors != 3 {
		t.Errorf("with a record unread: %+v", h)
	}
	if h := scrapeHorizon(t, r, c, at); len(h.Processes) != 3 || len(h.Details) != 3 {
		t.Errorf("with all records: %+v", h)
	}
}

func TestHorizonUnreadable(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	horizon(t, c, "shop_horizon:")
	r := NewHorizonReader()
	r.SetTargets([]HorizonTarget{{Application: "shop", Connection: "main", Prefix: "shop_horizon:"}})
	scrapeHorizon(t, r, c, at)
	whole := scrapeHorizon(t, r, c, at)

	r.Enqueue(t.Context(), c.Pipeline(), at)
	r.Results(at, func(_ *HorizonTarget, h *HorizonReading) {
		want := HorizonReading{Err: ErrNotRun, Prefix: "shop_horizon:"}
		want.reset()
		want.Err, want.Prefix = ErrNotRun, "shop_horizon:"
		sameHorizon(t, "not run", *h, want)
	})
	for key, lose := range map[string]func(*HorizonReading){
		"recent_jobs":      func(h *HorizonReading) { h.RecentJobs = math.NaN() },
		"measured_queues":  func(h *HorizonReading) { h.Queues, h.JobsPerMinute = nil, math.NaN() },
		"last_snapshot_at": func(h *HorizonReading) { h.LastSnapshot, h.JobsPerMinute = math.NaN(), math.NaN() },
		"supervisors":      func(h *HorizonReading) { h.Supervisors, h.Processes, h.Details = math.NaN(), nil, nil },
		"queue:high":       func(h *HorizonReading) { h.Queues, h.JobsPerMinute = nil, math.NaN() },
	} {
		t.Run(key, func(t *testing.T) {
			c.FlushDB(t.Context())
			horizon(t, c, "shop_horizon:")
			c.Del(t.Context(), "shop_horizon:"+key)
			if key == "last_snapshot_at" {
				c.RPush(t.Context(), "shop_horizon:"+key, "x")
			} else {
				c.Set(t.Context(), "shop_horizon:"+key, "x", 0)
			}
			got, want := scrapeHorizon(t, r, c, at), whole
			if got.Partial == nil {
				t.Error("no reason")
			}
			got.Partial = nil
			lose(&want)
			sameHorizon(t, "reading", got, want)
		})
	}
}

func TestPools(t *testing.T) {
	for field, want := range map[string]map[horizonPool]float64{
		`{"redis:high,default":3,"other:a:b":1}`: {{"redis", "high,default"}: 3, {"other", "a:b"}: 1},
		`[]`:                                     nil, ``: nil, `null`: {}, `{"nocolon":1,"redis:x":-1}`: {}, `{"redis:x":"3"}`: nil,
	} {
		diff(t, field, poolsOf(field) == nil, want == nil)
		if want != nil && fmt.Sprint(poolsOf(field)) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", field, poolsOf(field), want)
		}
	}
}

func TestHorizonPrefixes(t *testing.T) {
	diff(t, "prefixes", HorizonPrefixes("Web Shop", "shop"), []string{
		"web_shop_horizon:", "{web_shop_horizon:}", "shop_horizon:", "{shop_horizon:}", "laravel_horizon:", "{laravel_horizon:}",
	})
}
