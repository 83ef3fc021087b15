package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// checker collects what is wrong.
type checker struct {
	metrics *catalogue
	parser  parser.Parser
	rules   map[string]labelSet // recording rules, and the labels of what they record
	used    map[string]bool     // metrics of the catalogue and recording rules that something reads
	faults  []string

	expressions, panels, alerts int
	place                       string // of what is looked at now
}

func newChecker(metrics *catalogue) *checker {
	return &checker{metrics: metrics, parser: parser.NewParser(parser.Options{}), rules: map[string]labelSet{}, used: map[string]bool{}}
}

func (c *checker) fail(format string, args ...any) {
	fault := c.place + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(c.faults, fault) {
		c.faults = append(c.faults, fault)
	}
}

// expression checks one and returns the labels of its result. ok tells whether
// it could be read at all.
func (c *checker) expression(text string) (_ parser.Expr, result labelSet, ok bool) {
	c.expressions++
	e, err := c.parser.ParseExpr(text)
	if err != nil {
		c.fail("does not parse: %v: %s", err, text)
		return nil, labelSet{open: true}, false
	}
	return e, c.labels(e, reading{}), true
}

// family looks up what a selector selects.
func (c *checker) family(name string) (family, bool) {
	if strings.Contains(name, ":") {
		result, ok := c.rules[name]
		if !ok {
			c.fail("there is no recording rule %s", name)
			return family{labels: labelSet{open: true}}, false
		}
		c.used[name] = true
		return family{kind: gauge, labels: result}, true
	}
	f, ok := c.metrics.lookup(name)
	if !ok {
		c.fail("there is no metric %s", name)
		return family{labels: labelSet{open: true}}, false
	}
	c.used[f.name] = true
	return f, true
}

// selector checks one and returns the labels of what it selects.
func (c *checker) selector(s *parser.VectorSelector, r reading) labelSet {
	if s.Name == "" {
		c.fail("%s selects by label alone", s)
		return labelSet{open: true}
	}
	f, known := c.family(s.Name)
	if !known {
		return f.labels
	}
	c.checkReading(s.Name, f.kind, r)
	for _, m := range s.LabelMatchers {
		if m.Name != labels.MetricName {
			c.checkMatcher(s.Name, f, m)
		}
	}
	return f.labels
}

// checkReading tells whether the functions around a selector suit its kind.
func (c *checker) checkReading(name string, k kind, r reading) {
	switch {
	case k == counter && !r.perSecond && !r.exists:
		c.fail("%s is a counter: its value means nothing without rate or increase", name)
	case k == gauge && r.perSecond && r.function != "changes":
		c.fail("%s of %s, which is a gauge", r.function, name)
	}
}

// checkMatcher tells whether a matcher can match anything, and anything but all.
func (c *checker) checkMatcher(name string, f family, m *labels.Matcher) {
	if m.Name == "le" {
		c.fail("%s: %s: the text of a bound differs between versions of Prometheus", name, m)
		return
	}
	if !f.labels.has(m.Name) {
		c.fail("%s has no label %s; it has %s", name, m.Name, f.labels)
		return
	}
	values := f.values[m.Name]
	if len(values) == 0 || m.Value == "" || m.Value == anything {
		return
	}
	for _, value := range alternatives(m) {
		if !matchesOne(value, values, m) {
			c.fail("%s: %s has no value %s; it has %s", name, m.Name, value, strings.Join(values, ", "))
		}
	}
}

// alternatives splits the values that a matcher names.
func alternatives(m *labels.Matcher) []string {
	if m.Type == labels.MatchEqual || m.Type == labels.MatchNotEqual {
		return []string{m.Value}
	}
	depth, start := 0, 0
	var list []string
	for i, r := range m.Value {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 {
				list = append(list, m.Value[start:i])
				start = i + 1
			}
		}
	}
	return append(list, m.Value[start:])
}

func matchesOne(value string, values []string, m *labels.Matcher) bool {
	for _, v := range values {
		if v == value {
			return true
		}
		if m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp {
			if re, err := regexp.Compile("^(?:" + value + ")$"); err == nil && re.MatchString(v) {
				return true
			}
		}
	}
	return false
}
