package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// fixture is a small world without faults; tests put one into it.
type fixture struct {
	metrics, rules, board, unused string
}

func clean() fixture {
	return fixture{
		metrics: `
identity:
  connection: [connection, environment, region, team]
  exporter: []
metrics:
  - {name: redis_up, type: gauge, scope: connection}
  - {name: redis_memory_used_bytes, type: gauge, scope: connection, per_node: true}
  - {name: redis_probe_failures_total, type: counter, scope: connection, labels: [{name: reason, values: [dns, auth, timeout]}]}
  - {name: redis_connection_info, type: gauge, scope: connection, labels: [{name: address}, {name: "*"}]}
  - {name: queuefleet_exporter_probe_duration_seconds, type: histogram, scope: exporter}
`,
		rules: `
groups:
  - name: g
    rules:
      - {record: "connection:redis_up:max", expr: "max by (environment, connection) (redis_up)"}
      - alert: Down
        expr: connection:redis_up:max == 0
        labels: {severity: critical}
        annotations: {description: "{{ $labels.connection }} is down, {{ $labels.severity }}"}
      - alert: Memory
        expr: max by (connection) (redis_memory_used_bytes) > 1e9
`,
		board: `{
 "uid": "queuefleet-a", "title": "A",
 "templating": {"list": [
  {"name": "datasource", "type": "datasource", "query": "prometheus"},
  {"name": "connection", "type": "query", "query": {"query": "label_values(redis_up{environment=~\".*\"}, connection)"}}
 ]},
 "annotations": {"list": [{"name": "Down", "expr": "ALERTS{connection=~\"$connection\"}", "titleFormat": "{{alertname}}"}]},
 "panels": [
  {"title": "Row", "type": "row", "panels": [
   {"title": "Failures", "type": "timeseries", "datasource": {"uid": "${datasource}"}, "targets": [
    {"refId": "A", "expr": "sum by (reason) (rate(redis_probe_failures_total{connection=~\"${connection:regex}\", reason=~\"auth|dns\"}[$__rate_interval]))", "legendFormat": "{{reason}}"},
    {"refId": "B", "expr": "histogram_quantile(0.9, sum by (le) (rate(queuefleet_exporter_probe_duration_seconds_bucket[$__rate_interval])))"}
   ]}
  ]},
  {"title": "Info", "type": "table", "links": [{"url": "/d/queuefleet-a?var-connection=${__data.fields.connection}&${__url_time_range}"}], "targets": [
   {"refId": "A", "instant": true, "expr": "redis_connection_info{provider=\"aws\"} * on (connection) group_left () connection:redis_up:max and increase(redis_probe_failures_total{connection=~\"$connection\"}[5m]) > 0"}
  ]}
 ]}`,
		unused: "",
	}
}

// faults checks a fixture.
func (f fixture) faults(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"metrics.yaml": f.metrics, "unused.txt": f.unused} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	metrics, err := readCatalogue(filepath.Join(dir, "metrics.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := readUnused(filepath.Join(dir, "unused.txt"))
	if err != nil {
		t.Fatal(err)
	}
	rules := ruleFile{path: "r.yaml"}
	if err := yaml.Unmarshal([]byte(f.rules), &rules); err != nil {
		t.Fatal(err)
	}
	board := dashboard{file: "a.json", text: f.board}
	if err := json.Unmarshal([]byte(f.board), &board); err != nil {
		t.Fatal(err)
	}
	return check(metrics, []ruleFile{rules}, []dashboard{board}, kept).faults
}

func TestCleanFixture(t *testing.T) {
	for _, fault := range clean().faults(t) {
		t.Error(fault)
	}
}

// Every kind of fault is found, by its own words, when it is put into what was
// clean.
func TestSeededFaults(t *testing.T) {
	for _, test := range []struct {
		name, in, old, new, want string
	}{
		{"syntax", "rules", "== 0", "=== 0", "Down: does not parse"},
		{"syntax on a board", "board", "histogram_quantile(0.9, ", "histogram_quantile(0.9 ", "Failures B: does not parse"},
		{"newer syntax", "rules", "max by (connection) (redis_memory_used_bytes) > 1e9", "limitk(1, redis_memory_used_bytes) > 1", "does not parse"},
		{"metric", "rules", "(redis_memory_used_bytes)", "(redis_memory_bytes)", "there is no metric redis_memory_bytes"},
		{"metric of a variable", "board", "label_values(redis_up", "label_values(redis_upp", "variable connection: there is no metric redis_upp"},
		{"metric of an annotation", "board", "ALERTS{", "ALARMS{", "annotation Down: there is no metric ALARMS"},
		{"suffix", "board", "_seconds_bucket", "_seconds_buckets", "there is no metric"},
		{"recording rule", "rules", "expr: connection:redis_up:max ==", "expr: connection:redis_up:min ==", "there is no recording rule connection:redis_up:min"},
		{"label of a matcher", "board", `{connection=~\"${connection:regex}\"`, `{conection=~\"${connection:regex}\"`, "redis_probe_failures_total has no label conection"},
		{"label of by", "board", "sum by (reason)", "sum by (cause)", "by or without cause, which its argument does not have"},
		{"label that a rule drops", "rules", "expr: connection:redis_up:max == 0", "expr: min by (region) (connection:redis_up:max) == 0", "by or without region, which its argument does not have; it has connection, environment"},
		{"label of on", "board", "on (connection)", "on (region)", "on (region), which one side does not have"},
		{"label of group", "board", "group_left ()", "group_left (region)", "group takes region from a side that does not have it"},
		{"sides", "board", "* on (connection) group_left ()", "*", ""}, // an info metric may have any label
		{"sides that differ", "rules", "max by (connection) (redis_memory_used_bytes) > 1e9", "max by (connection) (redis_memory_used_bytes) / max by (region) (redis_up) > 1", "sides that never match"},
		{"closed value", "board", `reason=~\"auth|dns\"`, `reason=~\"auth|dsn\"`, "has no value dsn; it has dns, auth, timeout"},
		{"closed value, equal", "board", `reason=~\"auth|dns\"`, `reason!=\"password\"`, "has no value password"},
		{"raw counter", "board", `increase(redis_probe_failures_total{connection=~\"$connection\"}[5m]) > 0`, `redis_probe_failures_total{connection=~\"$connection\"} > 5`, ""}, // and asks only whether it is there
		{"raw counter in an alert", "rules", "max by (connection) (redis_memory_used_bytes) > 1e9", "max by (connection) (redis_probe_failures_total) > 5", "redis_probe_failures_total is a counter"},
		{"ever", "rules", "max by (connection) (redis_memory_used_bytes) > 1e9", "max by (connection) (redis_probe_failures_total) > 0 and max by (connection) (redis_memory_used_bytes) > 1", ""},
		{"derivative of a counter", "rules", "max by (connection) (redis_memory_used_bytes) > 1e9", "deriv(redis_probe_failures_total[5m]) > 5", "redis_probe_failures_total is a counter"},
		{"rate of a gauge", "rules", "(redis_memory_used_bytes)", "(rate(redis_memory_used_bytes[5m]))", "rate of redis_memory_used_bytes, which is a gauge"},
		{"rate of a recording", "rules", "connection:redis_up:max == 0", "increase(connection:redis_up:max[5m]) == 0", "increase of connection:redis_up:max, which is a gauge"},
		{"le", "board", "_bucket[", `_bucket{le=\"0.5\"}[`, "the text of a bound differs between versions"},
		{"quantile without le", "board", "sum by (le)", "sum by (job)", "without the label le"},
		{"all series", "rules", "max by (connection) (redis_memory_used_bytes)", `count({job="x"})`, "selects by label alone"},
		{"no comparison", "rules", "(redis_memory_used_bytes) > 1e9", "(redis_memory_used_bytes)", "there is no comparison in it"},
		{"comparison with bool", "rules", "(redis_memory_used_bytes) > 1e9", "(redis_memory_used_bytes) > bool 1e9", "there is no comparison in it"},
		{"annotation", "rules", "$labels.connection", "$labels.region", "description speaks of $labels.region, which the expression does not keep; it keeps connection, environment, severity"},
		{"legend", "board", "{{reason}}", "{{cause}}", "the legend names cause"},
		{"fixed window", "board", `\"auth|dns\"}[$__rate_interval]`, `\"auth|dns\"}[5m]`, "use $__rate_interval"},
		{"undefined variable", "board", `ALERTS{connection=~\"$connection\"}`, `ALERTS{connection=~\"$connection\", queue=~\"$queue\"}`, "uses the variable queue and does not define it"},
		{"undefined variable in a link", "board", "var-connection=${__data.fields.connection}", "var-connection=${pool}", "uses the variable pool and does not define it"},
		{"unused variable", "board", `{"name": "datasource",`, `{"name": "region", "type": "custom", "query": "a,b"}, {"name": "datasource",`, "defines the variable region and does not use it"},
		{"variable without a selector", "board", `label_values(redis_up{environment=~\".*\"}, connection)`, "label_values(connection)", "asks for every series"},
		{"label of a variable", "board", `\".*\"}, connection)`, `\".*\"}, queue)`, "there is no label queue"},
		{"link to nowhere", "board", "/d/queuefleet-a?", "/d/queuefleet-b?", "links to the dashboard queuefleet-b, which is not there"},
		{"variable of a link", "board", "?var-connection=", "?var-conn=", "sets conn, which that dashboard does not have"},
		{"unused metric", "metrics", "  - {name: redis_up,", "  - {name: redis_lost, type: gauge, scope: connection}\n  - {name: redis_up,", "nothing looks at redis_lost"},
		{"unused rule", "rules", "      - alert: Down", "      - {record: \"a:b:c\", expr: redis_up}\n      - alert: Down", "nothing reads a:b:c"},
		{"listed and used", "unused", "", "redis_up: nobody wants it\n", "redis_up is used after all"},
		{"listed and not there", "unused", "", "redis_gone: nobody wants it\n", "there is no redis_gone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := clean()
			text := map[string]*string{"rules": &f.rules, "board": &f.board, "metrics": &f.metrics, "unused": &f.unused}[test.in]
			if !strings.Contains(*text, test.old) {
				t.Fatalf("the fixture has no %q", test.old)
			}
			*text = strings.Replace(*text, test.old, test.new, 1)
			faults := strings.Join(f.faults(t), "\n")
			if test.want == "" && faults != "" || !strings.Contains(faults, test.want) {
				t.Errorf("found %q, want %q", faults, test.want)
			}
		})
	}
}

func TestUnusedNeedsReasons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "unused.txt")
	if err := os.WriteFile(path, []byte("# why\n\nredis_up: \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readUnused(path); err == nil || !strings.Contains(err.Error(), "unused.txt:3: want name: reason") {
		t.Error(err)
	}
}
