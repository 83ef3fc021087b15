package configs

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exported writes a configuration the way `config export` does.
func exported(t *testing.T, cfg *Config, o ExportOptions) string {
	t.Helper()
	e, _, err := cfg.Export(o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := e.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// imported merges a text into a new file and loads what it has become.
func imported(t *testing.T, path, text string) *Config {
	t.Helper()
	d, err := OpenDocument(path)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := d.Merge([]byte(text), MergeOptions{Source: "export.yml"})
	if err != nil {
		t.Fatalf("%v\n%v\n%s", err, changes, text)
	}
	cfg, err := Parse(path, []byte(d.Text(path)))
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Text(path))
	}
	return cfg
}

// sameInForce compares what two configurations mean.
func sameInForce(t *testing.T, want, got *Config) {
	t.Helper()
	opts := cmp.Options{cmp.Comparer(func(a, b Secret) bool { return a == b }), cmp.Comparer(func(a, b Time) bool { return a.Equal(b.Time) }), cmp.FilterValues(func(a, b any) bool {
		av, bv := reflect.ValueOf(a), reflect.ValueOf(b)
		return av.IsValid() && bv.IsValid() && (av.Kind() == reflect.Slice || av.Kind() == reflect.Map) && av.Kind() == bv.Kind() && av.Len() == 0 && bv.Len() == 0
	}, cmp.Comparer(func(any, any) bool { return true }))}
	for _, pair := range [][2]any{{want.Global, got.Global}, {want.Access, got.Access}, {want.Connections, got.Connections}, {want.Applications, got.Applications}, {want.Queues, got.Queues}} {
		if diff := cmp.Diff(pair[0], pair[1], opts); diff != "" {
			t.Errorf("(-exported +imported):\n%s", diff)
		}
	}
	if list := Diff(want, got); len(list) > 0 {
		t.Errorf("Diff finds %v", list)
	}
}

// TestExportImport holds that an export, imported into an empty file, means
// what was exported: every example and 200 random configurations.
func TestExportImport(t *testing.T) {
	for _, file := range []string{"examples/minimal.yml", "examples/laravel.yml", "examples/reference.yml", "testdata/everything.good.yml"} {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := LoadOffline(file)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		e, _, err := cfg.Export(ExportOptions{Directory: dir})
		if err != nil {
			t.Fatal(err)
		}
		e.PlainSecrets = true // what is only there in clear would be left out
		text, err := e.YAML()
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			d, err := OpenDocument(filepath.Join(dir, "new.yml"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Merge(text, MergeOptions{}); err != nil {
				t.Fatal(err)
			}
			got, err := Parse(d.Path(), []byte(d.Text(d.Path())))
			if err != nil {
				t.Fatal(err)
			}
			sameInForce(t, cfg, got)
		})
	}
	for seed := range uint64(200) {
		r := randomConfig{rand.New(rand.NewPCG(seed, 11))}
		path := filepath.Join(t.TempDir(), "new.yml")
		source := r.text()
		cfg, err := Parse(path, []byte(source))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, source)
		}
		text := exported(t, cfg, ExportOptions{})
		sameInForce(t, cfg, imported(t, path, text))
		if t.Failed() {
			t.Fatalf("seed %d\n%s\n---\n%s", seed, source, text)
		}
	}
}

// TestExportIntoOthers imports random configurations into files that have
// defaults of their own, where leaving a key out means something else.
func TestExportIntoOthers(t *testing.T) {
	for seed := range uint64(50) {
		r := randomConfig{rand.New(rand.NewPCG(seed, 12))}
		tr := newTree(t, map[string]string{"main.yml": "# Ours.\nglobal: {environment: staging, probe_timeout: 7s}\n" + r.defaults()})
		cfg, err := Parse(tr.path("main.yml"), []byte(r.text()))
		if err != nil {
			t.Fatal(err)
		}
		e, _, err := cfg.Export(ExportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		e.Global, e.Access = nil, nil
		text, err := e.YAML()
		if err != nil {
			t.Fatal(err)
		}
		got := imported(t, tr.path("main.yml"), string(text))
		for i := range cfg.Connections {
			// An environment that nobody gives cannot be told from that of the file.
			if cfg.Connections[i].Environment == "" {
				cfg.Connections[i].Environment = "staging"
			}
		}
		cfg.Global, cfg.Access = got.Global, got.Access
		sameInForce(t, cfg, got)
		if t.Failed() {
			t.Fatalf("seed %d\n%s", seed, text)
		}
	}
}

// randomConfig writes configurations with any keys that go together.
type randomConfig struct{ rand *rand.Rand }

func (r randomConfig) one(of ...string) string { return of[r.rand.IntN(len(of))] }

// some returns each of the lines with even chances.
func (r randomConfig) some(indent string, lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		if r.rand.IntN(2) == 0 {
			b.WriteString(indent + l + "\n")
		}
	}
	return b.String()
}

func (r randomConfig) text() string {
	var b strings.Builder
	b.WriteString(r.some("", "global: {environment: "+r.one("production", "test")+", probe_timeout: "+r.one("2s", "500ms")+"}",
		"access: {users: [{user: alice, role: operator, applications: [a*]}, {user: "+r.one("bob", `"x: y"`)+", role: admin}]}"))
	if r.rand.IntN(2) == 0 {
		b.WriteString(r.defaults())
	}
	b.WriteString("connections:\n")
	n := 1 + r.rand.IntN(3)
	for i := range n {
		fmt.Fprintf(&b, "  - name: c%d\n", i)
		b.WriteString(r.one(
			"    address: \"[::1]:6379\"\n", "    address: h:1\n", "    address: unix:///run/a b.sock\n",
			"    sentinel: {master: \"m: 1\", addresses: [\"s:1\", \"t:2\"], username: u, password_env: S}\n", "    cluster: {addresses: [\"c:1\"]}\n"))
		b.WriteString(r.one("", "", "    password_file: secrets/p\n", "    password_env: P\n", "    password_file: null\n"))
		b.WriteString(r.one("", "    tls: {}\n", "    tls: null\n", "    tls: {ca_file: ca.pem, min_version: TLS13}\n", "    tls: {insecure_skip_verify: true, server_name: s}\n"))
		b.WriteString(r.some("    ", "username: "+r.one("u", `"0123"`, `"yes"`, `"a: b # c"`), "options: {pool_size: 9, dial_timeout: 1500ms, key_prefix: "+r.one(`""`, `"x:"`)+"}",
			"active: "+r.one("true", "false"), "environment: e", `notes: "`+r.one(`a\nb\n`, `  lead`, `tab\tx`, `#`, `- x`, `\u00e9\u2028`, `a\n\n`, `'`, `\\`, `~`, `null`, `1e3`, `2027-01-31`)+`"`,
			"credentials_expire_at: 2027-01-31T12:30:00Z", "deleted_at: 2020-01-01", "labels: {tier: null, rack: "+r.one("r", `"1"`, `"{x}"`)+", zone: z}", "region: "+r.one("r", `""`, "null"), "probe_timeout: 250ms"))
	}
	b.WriteString("applications:\n")
	for i := range 2 {
		fmt.Fprintf(&b, "  - slug: a%d\n", i)
		b.WriteString(r.some("    ", "name: "+r.one("A", `"12"`), `color: "#3B82F6"`, "active: false", "team: "+r.one("t", "null"), "metadata: {a: [1, 2.5, true, x, {b: c}], d: {e: "+r.one("0.1", "1e21", "-3", `"1"`, "0x1F", "2020-01-01")+"}}",
			"connections: [{connection: c0, primary: "+r.one("true", "false")+", priority: 3, active: "+r.one("true", "false")+"}]", "cache: {connection: c0, prefix: "+r.one("p", `"p:"`)+"}", "deleted_at: 2021-02-03T04:05:06.789Z"))
	}
	b.WriteString("queues:\n")
	for i := range 2 {
		fmt.Fprintf(&b, "  - application: a%d\n    connection: c%d\n    queue_names: [%s]\n", i, r.rand.IntN(n), r.one("default", `tenant-*, "1"`, `"{a}", "-"`))
		b.WriteString(r.some("    ", "name: q"+fmt.Sprint(i), "key_prefix: "+r.one(`""`, "null", "x_"), "max_wait: "+r.one("1m", "90s", "7d"), "objective: "+r.one("0.5", "0.999"),
			"min_processes: 0", "max_processes: "+r.one("1", "12"), "hosts: "+r.one(`["*"]`, "[a, b*]"), "tries: 0", "memory: "+r.one("1GiB", "64MiB"), "max_jobs: 0", "backoff: 5s", "balance_cooldown: 0s", "queue_ttl: 1h"))
		b.WriteString(r.worker())
	}
	return b.String()
}

func (r randomConfig) worker() string {
	if r.rand.IntN(3) == 0 {
		return r.one("", "    worker: null\n")
	}
	return "    worker:\n      preset: " + r.one("laravel", "exec\n      command: [run, \"a b\", \"\"]", "horizon", "frankenphp") + "\n      user: www-data\n" +
		r.some("      ", "directory: "+r.one("/srv", "rel"), `umask: "0027"`, "rlimits: {nofile: 4096}", "memory_max: 2GiB", "environment: {APP_ENV: null, X: "+r.one("y", `"1"`, `"a\nb"`)+"}",
			"environment_file: e.env", "stop_timeout: 5m", "stop_signal: SIGINT", "pause_signal: "+r.one(`""`, "null", "SIGUSR1"), "restart_on: [/srv/current]", "environment_names: {host: H, port: \"\"}", "queue_connection: other", "group: www-data")
}

func (r randomConfig) defaults() string {
	return "defaults:\n  connection:\n    labels: {tier: gold}\n" + r.some("    ", "password_file: /run/d", "tls: {min_version: TLS11}", "region: dr", "options: {pool_size: 4}", "active: false") +
		"  application:\n    active: true\n" + r.some("    ", "team: dt", "metadata: {a: 1, z: 2}") +
		"  queue:\n    max_wait: 45s\n" + r.some("    ", "key_prefix: d_", "hosts: [h]", "max_processes: 20", "worker: {directory: /d, user: www-data, environment: {APP_ENV: p}, stop_timeout: 90s}", "tries: 9")
}
