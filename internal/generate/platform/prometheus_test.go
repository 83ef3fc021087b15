package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/app"
	"github.com/queuefleet/queuefleet/internal/logging"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// write writes the configuration that p makes and returns the file.
func write(t *testing.T, p Prometheus, cfg *configs.Config) string {
	t.Helper()
	f, err := p.Configuration(cfg)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := Write(t.TempDir(), []File{f}, false)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes[0].Path
}

// TestPrometheusTakesEveryForm lets promtool judge what is generated, awkward
// names among it.
func TestPrometheusTakesEveryForm(t *testing.T) {
	redistest.Need(t, "promtool")
	for _, client := range []HTTPClient{{Scheme: "http"}, {Scheme: "https", CAFile: `C:\ca "x".pem`, Username: "é\t'", PasswordFile: "/p # w"}} {
		for _, form := range []string{FormAggregated, FormSharded} {
			p := Prometheus{Form: form, Exporters: []string{"a:1"}, Supervisors: []string{"s:1", "[::1]:2"}, Interval: 5 * time.Second, Shards: 1, Client: client}
			if form == FormSharded {
				p.Exporters, p.Shards, p.Shard = []string{"a:1", "b:2", "c:3"}, 3, 2
			}
			if client.CAFile != "" {
				p.RuleFiles, p.Alertmanagers = []string{"rules/*.yaml"}, []string{"am:9093"}
			}
			file := write(t, p, parse(t, fleet))
			out, err := exec.Command("promtool", "check", "config", "--syntax-only", file).CombinedOutput()
			if err != nil {
				text, _ := os.ReadFile(file)
				t.Errorf("%s: %v\n%s\n%s", form, err, out, text)
			}
		}
	}
}

func TestScrapeTimeoutLeavesRoomForTheSlowest(t *testing.T) {
	p := Prometheus{Form: FormAggregated, Exporters: []string{"a:1"}, Interval: 5 * time.Second, Shards: 1, Client: HTTPClient{Scheme: "http"}}
	f, err := p.Configuration(parse(t, fleet))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"scrape_interval: 14s", "scrape_timeout: 14s", "which is us's (12s500ms)", "honor_labels: true"} {
		if !strings.Contains(f.Text, want) {
			t.Errorf("no %q in\n%s", want, f.Text)
		}
	}
}

func TestPrometheusRefuses(t *testing.T) {
	good := Prometheus{Form: FormSharded, Exporters: []string{"a:1"}, Interval: time.Second, Shards: 1, Client: HTTPClient{Scheme: "http"}}
	for want, change := range map[string]func(*Prometheus){
		`--exporter: "http://a:1" is not host:port`: func(p *Prometheus) { p.Exporters = []string{"http://a:1"} },
		"--exporter: at least one":                  func(p *Prometheus) { p.Exporters = nil },
		"--exporter: the aggregated form takes one": func(p *Prometheus) { p.Form, p.Exporters = FormAggregated, []string{"a:1", "b:1"} },
		`--supervisor: "s:99999" has no port`:       func(p *Prometheus) { p.Supervisors = []string{"s:99999"} },
		"--shard: 3 is not one of the 3 shards":     func(p *Prometheus) { p.Shard, p.Shards = 3, 3 },
		"--shards: only the sharded form":           func(p *Prometheus) { p.Form, p.Shards = FormAggregated, 2 },
		"--username and --password-file":            func(p *Prometheus) { p.Client.Username = "u" },
	} {
		p := good
		change(&p)
		if _, err := p.Configuration(parse(t, fleet)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// startExporter starts a real exporter and returns its address.
func startExporter(t *testing.T, config string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := app.Defaults()
	o.ConfigFile, o.Redactor, o.Logger = config, &logging.Redactor{}, slog.New(slog.DiscardHandler)
	o.Web.Listeners = []net.Listener{l}
	started, done := make(chan struct{}), make(chan error, 1)
	o.Started = func() { close(started) }
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- app.Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the exporter ended with %v", err)
		}
	})
	<-started
	return l.Addr().String()
}

// startPrometheus starts a real Prometheus and returns its address.
func startPrometheus(t *testing.T, config string) string {
	t.Helper()
	addr := redistest.FreeAddr(t)
	var log bytes.Buffer
	command := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+addr)
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return addr
}

// query asks Prometheus for the series of an instant.
func query(ctx context.Context, addr, expr string) []map[string]string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/api/v1/query?query="+url.QueryEscape(expr), http.NoBody)
	if err != nil {
		return nil
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
			} `json:"result"`
		} `json:"data"`
	}
	if json.NewDecoder(response.Body).Decode(&answer) != nil {
		return nil
	}
	var list []map[string]string
	for _, r := range answer.Data.Result {
		list = append(list, r.Metric)
	}
	return list
}

// TestEachConnectionArrivesOnce scrapes real exporters with a real Prometheus
// in both forms: every connection has one redis_up, with its own labels.
func TestEachConnectionArrivesOnce(t *testing.T) {
	redistest.Need(t, "prometheus")
	server := redistest.Start(t, redistest.Options{})
	var b strings.Builder
	b.WriteString("global: {environment: production, probe_timeout: 900ms}\nconnections:\n")
	want := map[string]bool{}
	for i := range 12 {
		fmt.Fprintf(&b, "  - {name: c%d, address: '%s', region: r%d, team: t%d}\n", i, server.Addr, i%2, i%3)
		want[fmt.Sprintf("c%d production r%d t%d", i, i%2, i%3)] = true
	}
	file := filepath.Join(t.TempDir(), "queuefleet.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	exporters := []string{startExporter(t, file), startExporter(t, file)}
	cfg, err := configs.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	p := Prometheus{Interval: time.Second, Shards: 1, Client: HTTPClient{Scheme: "http"}}
	aggregated, sharded := p, p
	aggregated.Form, aggregated.Exporters = FormAggregated, exporters[:1]
	sharded.Form, sharded.Exporters = FormSharded, exporters
	half := sharded
	half.Shards = 2
	other := half
	other.Shard = 1
	for name, group := range map[string][]Prometheus{"aggregated": {aggregated}, "sharded": {sharded}, "two servers": {half, other}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // Prometheus takes its time to look around
			var servers []string
			for _, p := range group {
				servers = append(servers, startPrometheus(t, write(t, p, cfg)))
			}
			got, instances := map[string]int{}, map[string]bool{}
			redistest.WaitFor(t, "every connection", func() bool {
				clear(got)
				for _, addr := range servers {
					for _, m := range query(t.Context(), addr, "redis_up == 1") {
						got[strings.Join([]string{m["connection"], m["environment"], m["region"], m["team"]}, " ")]++
						instances[m["instance"]] = true
					}
				}
				return len(got) >= len(want)
			})
			for key, n := range got {
				if n != 1 || !want[key] {
					t.Errorf("%q arrived %d times", key, n)
				}
			}
			if name != "aggregated" && len(instances) != len(exporters) {
				t.Errorf("scraped by %v, want by both", slices.Collect(maps.Keys(instances)))
			}
			for _, addr := range servers {
				if down := query(t.Context(), addr, "up == 0"); len(down) > 0 {
					t.Errorf("down: %v", down)
				}
			}
		})
	}
}
