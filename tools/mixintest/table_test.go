package mixintest

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of alerts into docs/alerts.md")

const (
	tableBegin = "<!-- alerts: made by make docs -->\n"
	tableEnd   = "<!-- alerts: end -->\n"
)

// optional are those that are not made unless asked for.
func optional(t *testing.T) map[string]bool {
	t.Helper()
	var file ruleFile
	render(t, `(import '../mixin.libsonnet').prometheusAlerts`, &file)
	all := map[string]bool{}
	for _, a := range alerts(t) {
		all[a.Alert] = true
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			delete(all, r.Alert)
		}
	}
	return all
}

// table is one line for each alert: its variants share it.
func table(t *testing.T) string {
	t.Helper()
	notMade := optional(t)
	var names []string
	severities, after, summary := map[string][]string{}, map[string][]string{}, map[string]string{}
	for _, a := range alerts(t) {
		if summary[a.Alert] == "" {
			names = append(names, a.Alert)
		}
		wait := a.For
		if wait == "" {
			wait = "at once"
		}
		summary[a.Alert] = a.Annotations["summary"]
		severities[a.Alert] = append(severities[a.Alert], a.Labels["severity"])
		after[a.Alert] = append(after[a.Alert], wait)
	}
	var b strings.Builder
	b.WriteString(tableBegin + "\n| alert | severity | after | tells |\n|---|---|---|---|\n")
	for _, name := range names {
		star := ""
		if notMade[name] {
			star = " ✱"
		}
		fmt.Fprintf(&b, "| [%s](../mixin/runbooks/%s.md)%s | %s | %s | %s |\n", name, name, star,
			strings.Join(severities[name], ", "), strings.Join(after[name], ", "), summary[name])
	}
	b.WriteString("\n" + tableEnd)
	return b.String()
}

// TestTable holds the documentation to the alerts.
func TestTable(t *testing.T) {
	const path = "../../docs/alerts.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, behind, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table of alerts", path)
	}
	want := before + table(t) + behind
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // documentation
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("the table of alerts in %s is not what the mixin has: run make docs", path)
	}
}
