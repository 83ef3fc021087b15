package collector

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"gopkg.in/yaml.v3"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// catalogueEntry is what the tests need of a metric in docs/metrics.yaml.
type catalogueEntry struct {
	Name     string
	Type     string
	Help     string
	Source   string
	Endpoint string
	PerNode  bool `yaml:"per_node"`
	Shared   bool
	Differs  string
	Labels   []struct {
		Name   string
		Values []string
	}
}

func catalogue(t testing.TB) map[string]catalogueEntry {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Metrics []catalogueEntry }
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&file); err != nil {
		t.Fatal(err)
	}
	entries := map[string]catalogueEntry{}
	for _, m := range file.Metrics {
		if !strings.HasPrefix(m.Name, "queuefleet_supervisor_") { // another program's
			entries[m.Name] = m
		}
	}
	return entries
}

// described compares one metric of the code with the catalogue and takes it off.
func described(t *testing.T, entries map[string]catalogueEntry, name, kind, help string) {
	t.Helper()
	m, ok := entries[name]
	switch {
	case !ok:
		t.Errorf("%s is served, but not in docs/metrics.yaml", name)
	case m.Type != kind || m.Help != help:
		t.Errorf("%s is a %s, %q; docs/metrics.yaml has %s, %q", name, kind, help, m.Type, m.Help)
	}
	delete(entries, name)
}

func TestCatalogueIsWhatIsServed(t *testing.T) {
	entries := catalogue(t)
	for i := range allFamilies {
		f := &allFamilies[i]
		if entries[f.name].Endpoint != "" {
			t.Errorf("%s is on the fleet page, not on endpoint %s", f.name, entries[f.name].Endpoint)
		}
		described(t, entries, f.name, string(f.kind), f.help)
	}
	registry := prometheus.NewRegistry()
	newMetrics(registry)
	configs.NewStore(configs.Options{Namespace: namespace, Registerer: registry})
	registry.MustRegister(version.NewCollector(namespace))
	for _, name := range ownMetrics(t, registry) {
		if entries[name[0]].Endpoint != "own" {
			t.Errorf("%s is the exporter's own", name[0])
		}
		described(t, entries, name[0], name[1], name[2])
	}
	for name := range entries {
		t.Errorf("%s is in docs/metrics.yaml, but not served", name)
	}
}

// ownMetrics returns name, type and help of what is registered. Descriptions
// have no exported fields, and metrics with labels that have no series yet are
// not gathered, so the description's own text is read.
func ownMetrics(t *testing.T, registry *prometheus.Registry) [][3]string {
	t.Helper()
	kinds := map[string]string{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		kinds[f.GetName()] = strings.ToLower(f.GetType().String())
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		registry.Describe(descriptions)
	}()
	var own [][3]string
	for d := range descriptions {
		text := d.String()
		name := between(text, `fqName: "`, `"`)
		kind, gathered := kinds[name]
		if !gathered {
			kind = "gauge"
		}
		own = append(own, [3]string{name, kind, between(text, `help: "`, `", unit: `)})
	}
	return own
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// What the catalogue names as the source of an INFO family is the field that
// the code reads, and the closed sets are the code's.
func TestCatalogueDetails(t *testing.T) {
	entries := catalogue(t)
	for _, table := range [][]infoField{infoTable[:], clusterTable[:]} {
		for i := range table {
			if m := entries[table[i].name]; !strings.HasSuffix(m.Source, ": "+table[i].field) || !m.PerNode || !m.Shared {
				t.Errorf("%s: source %q, per_node %v, shared %v; it is %s of a server, shared", m.Name, m.Source, m.PerNode, m.Shared, table[i].field)
			}
		}
	}
	collectors := []string{"info"}
	for i := range sections {
		collectors = append(collectors, sections[i].name)
	}
	collectors = append(collectors, "queues", "pauses", "horizon")
	var reasons, states []string
	for _, r := range connection.Reasons() {
		reasons = append(reasons, string(r))
	}
	for s := range queue.NumStates {
		states = append(states, s.String())
	}
	for name, want := range map[string][]string{
		"redis_probe_failures_total": reasons, "redis_queue_jobs": states,
		"queuefleet_exporter_collector_success": collectors, "queuefleet_exporter_collector_last_success_timestamp_seconds": collectors,
		"redis_connection_info": {"standalone", "sentinel", "cluster"}, "redis_horizon_status": {"inactive", "running", "paused"},
	} {
		var got []string
		for _, l := range entries[name].Labels {
			if len(l.Values) > 0 {
				got = l.Values
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: docs/metrics.yaml has %q, the code %q", name, got, want)
		}
	}
}
