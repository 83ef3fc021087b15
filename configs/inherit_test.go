package configs

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustLoad(t *testing.T, path string) *Config {
	t.Helper()
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := Parse("test.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func connection(t *testing.T, cfg *Config, name string) *Connection {
	t.Helper()
	c, ok := cfg.Connection(name)
	if !ok {
		t.Fatalf("there is no connection %s", name)
	}
	return c
}

// TestInheritance follows one file from built-in defaults over its own
// defaults to the entries.
func TestInheritance(t *testing.T) {
	cfg := mustLoad(t, "testdata/everything.good.yml")

	eu, us := connection(t, cfg, "shop-eu"), connection(t, cfg, "shop-us")
	if eu.Region != "eu-west-1" || us.Region != "us-east-1" || us.Options.PoolSize != 4 || us.Address != eu.Address {
		t.Errorf("merge key: %+v, %+v", eu, us)
	}
	if eu.Environment != "production" || eu.ProbeTimeout.Std() != 1500*time.Millisecond || eu.Options.DialTimeout != 5*second {
		t.Errorf("global and built-in defaults: %+v", eu)
	}
	if eu.TLS.ServerName != "redis.example" || eu.TLS.MinVersion != "TLS12" || eu.Password.Reveal() != "from-the-defaults" {
		t.Errorf("defaults: %+v, %+v", eu, eu.TLS)
	}
	if eu.TLS == us.TLS || reflect.ValueOf(eu.Labels).Pointer() == reflect.ValueOf(us.Labels).Pointer() {
		t.Error("two connections share what they inherit")
	}

	plain := connection(t, cfg, "plain")
	if plain.TLS != nil || !plain.Password.IsZero() {
		t.Errorf("null does not take back what the defaults say: %+v", plain)
	}
	if diff := cmp.Diff(map[string]string{"tier": "gold", "color": "blue"}, plain.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if socket := connection(t, cfg, "socket"); socket.Password.Reveal() == "from-the-defaults" || socket.Password.IsZero() {
		t.Error("password_env does not replace the inherited password")
	}
	if c := connection(t, cfg, "cluster"); c.Probed() || c.Mode() != "cluster" || c.DisplayAddress() != "cluster:c1:7000,[2001:db8::1]:7001" {
		t.Errorf("cluster: %s %s", c.Mode(), c.DisplayAddress())
	}
	if c := connection(t, cfg, "sentinels"); c.DisplayAddress() != "sentinel:mymaster@s1:26379,s2:26379" || c.Mode() != "sentinel" {
		t.Errorf("sentinel: %s %s", c.Mode(), c.DisplayAddress())
	}
	if c := connection(t, cfg, "gone"); c.Probed() || c.Mode() != "standalone" {
		t.Errorf("deleted: %+v", c)
	}
}

func TestQueueDefaults(t *testing.T) {
	cfg := mustLoad(t, "testdata/everything.good.yml")
	q := cfg.Queues[0]
	if q.Name != "shop-shop-eu" || *q.KeyPrefix != "laravel_database_" || q.MaxTime.Std() != 7*24*time.Hour || q.Memory.MiB() != 128 {
		t.Errorf("queue: %+v", q)
	}
	w := q.Worker
	if w.User != "www-data" || w.StopTimeout != 70*second || w.Preset != "laravel" || *w.PauseSignal != "" || w.ContinueSignal != nil {
		t.Errorf("worker: %+v", w)
	}
	if w.RestartOn[0] != "testdata/current" {
		t.Errorf("paths are not relative to the file: %v", w.RestartOn)
	}
	if !cfg.QueueWatched(&cfg.Queues[0]) || cfg.QueueWatched(&cfg.Queues[1]) || cfg.QueueWatched(&cfg.Queues[2]) {
		t.Error("which queues are watched")
	}
	if q := cfg.Queues[1]; q.KeyPrefix != nil || q.Worker != nil {
		t.Errorf("null does not take back what the defaults say: %+v", q)
	}
	app, ok := cfg.Application("shop")
	if !ok || app.Name != "shop" || !app.Connections[0].Active || app.Connections[1].Active {
		t.Errorf("application: %+v", app)
	}
	want := map[string]any{
		"owner": "ann", "since": "2019-04-01", "tags": []any{"a", 1, 2.5, true},
		"nested": map[string]any{"deep": []any{"x"}},
	}
	if diff := cmp.Diff(want, app.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// TestWarnings wants the suspicious and only that.
func TestWarnings(t *testing.T) {
	cfg := mustParse(t, `
connections:
  - name: a
    address: localhost:6379
    probe_timeout: 10s
    credentials_expire_at: 2020-01-01
    tls: {insecure_skip_verify: true, min_version: TLS10}
  - {name: b, address: "localhost:6380"}
applications: [{slug: shop, connections: [{connection: a}]}]
queues: [{application: shop, connection: b, queue_names: [default], worker: {stop_timeout: 5s}}]
`)
	var got []string
	for _, w := range cfg.Warnings() {
		got = append(got, w.Position.Path)
	}
	want := []string{
		"connections[0].tls.min_version", "connections[0].tls.insecure_skip_verify", "connections[0].probe_timeout",
		"connections[0].credentials_expire_at", "queues[0].worker.stop_timeout", "queues[0].connection",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if text := cfg.Warnings()[0].String(); !strings.HasPrefix(text, "test.yml:7: connections[0].tls.min_version: ") {
		t.Errorf("a warning reads %q", text)
	}
}
