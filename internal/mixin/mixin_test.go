package mixin_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/mixin"
)

const root = "../.."

// render renders with o into a directory of the test.
func render(t *testing.T, o mixin.Options) string {
	t.Helper()
	files, err := mixin.Render(o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := mixin.Write(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What the program has built in is what is committed: the same as any jsonnet
// makes of the sources.
func TestRenderIsWhatIsCommitted(t *testing.T) {
	files, err := mixin.Render(mixin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rendered []string
	for _, f := range files {
		if strings.HasPrefix(f.Path, "grafana/") {
			continue
		}
		rendered = append(rendered, f.Path)
		committed, err := os.ReadFile(filepath.Join(root, f.Path))
		if err != nil {
			t.Error(err)
		} else if string(committed) != f.Text {
			t.Errorf("%s differs from what is committed: make mixin", f.Path)
		}
	}
	var committed []string
	for _, pattern := range []string{"dashboards/*", "alerts/*.yaml", "alerts/alertmanager/*"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			committed = append(committed, strings.TrimPrefix(filepath.ToSlash(p), root+"/"))
		}
	}
	slices.Sort(committed)
	if diff := cmp.Diff(committed, rendered); diff != "" {
		t.Error("committed and rendered files:", diff)
	}
}

func TestSettingsReachTheFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	write(t, file, "scopeLabels: [cluster, environment]\nteams:\n  payments: {slack: '#payments'}\n")
	dir := render(t, mixin.Options{ConfigFile: file, Set: []string{
		"teams.payments.slack=#pay", // wins
		`alertmanager.fallback={"email": null, "slack": "#ops"}`,
		"provisioning.prometheusURL=http://prometheus:9090",
		"alertmanager.repeatCritical=2h",
	}})
	for path, want := range map[string][]string{
		"alerts/alertmanager/alertmanager.yml":             {`channel: "#pay"`, `channel: "#ops"`, `repeat_interval: "2h"`, `- "cluster"`},
		"alerts/alertmanager/queuefleet.tmpl":              {`stringSlice "cluster" "environment"`},
		"alerts/queuefleet-rules.yaml":                     {"cluster, environment, team, connection"},
		"grafana/provisioning/datasources/queuefleet.yaml": {`url: "http://prometheus:9090"`},
		"grafana/provisioning/dashboards/queuefleet.yaml":  {`path: "/var/lib/grafana/dashboards/queuefleet"`},
	} {
		text := read(t, filepath.Join(dir, path))
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q", path, w)
			}
		}
	}
	if text := read(t, filepath.Join(dir, "alerts/alertmanager/alertmanager.yml")); strings.Contains(text, "#payments") || strings.Contains(text, "email_configs") {
		t.Error("what was replaced is still there")
	}
}

// A user's jsonnet may compute, and import what lies beside it.
func TestConfigInJsonnet(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "teams.libsonnet"), "['payments', 'crm']")
	file := filepath.Join(dir, "mine.jsonnet")
	write(t, file, "{ teams: { [name]: { slack: '#' + name } for name in import 'teams.libsonnet' } }")
	text := read(t, alertmanagerOf(t, mixin.Options{ConfigFile: file}))
	for _, want := range []string{`"crm-page"`, `channel: "#payments"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestMistakesNameKeyAndPlace(t *testing.T) {
	for _, test := range []struct {
		name, file string
		set        []string
		want       []string
	}{
		{name: "unknown", set: []string{"scopeLabel=[]"}, want: []string{`--set scopeLabel: no such key; did you mean "scopeLabels"?`}},
		{name: "unknown below", set: []string{"alertmanager.smtp.port=25"}, want: []string{"--set alertmanager.smtp.port: no such key; known are from, passwordFile, requireTLS, smarthost, username"}},
		{name: "in a file", file: "teams: {}\n\nscopeLabel: [a]\n", want: []string{`/f.yaml:3: scopeLabel: no such key; did you mean "scopeLabels"?`}},
		{name: "every mistake", file: "scopeLabels: a\nteams: [b]\n", want: []string{"f.yaml:1: scopeLabels: must be a list, not text", "f.yaml:2: teams: must be a mapping, not a list"}},
		{name: "type", set: []string{"alertmanager.smtp.requireTLS=perhaps"}, want: []string{"--set alertmanager.smtp.requireTLS: must be true or false, not text"}},
		{name: "below a value", set: []string{"scrapeInterval=15s", "scrapeInterval.x=1"}, want: []string{"--set scrapeInterval.x: scrapeInterval is no mapping"}},
		{name: "no assignment", set: []string{"scrapeInterval"}, want: []string{"--set scrapeInterval: must be key=value"}},
		{name: "not a duration", set: []string{"scrapeInterval=15"}, want: []string{"--set scrapeInterval: must be a duration such as 15s"}},
		{name: "no receiver", file: "teams:\n  crm: {slack: '#crm'}\n  shop:\n    applications: [shop]\n", want: []string{"f.yaml:3: teams.shop: has no receiver: it needs at least one of email, pagerduty, slack, webhook"}},
		{name: "unknown receiver", set: []string{"teams.shop.slak=#shop"}, want: []string{"--set teams.shop.slak: no such key; known are: applications, email, pagerduty, slack, webhook", "--set teams.shop.slak: teams.shop: has no receiver"}},
		{name: "unknown interval", set: []string{`alertmanager.warningsMuted=["lunch"]`}, want: []string{"--set alertmanager.warningsMuted: no such interval: lunch; alertmanager.timeIntervals has business-hours, nights, weekends"}},
		{name: "fallback", set: []string{`alertmanager.fallback={"email": null}`}, want: []string{"alertmanager.fallback: has no receiver"}},
		{name: "alert", file: "alertOverrides:\n  RedisConnectionDwon: {for: 1h}\n", want: []string{"f.yaml:2: alertOverrides.RedisConnectionDwon: ", "no such alert; did you mean RedisConnectionDown?"}},
		{name: "disabled alert", set: []string{`disabledAlerts=["RedisX"]`}, want: []string{"--set disabledAlerts: ", "RedisX"}},
		{name: "addresses", set: []string{"alertmanager.heartbeat.url=x y", "alertmanager.smtp.smarthost=mail", "teams.shop.webhook.url=hooks", "grafanaURL=grafana", "runbookURLPattern=https://x/%d", `scopeLabels=["a-b"]`}, want: []string{
			"--set alertmanager.heartbeat.url: must be an address such as", "--set alertmanager.smtp.smarthost: must be host:port", "--set teams.shop.webhook.url: teams.shop.webhook: must be an address",
			"--set grafanaURL: must be an address such as", "--set runbookURLPattern: must have one %s", "--set scopeLabels: a-b: is no name of a label",
		}},
		{name: "syntax", file: "teams: {\n", want: []string{"f.yaml:"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := mixin.Options{Set: test.set}
			if test.file != "" {
				o.ConfigFile = filepath.Join(t.TempDir(), "f.yaml")
				write(t, o.ConfigFile, test.file)
			}
			_, err := mixin.Render(o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), ".libsonnet") {
				t.Errorf("%v\nspeaks of the inside of the mixin", err)
			}
		})
	}
}

func TestWriteLeavesTheRestAlone(t *testing.T) {
	dir := t.TempDir()
	files := []mixin.File{{Path: "dashboards/a.json", Text: "{}\n"}, {Path: "b.yaml", Text: "b\n"}}
	write(t, filepath.Join(dir, "b.yaml"), "b\n")
	write(t, filepath.Join(dir, "mine.txt"), "mine")
	written, err := mixin.Write(dir, files)
	if err != nil {
		t.Fatal(err)
	}
	want := []mixin.Written{{Path: filepath.Join(dir, "dashboards/a.json"), Changed: true}, {Path: filepath.Join(dir, "b.yaml")}}
	if diff := cmp.Diff(want, written); diff != "" {
		t.Error(diff)
	}
	if read(t, filepath.Join(dir, "mine.txt")) != "mine" || read(t, filepath.Join(dir, "dashboards/a.json")) != "{}\n" {
		t.Error("wrong files")
	}
	if _, err := mixin.Write(filepath.Join(dir, "mine.txt"), files); err == nil || !strings.Contains(err.Error(), "mine.txt") {
		t.Errorf("writing below a file: %v", err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
