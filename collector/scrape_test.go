package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) {
	redistest.ServeFleetIfAsked()
	goleak.VerifyTestMain(m)
}

// bench is a collector over its own set of clients.
type bench struct {
	*Collector
	set  *connection.Set
	logs *bytes.Buffer
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	logs := &bytes.Buffer{}
	o.Logger = slog.New(slog.NewTextHandler(&lockedWriter{w: logs}, nil))
	o.Registerer = prometheus.NewRegistry()
	o.QueueAges = true
	set := connection.NewSet(o.Logger)
	b := &bench{Collector: New(set, o), set: set, logs: logs}
	t.Cleanup(func() {
		b.Close()
		set.Close()
	})
	return b
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (b *bench) apply(t *testing.T, yaml string) {
	t.Helper()
	cfg, err := configs.Parse("test.yml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	b.set.Apply(cfg.Connections)
	b.Apply(cfg)
}

// scrape returns the series of a scrape by name and labels.
func (b *bench) scrape(t *testing.T, names ...string) series {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	page, err := b.Scrape(ctx, names)
	if err != nil {
		t.Fatal(err)
	}
	parsePage(t, pageText(t, page))
	return newSeries(t, pageText(t, page))
}

type series map[string]string

func newSeries(t *testing.T, page []byte) series {
	t.Helper()
	s := series{}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		id, value := line[:at], strings.TrimSpace(line[at+1:])
		if _, twice := s[id]; twice {
			t.Errorf("series stands twice on the page: %s", id)
		}
		s[id] = value
	}
	return s
}

func (s series) want(t *testing.T, id, value string) {
	t.Helper()
	if got, ok := s[id]; !ok {
		t.Errorf("%s is absent, want %s", id, value)
	} else if got != value {
		t.Errorf("%s = %s, want %s", id, got, value)
	}
}

// absent fails where any series of the metric has all of the given label texts.
func (s series) absent(t *testing.T, metric string, labels ...string) {
	t.Helper()
	for id, value := range s {
		if strings.HasPrefix(id, metric+"{") && !slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(id, l) }) {
			t.Errorf("%s = %s, want it absent", id, value)
		}
	}
}

func (s series) count(metric string) int {
	n := 0
	for id := range s {
		if strings.HasPrefix(id, metric+"{") {
			n++
		}
	}
	return n
}

func connectionYAML(name, address string, more ...string) string {
	return fmt.Sprintf("  - {name: %s, address: %q%s}\n", name, address, strings.Join(append([]string{""}, more...), ", "))
}

func TestScrapeOfRealServers(t *testing.T) {
	one, two := redistest.Start(t, redistest.Options{}), redistest.Start(t, redistest.Options{})
	ctx := t.Context()
	one.Client().RPush(ctx, "laravel_database_queues:default", `{"uuid":"a","createdAt":1}`, `{"uuid":"b"}`)
	one.Client().ZAdd(ctx, "laravel_database_queues:default:delayed", redis.Z{Score: 10, Member: `{"uuid":"c"}`}, redis.Z{Score: 9e9, Member: `{"uuid":"d"}`})
	one.Client().ZAdd(ctx, "laravel_database_queues:default:reserved", redis.Z{Score: 5, Member: `{"uuid":"e"}`})

	b := newBench(t, Options{})
	b.apply(t, "global: {environment: test}\nconnections:\n"+connectionYAML("one", one.Addr, "region: eu", "team: infra", "provider: own")+
		connectionYAML("two", two.Addr)+`
applications:
  - {slug: shop, name: Web shop, color: "#3B82F6", team: payments, connections: [{connection: one, primary: true, priority: 10}]}
queues:
  - {application: shop, connection: one, queue_names: [high, default], max_wait: 30s, objective: 0.99, retry_after: 90s}
`)
	s := b.scrape(t)
	id := `{connection="one",environment="test",region="eu",team="infra"`
	s.want(t, `redis_up`+id+`}`, "1")
	s.want(t, `redis_up{connection="two",environment="test"}`, "1")
	s.want(t, `redis_probes_total`+id+`}`, "1")
	for _, reason := range connection.Reasons() {
		s.want(t, `redis_probe_failures_total`+id+`,reason="`+string(reason)+`"}`, "0")
	}
	s.want(t, `redis_connection_state_changes_total`+id+`}`, "0")
	s.want(t, `redis_connection_info`+id+`,provider="own",mode="standalone",address="`+one.Addr+`",database="0"}`, "1")
	s.want(t, `redis_slowlog_length`+id+`}`, "0")
	if n := s.count("redis_memory_used_bytes"); n != 2 {
		t.Errorf("%d series of redis_memory_used_bytes, want 2", n)
	}
	queue := `{application="shop",connection="one",queue="default",environment="test",region="eu",team="payments"`
	s.want(t, `redis_queue_jobs`+queue+`,state="ready"}`, "2")
	s.want(t, `redis_queue_jobs`+queue+`,state="delayed"}`, "2")
	s.want(t, `redis_queue_jobs`+queue+`,state="reserved"}`, "1")
	s.want(t, `redis_queue_delayed_overdue_jobs`+queue+`}`, "1")
	s.want(t, `redis_queue_reserved_expired_jobs`+queue+`}`, "1")
	s.want(t, `redis_queue_wait_objective_seconds`+queue+`}`, "30")
	s.want(t, `redis_queue_wait_objective_ratio`+queue+`}`, "0.99")
	s.want(t, `redis_queue_retry_after_seconds`+queue+`}`, "90")
	s.want(t, `redis_queue_read_success`+queue+`}`, "1")
	empty := strings.Replace(queue, `"default"`, `"high"`, 1)
	s.want(t, `redis_queue_jobs`+empty+`,state="ready"}`, "0")
	s.want(t, `redis_queue_oldest_job_age_seconds`+empty+`}`, "0")
	s.absent(t, "redis_queue_paused")
	s.want(t, `queuefleet_application_info{application="shop",name="Web shop",color="#3B82F6"}`, "1")
	s.want(t, `queuefleet_application_connection_info{application="shop",connection="one",primary="true",priority="10"}`, "1")
	if n := s.count("queuefleet_application_connection_last_used_timestamp_seconds"); n != 1 {
		t.Errorf("%d series say when the connection was last used, want 1", n)
	}
}

func TestConnectionDownTakesItsQueuesAlong(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	b.apply(t, "connections:\n"+connectionYAML("main", server.Addr)+`
applications: [{slug: shop}]
queues: [{application: shop, connection: main, queue_names: [default]}]
`)
	s := b.scrape(t)
	s.want(t, `redis_up{connection="main"}`, "1")
	s.want(t, `redis_queue_jobs{application="shop",connection="main",queue="default",state="ready"}`, "0")

	server.Stop()
	s = b.scrape(t)
	s.want(t, `redis_up{connection="main"}`, "0")
	s.want(t, `redis_connection_state_changes_total{connection="main"}`, "1")
	s.want(t, `redis_probe_failures_total{connection="main",reason="refused"}`, "1")
	s.want(t, `redis_queue_read_success{application="shop",connection="main",queue="default"}`, "0")
	s.absent(t, "redis_queue_jobs")
	s.absent(t, "redis_queue_oldest_job_age_seconds")
	s.absent(t, "redis_memory_used_bytes")
	if status := b.Connections()[0]; status.State != Down || status.Reason != "refused" {
		t.Errorf("status is %s for %q (%s), want down for refused", status.State, status.Reason, status.Error)
	}

	server.Restart()
	s = b.scrape(t)
	s.want(t, `redis_up{connection="main"}`, "1")
	s.want(t, `redis_connection_state_changes_total{connection="main"}`, "2")
	s.want(t, `redis_queue_jobs{application="shop",connection="main",queue="default",state="ready"}`, "0")
}

// A server that restarts closes our idle socket. The next probe opens another
// and must not call that a failure.
func TestRestartBetweenScrapesIsNoFailure(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	b.apply(t, "connections:\n"+connectionYAML("main", server.Addr))
	b.scrape(t)
	server.Restart()
	s := b.scrape(t)
	s.want(t, `redis_up{connection="main"}`, "1")
	s.want(t, `redis_connection_state_changes_total{connection="main"}`, "0")
}

func TestDeniedKeyShiftsNothing(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	admin, ctx := server.Client(), t.Context()
	for i, name := range []string{"a", "b", "c", "d"} {
		for range i + 1 {
			admin.RPush(ctx, "laravel_database_queues:"+name, `{"uuid":"x","createdAt":1}`)
		}
	}
	admin.Do(ctx, "ACL", "SETUSER", "exporter", "on", ">long-password", "+@all", "resetkeys",
		"~laravel_database_queues:a*", "~laravel_database_queues:c*", "~laravel_database_queues:d*")

	b := newBench(t, Options{})
	b.apply(t, "connections:\n"+connectionYAML("main", server.Addr, "username: exporter", "password: long-password")+`
applications: [{slug: shop}]
queues: [{application: shop, connection: main, queue_names: [a, b, c, d], key_prefix: laravel_database_}]
`)
	for range 3 {
		s := b.scrape(t)
		queue := func(name string) string {
			return `{application="shop",connection="main",queue="` + name + `"`
		}
		s.want(t, `redis_up{connection="main"}`, "1")
		s.want(t, `redis_queue_jobs`+queue("a")+`,state="ready"}`, "1")
		s.want(t, `redis_queue_jobs`+queue("c")+`,state="ready"}`, "3")
		s.want(t, `redis_queue_jobs`+queue("d")+`,state="ready"}`, "4")
		s.want(t, `redis_queue_read_success`+queue("b")+`}`, "0")
		s.absent(t, "redis_queue_jobs", `queue="b"`)
		s.want(t, `queuefleet_exporter_collector_success{connection="main",collector="queues"}`, "0")
	}
}

func TestHungConnectionIsDownInTheSameScrapeAndDelaysNoLaterOne(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	b.apply(t, "global: {probe_timeout: 100ms}\nconnections:\n"+connectionYAML("good", server.Addr)+connectionYAML("hung", redistest.Silent(t).Addr))
	s := b.scrape(t)
	s.want(t, `redis_up{connection="good"}`, "1")
	s.want(t, `redis_up{connection="hung"}`, "0")
	s.want(t, `redis_probe_failures_total{connection="hung",reason="timeout"}`, "1")

	// From now on the scrape does not wait for it: with a probe timeout of an
	// hour the scrape would otherwise run into its own deadline.
	b.apply(t, "global: {probe_timeout: 1h}\nconnections:\n"+connectionYAML("good", server.Addr)+connectionYAML("hung", redistest.Silent(t).Addr))
	b.probeOf("hung").last.Store(&result{reason: connection.ReasonTimeout, err: errUnanswered, spec: b.probeOf("hung").spec.Load()})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f := b.current.Load()
	calls := []*call{{done: make(chan struct{})}, {done: make(chan struct{})}}
	close(calls[0].done)
	b.await(calls, []bool{false, true}, time.Hour) // returns: this is the assertion
	if ctx.Err() != nil || len(f.probes) != 2 {
		t.Fatal("the scrape waited for a connection known to hang")
	}
}

func (b *bench) probeOf(name string) *probe { return b.current.Load().probe(name) }

func TestUnknownConnection(t *testing.T) {
	b := newBench(t, Options{})
	b.apply(t, "connections:\n"+connectionYAML("known", "127.0.0.1:1")+connectionYAML("idle", "127.0.0.1:1", "active: false"))
	for _, name := range []string{"unknown", "127.0.0.1:6379", "idle", ""} {
		if _, err := b.Scrape(t.Context(), []string{name}); !errors.Is(err, ErrUnknownConnection) {
			t.Errorf("scraping %q: got %v, want ErrUnknownConnection", name, err)
		}
	}
}

func TestConcurrentScrapesShareACollection(t *testing.T) {
	b := newBench(t, Options{})
	b.apply(t, "global: {probe_timeout: 300ms}\nconnections:\n"+connectionYAML("hung", redistest.Silent(t).Addr))
	const clients = 8
	pages := make([]io.WriterTo, clients)
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			pages[i], _ = b.Scrape(ctx, nil)
		})
	}
	wait.Wait()
	for _, page := range pages {
		newSeries(t, pageText(t, page)).want(t, `redis_up{connection="hung"}`, "0")
	}
	if s := b.scrape(t); s[`redis_probes_total{connection="hung"}`] == "8" {
		t.Error("each of the concurrent scrapes probed on its own")
	}
}

func TestReloadKeepsCountersOfWhatStays(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	yaml := "connections:\n" + connectionYAML("stays", server.Addr)
	b.apply(t, yaml+connectionYAML("goes", server.Addr))
	b.scrape(t)
	b.apply(t, yaml+connectionYAML("comes", server.Addr, "team: new"))
	s := b.scrape(t)
	s.want(t, `redis_probes_total{connection="stays"}`, "2")
	s.want(t, `redis_probes_total{connection="comes",team="new"}`, "1")
	s.absent(t, "redis_up", `connection="goes"`)
}

func TestPauseFlagOnAnotherConnection(t *testing.T) {
	queues, cache := redistest.Start(t, redistest.Options{}), redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	b.apply(t, "connections:\n"+connectionYAML("queues", queues.Addr)+connectionYAML("cache", cache.Addr)+`
applications: [{slug: shop, cache: {connection: cache, prefix: laravel-cache-}}]
queues: [{application: shop, connection: queues, queue_names: [default, other]}]
`)
	paused := func(queue string) string {
		return `redis_queue_paused{application="shop",connection="queues",queue="` + queue + `"}`
	}
	s := b.scrape(t)
	s.want(t, paused("default"), "0")
	cache.Client().Set(t.Context(), "laravel-database-laravel-cache-illuminate:queue:paused:redis:default", "b:1;", 0)
	s = b.scrape(t)
	s.want(t, paused("default"), "1")
	s.want(t, paused("other"), "0")
	cache.Stop()
	b.scrape(t)
	s = b.scrape(t)
	s.absent(t, "redis_queue_paused")
	s.want(t, `redis_queue_jobs{application="shop",connection="queues",queue="default",state="ready"}`, "0")
}

func TestAmbiguousPrefixIsLoggedOnce(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	for _, prefix := range []string{"laravel_database_", "laravel-database-"} {
		server.Client().RPush(t.Context(), prefix+"queues:default", `{"uuid":"x"}`)
	}
	b := newBench(t, Options{})
	b.apply(t, "connections:\n"+connectionYAML("main", server.Addr)+`
applications: [{slug: shop}]
queues: [{application: shop, connection: main, queue_names: [default]}]
`)
	for range 3 {
		b.scrape(t)
	}
	if n := strings.Count(b.logs.String(), "more than one key prefix"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, b.logs.String())
	}
}

func TestPauseFlagOfACacheThatIsNotProbedIsForgotten(t *testing.T) {
	queues, cache := redistest.Start(t, redistest.Options{}), redistest.Start(t, redistest.Options{})
	var later time.Duration
	b := newBench(t, Options{Now: func() time.Time { return time.Now().Add(later) }})
	b.apply(t, "connections:\n"+connectionYAML("queues", queues.Addr)+connectionYAML("cache", cache.Addr)+`
applications: [{slug: shop, cache: {connection: cache, prefix: laravel-cache-}}]
queues: [{application: shop, connection: queues, queue_names: [default]}]
`)
	b.scrape(t) // somebody looks at /metrics once
	cache.Stop()
	later = time.Hour
	for range 3 {
		b.scrape(t, "queues").absent(t, "redis_queue_paused")
	}
}
