package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/internal/demo"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// freeAddress is one that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// answers reports whether url answers 200 and, where into is given, fills it.
func answers(url string, into any) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK && (into == nil || json.NewDecoder(response.Body).Decode(into) == nil)
}

func await(t *testing.T, what string, hope func() bool) {
	t.Helper()
	const patience, pause = 60 * time.Second, 50 * time.Millisecond
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(pause) {
		if hope() {
			return
		}
	}
	t.Fatalf("in vain waited for %s", what)
}

// The stack loads the mixin's rules, hands alerts to Alertmanager, which tells
// the team that they belong to, and leaves nothing.
func TestStack(t *testing.T) {
	redistest.Need(t, "prometheus")
	redistest.Need(t, "prometheus-alertmanager")
	lines := make(chan string, 100)
	o := demo.StackOptions{
		Dir: t.TempDir(), Prometheus: freeAddress(t), Alertmanager: freeAddress(t), Exporter: freeAddress(t), Supervisor: freeAddress(t),
		Messages: func(line string) { lines <- line },
	}
	stack, err := demo.NewStack(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- stack.Run(ctx) }()

	var rules struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name string }
			}
		}
	}
	await(t, "the rules", func() bool {
		return answers("http://"+o.Prometheus+"/api/v1/rules", &rules) && len(rules.Data.Groups) > 10
	})
	var targets struct {
		Data struct{ ActiveTargets []struct{ ScrapePool string } }
	}
	await(t, "four targets", func() bool {
		return answers("http://"+o.Prometheus+"/api/v1/targets", &targets) && len(targets.Data.ActiveTargets) == 4
	})
	await(t, "Alertmanager", func() bool { return answers("http://"+o.Alertmanager+"/-/ready", nil) })

	body := []byte(`[{"labels": {"alertname": "RedisMemoryFull", "severity": "critical", "environment": "demo", "team": "crm", "connection": "us"}}]`)
	response, err := http.Post("http://"+o.Alertmanager+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	select {
	case line := <-lines:
		if want := "to crm: FIRING RedisMemoryFull severity=critical connection=us"; line != want {
			t.Errorf("told %q, want %q", line, want)
		}
	case <-time.After(time.Minute):
		t.Error("nobody was told")
	}

	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if answers("http://"+o.Prometheus+"/-/ready", nil) || answers("http://"+o.Alertmanager+"/-/ready", nil) {
		t.Error("something still runs")
	}
}

// A program that cannot run says why.
func TestStackTellsLastWords(t *testing.T) {
	redistest.Need(t, "prometheus")
	redistest.Need(t, "prometheus-alertmanager")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	stack, err := demo.NewStack(t.Context(), demo.StackOptions{
		Dir: t.TempDir(), Prometheus: taken.Addr().String(), Alertmanager: freeAddress(t), Exporter: freeAddress(t), Messages: func(string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
}

func TestStackNeedsItsPrograms(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := demo.NewStack(t.Context(), demo.StackOptions{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "prometheus is not on PATH") {
		t.Error(err)
	}
}

// The configuration of Prometheus is what promtool takes.
func TestStackConfiguration(t *testing.T) {
	redistest.Need(t, "promtool")
	redistest.Need(t, "prometheus")
	redistest.Need(t, "prometheus-alertmanager")
	dir := t.TempDir()
	if _, err := demo.NewStack(t.Context(), demo.StackOptions{Dir: dir, Prometheus: "a:1", Alertmanager: "b:2", Exporter: "c:3"}); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "promtool", "check", "config", dir+"/prometheus.yml").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if text, err := os.ReadFile(dir + "/prometheus.yml"); err != nil || strings.Contains(string(text), "supervisor") {
		t.Errorf("%v: a supervisor that is not there is scraped:\n%s", err, text)
	}
}
