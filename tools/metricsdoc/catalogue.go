package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"
)

// catalogue is docs/metrics.yaml; what the keys mean is said at its top.
type catalogue struct {
	Identity map[string][]string `yaml:"identity"`
	Groups   []group             `yaml:"groups"`
	Metrics  []metric            `yaml:"metrics"`
}

type group struct {
	Title string `yaml:"title"`
	Text  string `yaml:"text"`
}

type metric struct {
	Name     string        `yaml:"name"`
	Type     string        `yaml:"type"`
	Help     string        `yaml:"help"`
	Group    string        `yaml:"group"`
	Scope    string        `yaml:"scope"`
	PerNode  bool          `yaml:"per_node"`
	Endpoint string        `yaml:"endpoint"`
	Labels   []metricLabel `yaml:"labels"`
	Source   string        `yaml:"source"`
	Unit     string        `yaml:"unit"`
	Needs    string        `yaml:"needs"`
	Flag     string        `yaml:"flag"`
	Shared   bool          `yaml:"shared"`
	Differs  string        `yaml:"differs"`
	Absent   string        `yaml:"absent"`
	Meaning  string        `yaml:"meaning"`
}

type metricLabel struct {
	Name    string   `yaml:"name"`
	Meaning string   `yaml:"meaning"`
	Values  []string `yaml:"values"`
}

// load reads a catalogue. The error names every mistake.
func load(path string) (*catalogue, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	c := &catalogue{}
	if err := decoder.Decode(c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s:\n%w", path, err)
	}
	return c, nil
}

var (
	metricName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	types      = []string{"gauge", "counter", "histogram"}
	endpoints  = []string{"", "own"}
)

func (c *catalogue) check() error {
	var mistakes []error
	seen := map[string]bool{}
	for i := range c.Metrics {
		m := &c.Metrics[i]
		for _, text := range c.mistakes(m) {
			mistakes = append(mistakes, fmt.Errorf("%s: %s", m.Name, text))
		}
		if seen[m.Name] {
			mistakes = append(mistakes, fmt.Errorf("%s: is there twice", m.Name))
		}
		seen[m.Name] = true
	}
	for _, g := range c.Groups {
		if len(c.in(g)) == 0 {
			mistakes = append(mistakes, fmt.Errorf("group %s: has no metric", g.Title))
		}
	}
	return errors.Join(mistakes...)
}

// mistakes lists what is wrong with one metric.
func (c *catalogue) mistakes(m *metric) []string {
	var found []string
	expect := func(ok bool, text string) {
		if !ok {
			found = append(found, text)
		}
	}
	_, scopeKnown := c.Identity[m.Scope]
	expect(metricName.MatchString(m.Name), "the name is no metric name")
	expect(slices.Contains(types, m.Type), "unknown type "+m.Type)
	expect(m.Help != "", "has no help")
	expect(m.Source != "", "has no source")
	expect(slices.ContainsFunc(c.Groups, func(g group) bool { return g.Title == m.Group }), "unknown group "+m.Group)
	expect(scopeKnown, "unknown scope "+m.Scope)
	expect(slices.Contains(endpoints, m.Endpoint), "unknown endpoint "+m.Endpoint)
	expect(m.Differs == "" || m.Shared, "differs from what it does not share")
	for _, l := range m.Labels {
		expect(l.Name != "", "has a label without a name")
		expect(!slices.Contains(c.Identity[m.Scope], l.Name), "repeats the identity label "+l.Name)
	}
	return found
}

// in returns the metrics of a group in the catalogue's order.
func (c *catalogue) in(g group) []*metric {
	var members []*metric
	for i := range c.Metrics {
		if c.Metrics[i].Group == g.Title {
			members = append(members, &c.Metrics[i])
		}
	}
	return members
}
