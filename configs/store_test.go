package configs

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestStoreStory follows one Store from its first load over mistakes to a
// rotated secret.
func TestStoreStory(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": "connections: [{name: a, address: \"a:1\", password_file: pw}]", "pw": "one-secret"})
	var log bytes.Buffer
	var steps []string
	reg := prometheus.NewRegistry()
	var s *Store
	s = NewStore(Options{
		Path: tr.path("main.yml"), Namespace: "test", Registerer: reg, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Redact: func(secrets []string) { steps = append(steps, "redact "+strings.Join(secrets, " ")) },
	}, func(cfg *Config) {
		steps = append(steps, "first "+cfg.Connections[0].Password.Reveal())
	}, func(cfg *Config) {
		steps = append(steps, fmt.Sprint("second, before it is current: ", s.Current() != cfg))
	})
	if s.Current() != nil {
		t.Error("there is a configuration before the first Reload")
	}
	reload(t, s)
	tr.write("pw", "two-secret")
	before := reload(t, s)
	tr.write("main.yml", "connections: [{}]")
	if err := s.Reload(); err == nil || s.Current() != before {
		t.Errorf("a wrong file: %v", err)
	}
	if got := metric(t, reg, "test_config_last_reload_successful"); got != 0 {
		t.Errorf("successful is %v after a failure", got)
	}
	want := []string{
		"redact one-secret", "first one-secret", "second, before it is current: true",
		"redact two-secret one-secret", "first two-secret", "second, before it is current: true",
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if log.Len() != 0 {
		t.Errorf("Reload logs what it returns: %s", &log)
	}
}

func metric(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func TestStoreMetrics(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": includeAll + conn("main"), "conf.d/a.yml": conn("a"), "conf.d/b.yml": conn("b")})
	var log bytes.Buffer
	reg := prometheus.NewPedanticRegistry()
	s := NewStore(Options{Path: tr.path("main.yml"), Namespace: "test", Registerer: reg, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	fragments := func(states map[string]int) string {
		text := "# HELP test_config_fragment_last_reload_successful Whether an included file is in force as it is. If not, its last good version is, if there is one.\n" +
			"# TYPE test_config_fragment_last_reload_successful gauge\n"
		for name, state := range states {
			text += fmt.Sprintf("test_config_fragment_last_reload_successful{file=%q} %d\n", tr.path(name), state)
		}
		return text
	}
	check := func(states map[string]int) {
		t.Helper()
		if err := testutil.GatherAndCompare(reg, strings.NewReader(fragments(states)), "test_config_fragment_last_reload_successful"); err != nil {
			t.Error(err)
		}
	}
	reload(t, s)
	check(map[string]int{"conf.d/a.yml": 1, "conf.d/b.yml": 1})
	hash := metric(t, reg, "test_config_hash")
	if hash <= 0 || hash != hashNumber(s.Current().Hash()) || hash >= 1<<48 {
		t.Errorf("hash %v", hash)
	}
	if got := metric(t, reg, "test_config_last_reload_success_timestamp_seconds"); got < 1.7e9 {
		t.Errorf("timestamp %v", got)
	}
	tr.write("conf.d/a.yml", "oops")
	tr.remove("conf.d/b.yml")
	reload(t, s)
	check(map[string]int{"conf.d/a.yml": 0})
	if got := metric(t, reg, "test_config_last_reload_successful"); got != 1 {
		t.Errorf("successful is %v with a broken fragment", got)
	}
	if metric(t, reg, "test_config_hash") == hash {
		t.Error("the hash does not change")
	}
	if out := log.String(); strings.Count(out, "\n") != 1 || !strings.Contains(out, "fragment is broken") || !strings.Contains(out, "a.yml:1: ") {
		t.Errorf("log: %s", out)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

// TestStoreConcurrency has writers and readers at the same time; the race
// detector looks on.
func TestStoreConcurrency(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": includeAll + conn("main"), "conf.d/a.yml": conn("a")})
	applied := 0 // by the appliers, which the Store serialises
	s := tr.store(func(*Config) { applied++ })
	reload(t, s)
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if cfg := s.Current(); len(cfg.Connections) != 2 || cfg.Hash() == "" {
					t.Error("a half configuration")
				}
				if _, err := s.Current().MaskedYAML(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 {
		writers.Go(func() {
			for range 10 {
				if err := s.Reload(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if applied != 41 {
		t.Errorf("%d configurations applied", applied)
	}
}

func TestHashSeesEveryKey(t *testing.T) {
	base := "connections: [{name: a, address: \"a:1\"}]\napplications: [{slug: s, metadata: {x: 1}}]\n"
	seen := map[string]string{}
	for _, text := range []string{
		base, "global: {environment: x}\n" + base, strings.Replace(base, "a:1", "a:2", 1), strings.Replace(base, "{x: 1}", "{x: 2}", 1),
		strings.Replace(base, "{x: 1}", "{x: \"1\"}", 1), strings.Replace(base, "}]", ", labels: {a: b}}]", 1), strings.Replace(base, "}]", ", labels: {ab: \"\"}}]", 1),
		base + "queues: [{application: s, connection: a, queue_names: [x]}]", base + "queues: [{application: s, connection: a, queue_names: [x], key_prefix: \"\"}]",
		base + "access: {users: [{user: u, role: viewer}]}", base + "access: {users: [{user: u, role: admin}]}",
	} {
		hash := mustParse(t, text).Hash()
		if other, twice := seen[hash]; twice {
			t.Errorf("one hash for\n%s\nand\n%s", text, other)
		}
		seen[hash] = text
		if mustParse(t, text).Hash() != hash {
			t.Errorf("the hash changes by itself: %s", text)
		}
	}
}

// TestSizes: too large a file is refused before it is read, and what unfolds
// is refused before it has unfolded.
func TestSizes(t *testing.T) {
	tr := newTree(t, nil)
	f, err := os.Create(tr.path("main.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(50 << 20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	grown := allocated(func() { _, err = Load(tr.path("main.yml")) })
	if err == nil || !strings.Contains(err.Error(), "is larger than 32 MiB") || grown > 1<<20 {
		t.Errorf("50 MB: %v, %d bytes allocated", err, grown)
	}
	texts := map[string]string{
		"commas":    "connections: [" + strings.Repeat(",", 3<<20),
		"lines":     strings.Repeat("\n", 3<<20),
		"brackets":  "a: " + strings.Repeat("[", 3<<20),
		"indents":   strings.Repeat("- ", 1<<20),
		"questions": strings.Repeat("? ", 1<<20),
		"comments":  strings.Repeat("# c\n", 1<<19) + "a: 1\n",
		"anchors":   "a: [" + strings.Repeat("&a x,", 1<<16) + "]",
		"entries":   "connections: [" + strings.Repeat("{},", maxEntries+1) + "]",
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			var err error
			grown := allocated(func() { _, err = Parse("x.yml", []byte(text)) })
			if err == nil || grown > 400<<20 {
				t.Errorf("%d MiB allocated, %v", grown>>20, err)
			}
			if len(err.Error()) > 1<<20 {
				t.Errorf("the error is %d bytes long", len(err.Error()))
			}
		})
	}
}

// allocated counts the bytes that f allocates, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestFragmentNameThatIsNotUTF8(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": "include: [{path: 'conf.d/*.yml'}]", "conf.d/a\xff.yml": "connections: [{name: a, address: \"a:1\"}]"})
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("Reload panics: %v", p)
		}
	}()
	if err := tr.store().Reload(); err != nil {
		t.Error(err)
	}
}
