package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"
)

// ruleFile is one file of rules or alerts.
type ruleFile struct {
	path   string
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	} `yaml:"groups"`
}

type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func readRules(dir string) ([]ruleFile, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var files []ruleFile
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f := ruleFile{path: filepath.Base(path)}
		if err := yaml.Unmarshal(text, &f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no rules", dir)
	}
	return files, nil
}

// checkRules checks recording rules, each after those that it reads, and then
// alerts.
func (c *checker) checkRules(files []ruleFile) {
	var recording, alerts []placed
	for _, f := range files {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if r.Record != "" {
					recording = append(recording, placed{r, f.path + ": " + g.Name + ": " + r.Record})
				} else {
					alerts = append(alerts, placed{r, f.path + ": " + g.Name + ": " + r.Alert})
				}
			}
		}
	}
	c.checkRecording(recording)
	for _, a := range alerts {
		c.place = a.place
		c.checkAlert(a.rule)
	}
	c.alerts = len(alerts)
}

type placed struct {
	rule
	place string
}

// checkRecording checks rules in the order in which they need each other. Those
// of one name are one series family.
func (c *checker) checkRecording(rules []placed) {
	byName := map[string][]placed{}
	for _, r := range rules {
		byName[r.Record] = append(byName[r.Record], r)
	}
	begun := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if begun[name] {
			return
		}
		begun[name] = true
		for _, r := range byName[name] {
			for _, needed := range c.needs(r.Expr) {
				visit(needed)
			}
		}
		for _, r := range byName[name] {
			c.place = r.place
			_, result, _ := c.expression(r.Expr)
			result = result.with(slices.Collect(maps.Keys(r.Labels))...)
			if before, twice := c.rules[name]; twice {
				result = result.or(before)
			}
			c.rules[name] = result
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		visit(name)
	}
}

// needs are the recording rules that an expression reads.
func (c *checker) needs(text string) []string {
	e, err := c.parser.ParseExpr(text)
	if err != nil {
		return nil // told when it is checked
	}
	var names []string
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok && strings.Contains(s.Name, ":") {
			names = append(names, s.Name)
		}
		return nil
	})
	return names
}

// labelsInText finds the labels that a template speaks of.
var labelsInText = regexp.MustCompile(`\$labels\.(\w+)`)

func (c *checker) checkAlert(r rule) {
	e, result, ok := c.expression(r.Expr)
	if !ok {
		return
	}
	if !decides(e) {
		c.fail("fires whenever its expression has a value: there is no comparison in it")
	}
	result = result.with(slices.Collect(maps.Keys(r.Labels))...)
	for _, texts := range []map[string]string{r.Annotations, r.Labels} {
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			for _, m := range labelsInText.FindAllStringSubmatch(texts[key], -1) {
				if !result.has(m[1]) {
					c.fail("%s speaks of $labels.%s, which the expression does not keep; it keeps %s", key, m[1], result)
				}
			}
		}
	}
}

// decides reports whether e can be without a result.
func decides(e parser.Expr) bool {
	found := isConstant(e) // always firing on purpose
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.BinaryExpr:
			found = found || n.Op.IsComparisonOperator() && !n.ReturnBool
		case *parser.Call:
			found = found || strings.HasPrefix(n.Func.Name, "absent")
		}
		return nil
	})
	return found
}

// shortWindows finds rates over a window that is written down, and shorter than
// the time between two points of a wide graph may be.
func shortWindows(e parser.Expr, dynamic time.Duration) []string {
	var found []string
	parser.Inspect(e, func(n parser.Node, path []parser.Node) error {
		m, ok := n.(*parser.MatrixSelector)
		if !ok || len(path) == 0 || m.Range == dynamic || m.Range >= 10*time.Minute {
			return nil
		}
		if call, ok := path[len(path)-1].(*parser.Call); ok && slices.Contains([]string{"rate", "irate", "increase"}, call.Func.Name) {
			found = append(found, call.String())
		}
		return nil
	})
	return found
}
