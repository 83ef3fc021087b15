package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// kind is how a metric may be read.
type kind int

const (
	anyKind kind = iota // nobody says
	gauge
	counter
)

// family is what is known of one name that can be queried.
type family struct {
	name   string // as the catalogue has it: without _bucket, _sum, _count
	kind   kind
	labels labelSet
	values map[string][]string // of labels whose values are known
}

// catalogue is what the programs serve.
type catalogue struct {
	families map[string]family // by the name in expressions
	names    []string          // of the catalogue
}

// foreign are names of programs other than ours that may be used. Nothing is
// known of their labels.
var foreign = []string{"go_", "process_", "promhttp_", "prometheus_", "alertmanager_", "scrape_"}

// synthetic are the names that Prometheus itself makes.
var synthetic = []string{"up", "ALERTS", "ALERTS_FOR_STATE"}

// attached are labels that Prometheus adds when it scrapes: its own, and those
// by which fleets are told apart, where the series has none.
var attached = []string{"job", "instance", "environment", "region"}

// growing are gauges, as redis_exporter has them, that only ever grow.
var growing = []string{"redis_slowlog_last_id", "redis_master_repl_offset", "redis_slave_repl_offset"}

// readCatalogue reads docs/metrics.yaml.
func readCatalogue(path string) (*catalogue, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Identity map[string][]string `yaml:"identity"`
		Metrics  []struct {
			Name    string `yaml:"name"`
			Type    string `yaml:"type"`
			Scope   string `yaml:"scope"`
			PerNode bool   `yaml:"per_node"`
			Labels  []struct {
				Name   string   `yaml:"name"`
				Values []string `yaml:"values"`
			} `yaml:"labels"`
		} `yaml:"metrics"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := &catalogue{families: map[string]family{}}
	for _, m := range file.Metrics {
		identity, ok := file.Identity[m.Scope]
		if !ok {
			return nil, fmt.Errorf("%s: %s: no such scope: %q", path, m.Name, m.Scope)
		}
		f := family{name: m.Name, kind: gauge, labels: newLabels(slices.Concat(identity, attached)...), values: map[string][]string{}}
		for _, l := range m.Labels {
			if l.Name == "*" {
				f.labels.open = true
				continue
			}
			f.labels.names[l.Name] = true
			if len(l.Values) > 0 {
				f.values[l.Name] = l.Values
			}
		}
		if m.PerNode {
			f.labels.names["node"] = true
		}
		c.add(f, m.Type)
	}
	if len(c.names) == 0 {
		return nil, fmt.Errorf("%s: no metrics", path)
	}
	return c, nil
}

// add enters a family under every name that it is queried by.
func (c *catalogue) add(f family, typ string) {
	c.names = append(c.names, f.name)
	switch typ {
	case "counter":
		f.kind = counter
		c.families[f.name] = f
	case "histogram":
		f.kind = counter
		c.families[f.name+"_sum"], c.families[f.name+"_count"] = f, f
		f.labels = f.labels.with("le")
		c.families[f.name+"_bucket"] = f
	default:
		if slices.Contains(growing, f.name) {
			f.kind = anyKind
		}
		c.families[f.name] = f
	}
}

// lookup finds a name. One of another program may have any label.
func (c *catalogue) lookup(name string) (family, bool) {
	if f, ok := c.families[name]; ok {
		return f, true
	}
	isForeign := slices.Contains(synthetic, name) || slices.ContainsFunc(foreign, func(p string) bool { return strings.HasPrefix(name, p) })
	f := family{labels: labelSet{open: true}}
	if strings.HasSuffix(name, "_total") {
		f.kind = counter
	}
	return f, isForeign
}
