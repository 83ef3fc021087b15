package mixin_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/mixin"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

var update = flag.Bool("update", false, "write the golden files of the templates")

const tests = root + "/mixin/tests"

// alertmanagerFile renders the configuration for the teams of the tests.
func alertmanagerFile(t *testing.T) string {
	t.Helper()
	return alertmanagerOf(t, mixin.Options{ConfigFile: tests + "/teams.yaml"})
}

// alertmanagerOf renders no more than Alertmanager needs, which is quick.
func alertmanagerOf(t *testing.T, o mixin.Options) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"queuefleet.tmpl", "alertmanager.yml"} {
		quoted, err := mixin.Evaluate(o, "(import 'lib/compile.libsonnet')(mixin).texts['alerts/alertmanager/"+name+"']")
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if err := json.Unmarshal(quoted, &text); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), text)
	}
	return filepath.Join(dir, "alertmanager.yml")
}

func amtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "amtool", args...)
	out, err := command.CombinedOutput()
	return string(out), err
}

// rows reads a table of n columns, with tabs between them.
func rows(t *testing.T, file string, n int) [][]string {
	t.Helper()
	var list [][]string
	for i, line := range strings.Split(read(t, file), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		if len(columns) != n {
			t.Fatalf("%s:%d: %d columns, want %d", file, i+1, len(columns), n)
		}
		list = append(list, columns)
	}
	if len(list) == 0 {
		t.Fatalf("%s is empty", file)
	}
	return list
}

func TestAlertmanagerTakesTheConfiguration(t *testing.T) {
	redistest.Need(t, "amtool")
	for _, file := range []string{root + "/alerts/alertmanager/alertmanager.yml", alertmanagerFile(t)} {
		out, err := amtool(t, "check-config", file)
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if !strings.Contains(out, "1 templates") {
			t.Errorf("the templates are not found:\n%s", out)
		}
	}
}

func TestRoutes(t *testing.T) {
	redistest.Need(t, "amtool")
	file := alertmanagerFile(t)
	for _, row := range rows(t, tests+"/routes.tsv", 2) {
		args := append([]string{"config", "routes", "test", "--config.file=" + file, "--verify.receivers=" + row[1]}, strings.Fields(row[0])...)
		if out, err := amtool(t, args...); err != nil {
			t.Errorf("%s comes to %s, want %s", row[0], strings.TrimSpace(strings.TrimPrefix(out, "WARNING: Expected receivers did not match resolved receivers.")), row[1])
		}
	}
}

// The tables speak of alerts that are there, and the rules that silence find
// somebody to silence.
func TestTablesNameRealAlerts(t *testing.T) {
	known := map[string]bool{}
	for _, file := range []string{root + "/mixin/alerts"} {
		paths, err := filepath.Glob(file + "/*.libsonnet")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			for _, m := range regexp.MustCompile(`name: '((?:Redis|Queuefleet)\w+)'`).FindAllStringSubmatch(read(t, path), -1) {
				known[m[1]] = true
			}
		}
	}
	if len(known) < 50 {
		t.Fatalf("only %d alerts found", len(known))
	}
	for _, table := range []struct {
		file    string
		columns int
	}{{"/routes.tsv", 2}, {"/inhibit.tsv", 3}} {
		for _, row := range rows(t, tests+table.file, table.columns) {
			for _, m := range regexp.MustCompile(`alertname=(\w+)`).FindAllStringSubmatch(strings.Join(row, " "), -1) {
				if !known[m[1]] {
					t.Errorf("%s: there is no alert %s", table.file, m[1])
				}
			}
		}
	}
	for _, m := range regexp.MustCompile(`- "alertname[!=]~\\"(.+)\\""`).FindAllStringSubmatch(read(t, root+"/alerts/alertmanager/alertmanager.yml"), -1) {
		for _, name := range alternatives(m[1]) {
			matches := false
			for k := range known {
				matches = matches || regexp.MustCompile("^(?:"+name+")$").MatchString(k)
			}
			if !matches {
				t.Errorf("inhibit_rules: %s, in %s, means no alert", name, m[1])
			}
		}
	}
}

// alternatives splits A(B|C)|D into AB, AC and D.
func alternatives(pattern string) []string {
	if m := regexp.MustCompile(`^(.*?)(\w*)\(([^()]*)\)(.*)$`).FindStringSubmatch(pattern); m != nil {
		var list []string
		for _, middle := range strings.Split(m[3], "|") {
			list = append(list, m[2]+middle)
		}
		return alternatives(m[1] + strings.Join(list, "|") + m[4])
	}
	return strings.Split(pattern, "|")
}

// route is what a route says that amtool does not test.
type route struct {
	Matchers []string `json:"matchers"`
	GroupBy  []string `json:"group_by"`
	Repeat   string   `json:"repeat_interval"`
	Active   []string `json:"active_time_intervals"`
	Muted    []string `json:"mute_time_intervals"`
	Routes   []route  `json:"routes"`
}

// Alertmanager does not hand times down to the routes below.
func TestTimesAreOnEveryRoute(t *testing.T) {
	nonProduction, warnings := 0, 0
	var walk func(r route, quiet bool)
	walk = func(r route, quiet bool) {
		for _, m := range r.Matchers {
			quiet = quiet || strings.HasPrefix(m, "environment!~")
		}
		if quiet {
			nonProduction++
			if cmp.Diff([]string{"business-hours"}, r.Active) != "" {
				t.Errorf("%v is told of at night", r.Matchers)
			}
		}
		if r.Repeat == "12h" && len(r.Routes) == 1 {
			warnings++
			if cmp.Diff([]string{"maintenance"}, r.Muted) != "" || cmp.Diff(r.Muted, r.Routes[0].Muted) != "" {
				t.Errorf("%v is not muted", r.Matchers)
			}
		}
		for _, below := range r.Routes {
			walk(below, quiet)
		}
	}
	walk(routes(t), false)
	if nonProduction != 12 || warnings != 6 { // five ways to a team and the fallback, with their groups of connections
		t.Errorf("%d routes of other environments, %d of warnings", nonProduction, warnings)
	}
}

// routes returns the tree for the teams of the tests.
func routes(t *testing.T) route {
	t.Helper()
	var config struct {
		Route route `json:"route"`
	}
	text, err := mixin.Evaluate(mixin.Options{ConfigFile: tests + "/teams.yaml"}, "mixin.alertmanagerConfig")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	return config.Route
}

// TestTemplates renders every template with every kind of message: one alert,
// more than fit, some that are over, all over. go test -run Templates -update
// writes the golden files anew; read them then.
func TestTemplates(t *testing.T) {
	redistest.Need(t, "amtool")
	template := root + "/alerts/alertmanager/queuefleet.tmpl"
	for _, name := range []string{
		"subject", "text", "slack.color", "slack.title", "slack.title_link", "slack.text", "slack.footer", "email.subject", "email.text", "email.html",
		"pagerduty.description", "pagerduty.severity", "pagerduty.group", "pagerduty.component", "pagerduty.client_url",
		"pagerduty.firing", "pagerduty.resolved", "pagerduty.runbook", "pagerduty.dashboard",
	} {
		var all strings.Builder
		for _, data := range []string{"one", "twelve", "mixed", "resolved"} {
			kind := "text"
			if strings.HasSuffix(name, ".html") {
				kind = "html"
			}
			out, err := amtool(t, "template", "render", "--template.glob="+template, "--template.type="+kind,
				"--template.data="+tests+"/templates/"+data+".json", "--template.text={{ template \"queuefleet."+name+"\" . }}")
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out)
			}
			fmt.Fprintf(&all, "==== %s ====\n%s\n", data, out)
		}
		golden := tests + "/templates/" + name + ".golden"
		if *update {
			write(t, golden, all.String())
		}
		if diff := cmp.Diff(read(t, golden), all.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if defined := strings.Count(read(t, template), "{{ define "); defined < 20 {
		t.Errorf("only %d templates", defined)
	}
}

// Every template that a receiver names is there.
func TestReceiversNameTemplates(t *testing.T) {
	text, template := read(t, alertmanagerFile(t)), read(t, root+"/alerts/alertmanager/queuefleet.tmpl")
	names := regexp.MustCompile(`template \\"([\w.]+)\\"`).FindAllStringSubmatch(text, -1)
	if len(names) < 15 {
		t.Fatalf("only %d templates used", len(names))
	}
	for _, m := range names {
		if !strings.Contains(template, `{{ define "`+m[1]+`" `) {
			t.Errorf("%s is used and not defined", m[1])
		}
		if _, err := os.Stat(tests + "/templates/" + strings.TrimPrefix(m[1], "queuefleet.") + ".golden"); err != nil {
			t.Errorf("%s has no golden file", m[1])
		}
	}
	if strings.Contains(text, "api_url:") || strings.Contains(text, "routing_key:") || strings.Contains(text, "password:") {
		t.Error("a secret in the configuration itself")
	}
}
