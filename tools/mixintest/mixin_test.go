// Package mixintest tests the mixin's rules and alerts: with promtool what they
// do, and without it that each has a test and a runbook.
package mixintest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
)

const root = "../../mixin/"

// evaluate evaluates jsonnet that imports as the mixin's tests do.
func evaluate(snippet string) (string, error) {
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{root + "tests"}})
	return vm.EvaluateAnonymousSnippet("snippet", snippet)
}

// render evaluates and decodes.
func render(t *testing.T, snippet string, into any) {
	t.Helper()
	text, err := evaluate(snippet)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

// variant tells apart alerts of one name.
func (a *alert) variant() string {
	return strings.TrimSpace(strings.Join([]string{a.Alert, a.Labels["severity"], a.Labels["long"]}, " "))
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []alert
	}
}

// alerts returns those that the mixin has, optional ones included.
func alerts(t *testing.T) []alert {
	t.Helper()
	var file ruleFile
	render(t, `(import 'lib.libsonnet').rules`, &file)
	var all []alert
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r)
			}
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d alerts", len(all))
	}
	return all
}

func testFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(root + "tests/*.jsonnet")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests found: %v", err)
	}
	return files
}

// TestRules has promtool evaluate the rules over series and compare.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("promtool is missing")
		}
		t.Skip("promtool is missing")
	}
	dir := t.TempDir()
	var rules struct{ Groups []map[string]any }
	render(t, `(import 'lib.libsonnet').rules`, &rules)
	for _, g := range rules.Groups {
		write(t, filepath.Join(dir, g["name"].(string)+".yaml"), map[string]any{"groups": []any{g}})
	}
	for _, file := range testFiles(t) {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".jsonnet"), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, name+".yaml")
			var test any
			render(t, fmt.Sprintf(`import %q`, name), &test)
			write(t, path, test)
			if out, err := exec.Command(promtool, "test", "rules", path).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// write writes JSON, which is YAML too.
func write(t *testing.T, path string, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

type testFile struct {
	Tests []struct {
		Name  string
		Rules []struct {
			Alertname string `json:"alertname"`
			Expected  []struct {
				Labels map[string]string `json:"exp_labels"`
			} `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	}
}

// templated finds a label in a template, and whether it is asked for first.
var templated = regexp.MustCompile(`(with |if [a-z]+ )?\$labels\.([a-z_]+)`)

// TestEveryAlertIsTested finds alerts, and variants of them, that no test sees
// fire and sees silent before and after; and labels in their texts that they
// turn out not to have.
func TestEveryAlertIsTested(t *testing.T) {
	fires, silent := map[string]map[string]string{}, map[string]int{}
	for _, path := range testFiles(t) {
		var file testFile
		render(t, fmt.Sprintf(`import %q`, filepath.Base(path)), &file)
		for _, test := range file.Tests {
			for _, at := range test.Rules {
				if len(at.Expected) == 0 {
					silent[at.Alertname]++
				}
				for _, e := range at.Expected {
					a := alert{Alert: at.Alertname, Labels: e.Labels}
					fires[a.variant()] = e.Labels
				}
			}
		}
	}
	for _, a := range alerts(t) {
		labels, ok := fires[a.variant()]
		if !ok {
			t.Errorf("%s: no test sees it fire", a.variant())
			continue
		}
		if silent[a.Alert] < 2 && a.Alert != "QueuefleetWatchdog" {
			t.Errorf("%s: no test sees it silent before and after", a.Alert)
		}
		for name, text := range a.Annotations {
			for _, m := range templated.FindAllStringSubmatch(text, -1) {
				if _, ok := labels[m[2]]; !ok && m[1] == "" {
					t.Errorf("%s: %s uses the label %s, which the alert does not have", a.variant(), name, m[2])
				}
			}
		}
	}
}

// TestRunbooks finds alerts without a runbook, runbooks without an alert, and
// what every runbook has to say.
func TestRunbooks(t *testing.T) {
	wanted := map[string]bool{}
	for _, a := range alerts(t) {
		wanted[a.Alert] = true
		if url := a.Annotations["runbook_url"]; !strings.HasSuffix(url, "/mixin/runbooks/"+a.Alert+".md") {
			t.Errorf("%s: runbook_url %q leads elsewhere", a.Alert, url)
		}
	}
	files, err := filepath.Glob(root + "runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".md")
		found[name] = true
		if !wanted[name] {
			t.Errorf("%s: there is no such alert", path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, heading := range []string{"# " + name + "\n", "\n## Meaning\n", "\n## Impact\n", "\n## Look at\n", "\n## Mend\n"} {
			next := strings.Index(string(text)[at:], heading)
			if next < 0 {
				t.Errorf("%s: %q is missing, or not where it should be", path, strings.TrimSpace(heading))
				break
			}
			at += next
		}
	}
	for name := range wanted {
		if !found[name] {
			t.Errorf("%s has no runbook", name)
		}
	}
}

// TestConfigErrors has mistakes in _config named with their key.
func TestConfigErrors(t *testing.T) {
	for config, want := range map[string]string{
		`alertOverrides: { RedisConectionDown: {} }`:                          "_config.alertOverrides.RedisConectionDown: RedisConectionDown: no such alert; did you mean RedisConnectionDown?",
		`alertOverrides: { RedisConnectionDown: { fro: '5m' } }`:              "_config.alertOverrides.RedisConnectionDown.fro: fro: no such key; did you mean for?",
		`alertOverrides: { RedisConnectionDown: { severity: 'fatal' } }`:      "_config.alertOverrides.RedisConnectionDown.severity: fatal: use one of critical, warning, info, none",
		`alertOverrides: { RedisConnectionDown: '5m' }`:                       "_config.alertOverrides.RedisConnectionDown: an object is meant",
		`alertOverrides: { RedisQueueWaitBudgetBurn: { expr: 'vector(1)' } }`: "_config.alertOverrides.RedisQueueWaitBudgetBurn.expr: the alert has 4 variants",
		`disabledAlerts: ['RedisUp']`:                                         "_config.disabledAlerts: RedisUp: no such alert; did you mean Redis",
		`enabledOptionalAlerts: ['RedisLatencyAbnorm']`:                       "_config.enabledOptionalAlerts: RedisLatencyAbnorm: no such alert; did you mean RedisLatencyAbnormal?",
		`monitoringObjective: 0.9`:                                            "_config.monitoringObjective: with 0.9, burnFactors.hour of 14.4 can never be exceeded; use more than 0.931",
		`monitoringObjective: 1`:                                              "_config.monitoringObjective: must lie between 0 and 1",
		`supervisorAbsent: 'no'`:                                              "_config.supervisorAbsent: no: use seen, always or never",
		`scrapeInterval: '2m'`:                                                "_config.scrapeInterval: 2m: at most 60s",
		`redisSelector: ''`:                                                   "_config.redisSelector: must not be empty",
		`thresholds+: { memoryRatio: 85 }`:                                    "_config.thresholds.memoryRatio: 85: a share between 0 and 1 is meant",
	} {
		snippet := fmt.Sprintf(`local m = (import '../mixin.libsonnet') + { _config+:: { %s } }; [m.prometheusAlerts, m.prometheusRules]`, config)
		_, err := evaluate(snippet)
		if err == nil {
			t.Errorf("%s: no error; want %s", config, want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", config, err, want)
		}
	}
}

// TestConfig changes alerts by _config.
func TestConfig(t *testing.T) {
	const snippet = `((import '../mixin.libsonnet') + { _config+:: {
		disabledAlerts: ['RedisEvicting'],
		enabledOptionalAlerts: ['RedisLatencyAbnormal'],
		extraAlertLabels: { product: 'queues' },
		supervisorAbsent: 'never',
		grafanaURL: 'https://grafana.example',
		scopeLabels: ['cluster', 'environment'],
		alertOverrides: {
			RedisLatencyHigh: { 'for': '30m', severity: 'info', labels: { tier: 'cache' }, annotations: { owner: 'dba' } },
			RedisConnectionFlapping: { expr: 'vector(1)', keep_firing_for: '0s' },
		},
	} }).prometheusAlerts`
	var file ruleFile
	render(t, snippet, &file)
	got := map[string]alert{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			got[r.Alert] = r
		}
	}
	for _, name := range []string{"RedisEvicting", "QueuefleetSupervisorAbsent", "RedisBlockedClientsHigh"} {
		if _, ok := got[name]; ok {
			t.Errorf("%s is there", name)
		}
	}
	if _, ok := got["RedisLatencyAbnormal"]; !ok {
		t.Error("RedisLatencyAbnormal is not there")
	}
	slow := got["RedisLatencyHigh"]
	if slow.For != "30m" || slow.Labels["severity"] != "info" || slow.Labels["tier"] != "cache" || slow.Labels["product"] != "queues" || slow.Annotations["owner"] != "dba" {
		t.Errorf("RedisLatencyHigh is %+v", slow)
	}
	if got["RedisConnectionFlapping"].Expr != "vector(1)" {
		t.Errorf("RedisConnectionFlapping is %+v", got["RedisConnectionFlapping"])
	}
	const link = "https://grafana.example/d/queuefleet-connection?from=now-3h&to=now" +
		"{{ with $labels.cluster }}&var-cluster={{ . | urlquery }}{{ end }}" +
		"{{ with $labels.environment }}&var-environment={{ . | urlquery }}{{ end }}" +
		"{{ with $labels.connection }}&var-connection={{ . | urlquery }}{{ end }}"
	if got := slow.Annotations["dashboard_url"]; got != link {
		t.Errorf("dashboard_url %s, want %s", got, link)
	}
	if expr := got["RedisProbeTimeouts"].Expr; !strings.Contains(expr, "sum by (cluster, environment, team, connection)") {
		t.Errorf("RedisProbeTimeouts does not keep the scope: %s", expr)
	}
}

// TestLongWindows finds windows of a day or more over anything but half-hours:
// they would read every sample of a day at each evaluation.
func TestLongWindows(t *testing.T) {
	var file struct {
		Groups []struct {
			Rules []struct{ Record, Alert, Expr string }
		}
	}
	render(t, `(import 'lib.libsonnet').rules`, &file)
	window := regexp.MustCompile(`([a-zA-Z_:0-9]+)(?:\{[^}]*\})?\[(\d+d|\d+w|(?:2[4-9]|[3-9]\d)h)\]`)
	seen := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			for _, m := range window.FindAllStringSubmatch(r.Expr, -1) {
				seen++
				if !strings.HasSuffix(m[1], ":slice30m") {
					t.Errorf("%s%s: %s", r.Record, r.Alert, m[0])
				}
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d windows of a day or more found", seen)
	}
}

// TestNames holds names and texts to what they are meant to look like.
func TestNames(t *testing.T) {
	name := regexp.MustCompile(`^(Redis|QueuefleetSupervisor|QueuefleetExporter|QueuefleetMonitoring|QueuefleetWatchdog$)[A-Za-z]*$`)
	for _, a := range alerts(t) {
		if !name.MatchString(a.Alert) || len(a.Alert) > 40 {
			t.Errorf("%s: not a name for an alert of ours", a.Alert)
		}
		if !slices.Contains([]string{"critical", "warning", "info", "none"}, a.Labels["severity"]) {
			t.Errorf("%s: severity %s", a.Alert, a.Labels["severity"])
		}
		if strings.Contains(a.Expr, "le=") || strings.Contains(a.Expr, "or vector(0)") {
			t.Errorf("%s: %s", a.Alert, a.Expr)
		}
	}
}
