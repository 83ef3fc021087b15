package main

import (
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// catalogued holds a page of the supervisor's metrics to docs/metrics.yaml: name,
// type and help of each metric, and that none is missing but those which say
// when they are absent.
func catalogued(t *testing.T, page string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Metrics []struct{ Name, Type, Help, Absent string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	types, helps := map[string]string{}, map[string]string{}
	for line := range strings.Lines(page) {
		if fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4); len(fields) == 4 && strings.HasPrefix(fields[2], "queuefleet_") {
			switch fields[1] {
			case "TYPE":
				types[fields[2]] = fields[3]
			case "HELP":
				helps[fields[2]] = fields[3]
			}
		}
	}
	known := map[string]bool{}
	for _, m := range file.Metrics {
		if !strings.HasPrefix(m.Name, "queuefleet_supervisor_") {
			continue
		}
		known[m.Name] = true
		switch kind, served := types[m.Name]; {
		case !served && m.Absent == "":
			t.Errorf("%s is in docs/metrics.yaml, but not served", m.Name)
		case served && (kind != m.Type || helps[m.Name] != m.Help):
			t.Errorf("%s is a %s, %q; docs/metrics.yaml has %s, %q", m.Name, kind, helps[m.Name], m.Type, m.Help)
		}
	}
	for name := range types {
		if !known[name] {
			t.Errorf("%s is served, but not in docs/metrics.yaml", name)
		}
	}
}
