package drill

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type panel struct {
	Title   string
	Type    string
	Panels  []panel
	Targets []struct {
		RefID   string `json:"refId"`
		Expr    string
		Instant bool
	}
}

type board struct {
	Title       string
	Panels      []panel
	Annotations struct {
		List []struct{ Name, Expr string }
	}
	Templating struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
}

// question is one query that a dashboard asks.
type question struct {
	name    string // "dashboard / panel / A"
	expr    string
	instant bool
}

// annotation marks the questions of annotations, which are empty while nothing
// happens.
const annotation = " / annotation / "

// questions are all queries of all compiled dashboards.
func questions(t testing.TB) []question {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "dashboards/*.json"))
	if err != nil || len(files) != 8 {
		t.Fatalf("%d dashboards, %v", len(files), err)
	}
	var all []question
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var b board
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := b.Title
		its := ofPanels(name, b.Panels)
		for _, a := range b.Annotations.List {
			if a.Expr != "" {
				its = append(its, question{name: name + annotation + a.Name, expr: a.Expr})
			}
		}
		for _, v := range b.Templating.List {
			if expr := ofVariable(v.Query); expr != "" {
				its = append(its, question{name: name + " / variable / " + v.Name, expr: expr, instant: true})
			}
		}
		all = append(all, its...)
	}
	return all
}

func ofPanels(name string, panels []panel) []question {
	var all []question
	for _, p := range panels {
		for _, target := range p.Targets {
			all = append(all, question{name: fmt.Sprintf("%s / %s / %s", name, p.Title, target.RefID), expr: target.Expr, instant: target.Instant})
		}
		all = append(all, ofPanels(name, p.Panels)...)
	}
	return all
}

// ofVariable turns label_values(metric{…}, label) into a query that has data
// where the variable has values.
func ofVariable(raw json.RawMessage) string {
	var query struct{ Query string }
	if json.Unmarshal(raw, &query) != nil {
		return ""
	}
	inner, ok := strings.CutPrefix(query.Query, "label_values(")
	if !ok {
		return ""
	}
	i := strings.LastIndex(inner, ",")
	if i < 0 {
		return ""
	}
	label := strings.TrimSpace(strings.TrimSuffix(inner[i+1:], ")"))
	return fmt.Sprintf("count by (%s) (%s)", label, inner[:i])
}

// empty asks every question and returns those without an answer. A query that
// fails or that Prometheus warns of fails the test.
func (f *fleet) empty(values map[string]string) map[string]bool {
	f.t.Helper()
	none := map[string]bool{}
	for _, q := range questions(f.t) {
		if !f.answered(q, values) {
			none[q.name] = true
		}
	}
	return none
}

// oneOfEach is a value of each variable: a queue with work, its connection and
// its pool.
var oneOfEach = map[string]string{"environment": "production", "region": "here", "application": "shop", "connection": "main", "queue": "default", "pool": "shop"}

type answer struct {
	Status   string
	Warnings []string
	Data     struct {
		Result []struct {
			Metric map[string]string
			Value  []any
			Values [][]any
		}
	}
}

func (f *fleet) answered(q question, values map[string]string) bool {
	f.t.Helper()
	var a answer
	parameters := url.Values{"query": {hastenWeeks(f.t, substitute(q.expr, values))}}
	path := "query"
	if !q.instant {
		path = "query_range"
		now := time.Now()
		parameters.Set("start", fmt.Sprint(now.Add(-2*time.Minute).Unix()))
		parameters.Set("end", fmt.Sprint(now.Unix()))
		parameters.Set("step", "2")
	}
	getJSON(f.t, "http://"+f.prometheus.addr+"/api/v1/"+path+"?"+parameters.Encode(), &a)
	if len(a.Warnings) > 0 {
		f.t.Errorf("%s: %v", q.name, a.Warnings)
	}
	for _, r := range a.Data.Result {
		if known(r.Value) {
			return true
		}
		for _, v := range r.Values {
			if known(v) {
				return true
			}
		}
	}
	return false
}

// known reports whether a sample is a number.
func known(sample []any) bool { return len(sample) == 2 && sample[1] != "NaN" }

// mayBeEmpty reads the list of panels that have nothing to show on a day when
// nothing is wrong, each with its reason.
func mayBeEmpty(t testing.TB) map[string]string {
	t.Helper()
	file, err := os.Open(filepath.Join(root, "mixin/tests/empty-panels.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	allowed := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, ": ")
		if !ok || reason == "" {
			t.Errorf("empty-panels.txt: %q gives no reason", line)
		}
		allowed[name] = reason
	}
	return allowed
}
