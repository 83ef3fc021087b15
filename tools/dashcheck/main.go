// Command dashcheck reads dashboards, rules and alerts and finds what cannot be
// right: expressions that do not parse, metrics, labels, label values and
// recording rules that do not exist, counters read as gauges, variables without
// a definition, links that lead nowhere, messages that name labels which their
// expression drops, and metrics that nothing looks at.
//
//	dashcheck -root ..
//
// It needs no server: what exists is known from docs/metrics.yaml.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/google/go-jsonnet"
	"gopkg.in/yaml.v3"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("dashcheck", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", "..", "the repository")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	c, err := checkRepository(*root)
	if err != nil {
		fmt.Fprintln(stderr, "dashcheck:", err)
		return 1
	}
	for _, fault := range c.faults {
		fmt.Fprintln(stderr, fault)
	}
	fmt.Fprintf(stdout, "%d expressions in %d panels, %d rules and %d alerts; %d faults\n", c.expressions, c.panels, len(c.rules), c.alerts, len(c.faults))
	if len(c.faults) > 0 {
		return 1
	}
	return 0
}

// checkRepository checks everything below root.
func checkRepository(root string) (*checker, error) {
	metrics, err := readCatalogue(filepath.Join(root, "docs/metrics.yaml"))
	if err != nil {
		return nil, err
	}
	rules, err := readRules(filepath.Join(root, "alerts"))
	if err != nil {
		return nil, err
	}
	boards, err := readDashboards(filepath.Join(root, "dashboards"))
	if err != nil {
		return nil, err
	}
	kept, err := readUnused(filepath.Join(root, "mixin/unused-metrics.txt"))
	if err != nil {
		return nil, err
	}
	more, links, err := everyAlert(root, rules)
	if err != nil {
		return nil, err
	}
	c := check(metrics, append(rules, more), boards, kept)
	c.place = "dashboard_url of alerts"
	c.checkLinks(links, variablesOf(boards))
	return c, nil
}

// everyAlert makes the alerts that only those get who ask for them, and the
// text of all alerts with a Grafana to link to, without what only a firing
// alert knows.
func everyAlert(root string, compiled []ruleFile) (ruleFile, string, error) {
	more := ruleFile{path: "optional alerts"}
	optional, err := optionalAlerts(root, compiled)
	if err != nil {
		return more, "", err
	}
	list, err := json.Marshal(optional)
	if err != nil {
		return more, "", err
	}
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{filepath.Join(root, "mixin")}})
	text, err := vm.EvaluateAnonymousSnippet("dashcheck", `((import 'mixin.libsonnet') + { _config+:: {
		grafanaURL: 'https://grafana.example.org', enabledOptionalAlerts: `+string(list)+` } }).prometheusAlerts`)
	if err != nil {
		return more, "", err
	}
	if err := yaml.Unmarshal([]byte(text), &more); err != nil {
		return more, "", err
	}
	for i := range more.Groups {
		g := &more.Groups[i]
		g.Rules = slices.DeleteFunc(g.Rules, func(r rule) bool { return !slices.Contains(optional, r.Alert) })
	}
	return more, regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(text, ""), nil
}

// optionalAlerts are those that the sources name and the compiled files lack.
func optionalAlerts(root string, compiled []ruleFile) ([]string, error) {
	known := map[string]bool{}
	for _, f := range compiled {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				known[r.Alert] = true
			}
		}
	}
	paths, err := filepath.Glob(filepath.Join(root, "mixin/alerts/*.libsonnet"))
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for _, m := range regexp.MustCompile(`name: '((?:Redis|Queuefleet)\w+)'`).FindAllStringSubmatch(string(text), -1) {
			if !known[m[1]] && !slices.Contains(names, m[1]) {
				names = append(names, m[1])
			}
		}
	}
	return names, nil
}

// check checks what was read.
func check(metrics *catalogue, files []ruleFile, boards []dashboard, kept []unused) *checker {
	c := newChecker(metrics)
	c.checkRules(files)
	c.checkDashboards(boards)
	c.checkUse(kept)
	return c
}
