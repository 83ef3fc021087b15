package configs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bigFile is a configuration of n connections and n queue configurations.
func bigFile(n int) []byte {
	var b strings.Builder
	b.WriteString("global: {environment: production}\ndefaults: {queue: {max_wait: 30s}}\nconnections:\n")
	for i := range n {
		fmt.Fprintf(&b, `  - name: conn-%d
    address: redis-%d.eu:6379
    username: exporter
    password: "secret-%d"
    region: eu-west-1
    provider: aws
    team: payments
    options: {pool_size: 2, key_prefix: ""}
    labels: {tier: gold}
`, i, i, i)
	}
	b.WriteString("applications:\n  - slug: shop\nqueues:\n")
	for i := range n {
		fmt.Fprintf(&b, `  - name: q-%d
    application: shop
    connection: conn-%d
    queue_names: [high, default]
    framework: laravel
    retry_after: 90s
    min_processes: 1
    max_processes: 10
    max_wait: 45s
    objective: 0.995
`, i, i)
	}
	return []byte(b.String())
}

func benchmarkLoad(b *testing.B, n int) {
	path := filepath.Join(b.TempDir(), "main.yml")
	if err := os.WriteFile(path, bigFile(n), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		cfg, err := Load(path)
		if err != nil {
			b.Fatal(err)
		}
		if len(cfg.Connections) != n || len(cfg.Queues) != n {
			b.Fatalf("%d connections, %d queues", len(cfg.Connections), len(cfg.Queues))
		}
	}
}

func BenchmarkLoad1000(b *testing.B)  { benchmarkLoad(b, 1000) }
func BenchmarkLoad10000(b *testing.B) { benchmarkLoad(b, 10000) }

func TestMinimalExample(t *testing.T) {
	cfg, err := Load("examples/minimal.yml")
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Queues[0].Name; got != "shop-local" {
		t.Errorf("queue configuration is named %q", got)
	}
	if _, ok := cfg.Connection("local"); !ok {
		t.Error("connection local is not found")
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load("nowhere.yml")
	var e *Error
	if !errors.As(err, &e) || e.File != "nowhere.yml" {
		t.Fatalf("got %v", err)
	}
}

// TestExamples: the examples are accepted as they are in the repository, and
// nothing about them is suspicious but what every checkout has.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("examples/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range append(files, "examples/multi-tenant/main.yml") {
		cfg, err := Load(file)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, w := range cfg.Warnings() {
			if !strings.Contains(w.Text, "readable by everybody") {
				t.Errorf("%s: %v", file, w)
			}
		}
	}
}
