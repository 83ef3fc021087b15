package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// dashboard is what the check needs of one.
type dashboard struct {
	file string
	text string // all of it

	UID         string `json:"uid"`
	Title       string `json:"title"`
	Panels      []panel
	Templating  struct{ List []variable }
	Annotations struct{ List []annotation }
}

type panel struct {
	Title   string
	Type    string
	Targets []struct {
		Expr, LegendFormat, RefID string
		Instant                   bool
	}
	Panels []panel // of a collapsed row
}

type variable struct {
	Name, Type string
	Query      json.RawMessage
}

// query returns the expression of a variable that asks Prometheus.
func (v variable) query() string {
	var asked struct{ Query string }
	if json.Unmarshal(v.Query, &asked) != nil {
		return ""
	}
	return asked.Query
}

type annotation struct {
	Name, Expr, TitleFormat, TextFormat, TagKeys string
}

func readDashboards(dir string) ([]dashboard, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var boards []dashboard
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		d := dashboard{file: filepath.Base(path), text: string(text)}
		if err := json.Unmarshal(text, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		boards = append(boards, d)
	}
	if len(boards) == 0 {
		return nil, fmt.Errorf("%s: no dashboards", dir)
	}
	return boards, nil
}

func (c *checker) checkDashboards(boards []dashboard) {
	variables := variablesOf(boards)
	if len(variables) < len(boards) {
		c.place = "dashboards"
		c.fail("two have the same uid")
	}
	for _, d := range boards {
		for _, p := range d.Panels {
			c.checkPanel(d.file, p)
		}
		for _, v := range d.Templating.List {
			c.place = d.file + ": variable " + v.Name
			if v.Type == "query" {
				c.checkVariable(v.query())
			}
		}
		for _, a := range d.Annotations.List {
			if a.Expr != "" {
				c.place = d.file + ": annotation " + a.Name
				_, result, _ := c.expression(substitute(a.Expr))
				c.checkLegend(a.TitleFormat+a.TextFormat, result)
			}
		}
		c.place = d.file
		c.checkVariablesOf(d)
		c.checkLinks(d.text, variables)
	}
}

// variablesOf returns the names of the variables of each uid.
func variablesOf(boards []dashboard) map[string][]string {
	variables := map[string][]string{}
	for _, d := range boards {
		variables[d.UID] = d.variables()
	}
	return variables
}

func (d dashboard) variables() []string {
	var names []string
	for _, v := range d.Templating.List {
		names = append(names, v.Name)
	}
	return names
}

func (c *checker) checkPanel(file string, p panel) {
	for _, below := range p.Panels {
		c.checkPanel(file, below)
	}
	if p.Type != "row" {
		c.panels++
	}
	for _, t := range p.Targets {
		c.place = file + ": " + p.Title + " " + t.RefID
		e, result, ok := c.expression(substitute(t.Expr))
		if !ok {
			continue
		}
		if !t.Instant {
			for _, call := range shortWindows(e, rateInterval) {
				c.fail("%s: a graph over days would skip events; use $__rate_interval or a recording rule", call)
			}
		}
		c.checkLegend(t.LegendFormat, result)
	}
}

var legendLabel = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// checkLegend tells whether a legend names labels that the result has.
func (c *checker) checkLegend(legend string, result labelSet) {
	for _, m := range legendLabel.FindAllStringSubmatch(legend, -1) {
		if !result.has(m[1]) && m[1] != "__name__" {
			c.fail("the legend names %s, which the expression does not keep; it keeps %s", m[1], result)
		}
	}
}

var labelValues = regexp.MustCompile(`^(label_values|query_result)\((.*)\)$`)

// checkVariable checks label_values(selector, label) and query_result(expr).
func (c *checker) checkVariable(query string) {
	m := labelValues.FindStringSubmatch(strings.TrimSpace(query))
	if m == nil {
		c.fail("is neither label_values(…) nor query_result(…): %s", query)
		return
	}
	text, label := m[2], ""
	if m[1] == "label_values" {
		at := strings.LastIndexByte(text, ',')
		if at < 0 || strings.LastIndexByte(text, '}') > at {
			c.fail("label_values without a selector asks for every series: %s", query)
			return
		}
		text, label = text[:at], strings.TrimSpace(text[at+1:])
	}
	_, result, ok := c.expression(substitute(text))
	if ok && label != "" && !result.has(label) {
		c.fail("there is no label %s; there are %s", label, result)
	}
}

const (
	// rateInterval stands for $__rate_interval: a window that nobody writes.
	rateInterval = 4*time.Minute + 7*time.Second
	// anything stands for a variable of which all is chosen.
	anything = ".*"
)

// builtin are Grafana's own variables with what stands for them here.
var builtin = []struct{ name, value string }{
	{"__rate_interval", "4m7s"}, {"__interval", "1m"}, {"__range_s", "10800"}, {"__range_ms", "10800000"}, {"__range", "3h"},
	{"__from", "0"}, {"__to", "1"}, {"__auto", "1m"},
}

// reference finds ${name}, ${name:format}, $name and [[name]].
var reference = regexp.MustCompile(`\$\{(\w+)(?:[:.][^}]*)?\}|\$(\w+)|\[\[(\w+)(?::\w+)?\]\]`)

// substitute puts values in the place of variables.
func substitute(text string) string {
	return reference.ReplaceAllStringFunc(text, func(match string) string {
		m := reference.FindStringSubmatch(match)
		name := m[1] + m[2] + m[3]
		for _, b := range builtin {
			if b.name == name {
				return b.value
			}
		}
		return anything
	})
}

// checkVariablesOf tells which variables a dashboard uses without defining them
// and defines without using them.
func (c *checker) checkVariablesOf(d dashboard) {
	defined := d.variables()
	used := map[string]bool{}
	for _, m := range reference.FindAllStringSubmatch(d.text, -1) {
		name := m[1] + m[2] + m[3]
		if strings.HasPrefix(name, "__") || !startsWithLetter(name) {
			continue
		}
		if !slices.Contains(defined, name) && !used[name] {
			c.fail("uses the variable %s and does not define it", name)
		}
		used[name] = true
	}
	for _, name := range defined {
		if !used[name] {
			c.fail("defines the variable %s and does not use it", name)
		}
	}
}

// startsWithLetter tells a variable from an amount or a regular expression's $1.
func startsWithLetter(name string) bool { return name != "" && (name[0] > '9' || name[0] < '0') }

var link = regexp.MustCompile(`/d/([\w-]+)(?:/[\w-]*)?(\?[^"\s]*)?`)

// checkLinks tells whether links lead to dashboards that are there, with
// variables that those have.
func (c *checker) checkLinks(text string, variables map[string][]string) {
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		known, ok := variables[m[1]]
		if !ok {
			c.fail("links to the dashboard %s, which is not there", m[1])
			continue
		}
		for _, pair := range strings.Split(strings.TrimPrefix(strings.ReplaceAll(m[2], `\u0026`, "&"), "?"), "&") {
			name, _, _ := strings.Cut(pair, "=")
			name, err := url.QueryUnescape(name)
			if name, isVariable := strings.CutPrefix(name, "var-"); err == nil && isVariable && !slices.Contains(known, name) {
				c.fail("a link to %s sets %s, which that dashboard does not have", m[1], name)
			}
		}
	}
}
