package collector

import (
	"io"
	"math"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// peer is a running redis_exporter.
type peer struct{ address string }

func startPeer(t *testing.T) peer {
	t.Helper()
	const binary = "prometheus-redis-exporter"
	redistest.Need(t, binary)
	p := peer{redistest.FreeAddr(t)}
	cmd := exec.Command(binary, "--redis.addr=", "--web.listen-address="+p.address, "--include-system-metrics")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if response, err := http.Get("http://" + p.address + "/health"); err == nil {
			response.Body.Close()
			return p
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("redis_exporter does not come up")
		}
	}
}

// scrape returns the series that redis_exporter has of a server, and the type of
// each metric.
func (p peer) scrape(t *testing.T, server *redistest.Server) (series map[string]float64, types map[string]string) {
	t.Helper()
	response, err := http.Get("http://" + p.address + "/scrape?target=" + url.QueryEscape("redis://"+server.Addr))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(page), "\n")
	types = map[string]string{}
	for _, line := range lines {
		if words := strings.Fields(line); len(words) == 4 && words[1] == "TYPE" {
			types[words[2]] = words[3]
		}
	}
	return seriesByName(t, lines), types
}

func seriesByName(t *testing.T, lines []string) map[string]float64 {
	t.Helper()
	series := map[string]float64{}
	for _, line := range lines {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		series[line[:at]] = value
	}
	return series
}

// own returns what we have of a server under names of redis_exporter.
func own(t *testing.T, server *redistest.Server) map[string]float64 {
	t.Helper()
	client := server.Client()
	text, err := client.Info(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	lines := seriesOf(func() *block { b := infoBlock(text); b.labels = ""; return b }())
	for _, s := range []*section{&slowlogSection, &commandstatsSection, &latencySection} {
		series, err := ask(t, client, s)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, series...)
	}
	return seriesByName(t, lines)
}

// newer are names that later releases have than the one in Debian.
var newer = map[string]bool{"redis_evicted_clients_total": true}

// Dashboards made for redis_exporter go on working only if a shared name means
// the same. Both are asked about the same server, we before and after it, and
// what the catalogue does not call different has to be the same.
func TestAgainstRedisExporter(t *testing.T) {
	p := startPeer(t)
	master := redistest.Start(t, redistest.Options{Lines: []string{
		"slowlog-log-slower-than 0", "latency-monitor-threshold 1", "maxmemory 200mb", "appendonly yes", "repl-diskless-sync-delay 0",
	}})
	replica := redistest.Start(t, redistest.Options{Lines: []string{"replicaof 127.0.0.1 " + strconv.Itoa(master.Port)}})
	fill(t, master, replica)
	entries := catalogue(t)
	for name, server := range map[string]*redistest.Server{"master": master, "replica": replica} {
		before := own(t, server)
		theirs, types := p.scrape(t, server)
		after := own(t, server)
		if theirs["redis_up"] != 1 {
			t.Fatalf("redis_exporter does not reach the %s", name)
		}
		compared := 0
		for series, low := range before {
			metric, _, _ := strings.Cut(series, "{")
			entry := entries[metric]
			high, stays := after[series]
			if entry.Differs != "" || newer[metric] || !stays {
				continue
			}
			if !entry.Shared {
				t.Errorf("%s is not marked as shared", metric)
			}
			compared++
			value, ok := theirs[series]
			switch {
			case !ok:
				t.Errorf("%s: redis_exporter has no %s", name, series)
			case types[metric] != entry.Type:
				t.Errorf("%s is a %s, in redis_exporter a %s", metric, entry.Type, types[metric])
			case !agree(entry, low, value, high):
				t.Errorf("%s: %s is %v in redis_exporter; here %v before and %v after", name, series, value, low, high)
			}
		}
		if compared < 60 {
			t.Errorf("%s: only %d series compared", name, compared)
		}
	}
}

// restless are the gauges that a scrape itself moves.
func restless(metric string) bool {
	return metric == "redis_connected_clients" || strings.HasPrefix(metric, "redis_mem_") ||
		strings.HasPrefix(metric, "redis_memory_used") || strings.HasPrefix(metric, "redis_client_recent_max")
}

// agree reports whether a value fits what we saw before and after. Counters lie
// in between; gauges are equal, or where they move, of the same size.
func agree(entry catalogueEntry, low, value, high float64) bool {
	switch {
	case entry.Type == string(counter):
		return low <= value && value <= high
	case low == high && !restless(entry.Name):
		return value == low
	default:
		slack := 2 + 3*max(math.Abs(low), math.Abs(high)) // a wrong unit is a thousand times off
		return min(low, high)-slack <= value && value <= max(low, high)+slack
	}
}

func fill(t *testing.T, master, replica *redistest.Server) {
	t.Helper()
	ctx := t.Context()
	client := master.Client()
	for range 50 {
		client.RPush(ctx, "queue", "job")
		client.Get(ctx, "missing")
	}
	client.Set(ctx, "expiring", "x", time.Hour)
	client.Set(ctx, "gone", "x", time.Millisecond)
	client.Get(ctx, "queue") // WRONGTYPE
	client.BgSave(ctx)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		text := master.Client().Info(ctx).Val()
		if strings.Contains(text, "state=online") && strings.Contains(text, "rdb_bgsave_in_progress:0") &&
			strings.Contains(replica.Client().Info(ctx).Val(), "master_link_status:up") {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the replica does not come up")
		}
	}
}
