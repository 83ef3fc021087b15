package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// operations is docs/operations.md.
func operations(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryFlagIsDocumented(t *testing.T) {
	_, help := runOnce(t, "--help")
	text := operations(t)
	flags := regexp.MustCompile(`--(?:\[no-\])?([a-z]+(?:[.-][a-z-]+)+)`).FindAllStringSubmatch(help, -1)
	if len(flags) < 15 {
		t.Fatalf("only %d flags in\n%s", len(flags), help)
	}
	for _, flag := range flags {
		if !slices.Contains([]string{"help-long", "help-man"}, flag[1]) && !strings.Contains(text, "`--"+flag[1]+"`") {
			t.Errorf("docs/operations.md has no line for --%s", flag[1])
		}
	}
}

func TestDocumentedScrapeConfigsAreValid(t *testing.T) {
	redistest.Need(t, "promtool")
	blocks := regexp.MustCompile("(?s)```yaml\n(scrape_configs:.*?)```").FindAllStringSubmatch(operations(t), -1)
	if len(blocks) != 3 {
		t.Fatalf("%d scrape configurations, want 3", len(blocks))
	}
	for i, block := range blocks {
		file := write(t, filepath.Join(t.TempDir(), "prometheus.yml"), block[1])
		if out, err := exec.CommandContext(t.Context(), "promtool", "check", "config", file).CombinedOutput(); err != nil {
			t.Errorf("scrape configuration %d: %v\n%s", i, err, out)
		}
	}
}

// documentedUser is the Redis user that the documentation tells people to make.
func documentedUser(t *testing.T) string {
	t.Helper()
	rule := regexp.MustCompile(`(?m)^user (queuefleet on >PASSWORD .*)$`).FindStringSubmatch(operations(t))
	if rule == nil {
		t.Fatal("docs/operations.md has no ACL rule")
	}
	return rule[1]
}

var refusals = regexp.MustCompile(`(?m)^(redis_queue_read_success|queuefleet_exporter_collector_success)\{.*\} 0$`)

// refusedNothing checks that everything could be read as that user.
func refusedNothing(t *testing.T, page string, servers ...*redistest.Server) {
	t.Helper()
	for _, line := range refusals.FindAllString(page, -1) {
		t.Error(line)
	}
	for _, server := range servers {
		if denied, err := server.Client().Do(t.Context(), "ACL", "LOG").Slice(); err != nil || len(denied) > 0 {
			t.Errorf("the server denied something: %v %v", denied, err)
		}
	}
}

func TestDocumentedUserSuffices(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{Users: []string{documentedUser(t)}})
	fill(t, redis)
	config := write(t, filepath.Join(t.TempDir(), "queuefleet.yml"), fmt.Sprintf(`
connections:
  - {name: main, address: %q, username: queuefleet, password: PASSWORD, database: 1}
applications:
  - slug: shop
    connections: [{connection: main, primary: true}]
    cache: {connection: main, prefix: laravel_cache}
    horizon: {connection: main, prefix: "laravel_horizon:"}
queues:
  - {application: shop, connection: main, queue_names: [default, "tenant-*"]}
`, redis.Addr))
	p := startProcess(t, processOptions{config: config, flags: []string{
		"--collector.commandstats", "--collector.latency", "--discovery.interval=50ms",
	}})
	redistest.WaitFor(t, "a queue found by pattern", func() bool {
		return strings.Contains(p.get("/metrics"), `queue="tenant-1"`)
	})
	page := p.get("/metrics")
	for _, want := range []string{`redis_up{connection="main"} 1`, `redis_slowlog_length{`, `redis_queue_oldest_job_age_seconds{`, `redis_horizon_`} {
		if !strings.Contains(page, "\n"+want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	refusedNothing(t, page, redis)
}

func TestDocumentedUserSufficesInACluster(t *testing.T) {
	cluster := redistest.StartCluster(t, redistest.Options{Users: []string{documentedUser(t)}})
	config := write(t, filepath.Join(t.TempDir(), "queuefleet.yml"), fmt.Sprintf(`
connections:
  - {name: main, cluster: {addresses: [%q]}, username: queuefleet, password: PASSWORD}
applications: [{slug: shop, connections: [{connection: main}]}]
queues: [{application: shop, connection: main, queue_names: [default]}]
`, cluster.Addrs()[0]))
	p := startProcess(t, processOptions{config: config})
	page := p.get("/metrics")
	for _, want := range []string{`redis_up{connection="main"} 1`, `redis_cluster_`, `redis_queue_jobs{`} {
		if !strings.Contains(page, "\n"+want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	refusedNothing(t, page, cluster.Nodes...)
}

// fill makes the keys that all parts of the exporter look at.
func fill(t *testing.T, redis *redistest.Server) {
	t.Helper()
	pipe := redis.Client().Pipeline()
	pipe.Do(t.Context(), "SELECT", 1)
	job := `{"uuid":"a","displayName":"Job","createdAt":1700000000,"pushedAt":"1700000000.5"}`
	for _, queue := range []string{"default", "tenant-1"} {
		pipe.RPush(t.Context(), "laravel_database_queues:"+queue, job)
		pipe.Do(t.Context(), "ZADD", "laravel_database_queues:"+queue+":delayed", 1700000000, job)
		pipe.Do(t.Context(), "ZADD", "laravel_database_queues:"+queue+":reserved", 1700000000, job)
	}
	pipe.HSet(t.Context(), "laravel_horizon:master:m", "name", "m", "status", "running", "supervisors", `["m:s"]`)
	pipe.Do(t.Context(), "ZADD", "laravel_horizon:masters", 4000000000, "m")
	pipe.HSet(t.Context(), "laravel_horizon:supervisor:m:s", "name", "m:s", "master", "m", "status", "running", "processes", `{"redis:default":3}`)
	pipe.Do(t.Context(), "ZADD", "laravel_horizon:supervisors", 4000000000, "m:s")
	pipe.SAdd(t.Context(), "laravel_horizon:measured_queues", "queue:default")
	pipe.Do(t.Context(), "ZADD", "laravel_horizon:snapshot:queue:default", 1700000000, `{"throughput":3,"runtime":12.5,"wait":1,"time":1700000000}`)
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}
