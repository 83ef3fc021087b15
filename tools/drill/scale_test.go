package drill

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"
)

const (
	// haste is how many times faster than in production time passes in rules
	// and routing: windows, waits and intervals are divided by it. Nothing else
	// is changed.
	haste = 30

	scrapeInterval = time.Second

	// minWindow keeps four samples in the shortest window.
	minWindow = 4 * scrapeInterval
)

func hasten(d, least time.Duration) time.Duration {
	if d == 0 {
		return 0
	}
	return max(d/haste, least).Round(time.Millisecond)
}

// hastenExpr divides the windows of a query.
func hastenExpr(t testing.TB, text string) string {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.MatrixSelector:
			n.Range = hasten(n.Range, minWindow)
		case *parser.SubqueryExpr:
			n.Range, n.Step = hasten(n.Range, minWindow), hasten(n.Step, scrapeInterval)
			n.OriginalOffset = hasten(n.OriginalOffset, scrapeInterval)
		case *parser.VectorSelector:
			n.OriginalOffset = hasten(n.OriginalOffset, scrapeInterval)
		}
		return nil
	})
	return expr.String()
}

type ruleFile struct {
	Groups []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	Name     string         `yaml:"name"`
	Interval model.Duration `yaml:"interval,omitempty"`
	Rules    []rule         `yaml:"rules"`
}

type rule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           model.Duration    `yaml:"for,omitempty"`
	KeepFiringFor model.Duration    `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// hastenRules writes a compiled rule file with all its times divided.
func hastenRules(t testing.TB, from, to string) {
	t.Helper()
	var file ruleFile
	readYAML(t, from, &file)
	for i := range file.Groups {
		g := &file.Groups[i]
		g.Interval = model.Duration(hasten(time.Duration(g.Interval), scrapeInterval))
		for j := range g.Rules {
			r := &g.Rules[j]
			r.Expr = hastenExpr(t, r.Expr)
			r.For = model.Duration(hasten(time.Duration(r.For), scrapeInterval))
			r.KeepFiringFor = model.Duration(hasten(time.Duration(r.KeepFiringFor), scrapeInterval))
		}
	}
	if len(file.Groups) == 0 {
		t.Fatalf("%s has no rules", from)
	}
	writeYAML(t, to, file)
}

// inRoutes are the times of Alertmanager's routes.
var inRoutes = map[string]bool{"group_wait": true, "group_interval": true, "repeat_interval": true, "resolve_timeout": true}

// hastenRouting rewrites a compiled Alertmanager configuration: times divided,
// every receiver replaced by a webhook that tells the receiver's name. Routes,
// grouping and inhibition stay as they are. Routes that hold back outside
// business hours would make the result depend on the hour: they lose that.
func hastenRouting(t testing.TB, from, to, hook string) {
	t.Helper()
	var config map[string]any
	readYAML(t, from, &config)
	walk(config, func(m map[string]any) {
		for key, value := range m {
			if text, ok := value.(string); ok && inRoutes[key] {
				d, err := model.ParseDuration(text)
				if err != nil {
					t.Fatalf("%s: %s: %v", from, key, err)
				}
				m[key] = model.Duration(hasten(time.Duration(d), scrapeInterval)).String()
			}
		}
		delete(m, "active_time_intervals")
		delete(m, "mute_time_intervals")
	})
	receivers, _ := config["receivers"].([]any)
	if len(receivers) == 0 {
		t.Fatalf("%s has no receivers", from)
	}
	for i, r := range receivers {
		name, _ := r.(map[string]any)["name"].(string)
		replaced := map[string]any{"name": name}
		if len(r.(map[string]any)) > 1 { // one without any stays one that is told nothing
			replaced["webhook_configs"] = []any{map[string]any{"url": hook + "/" + name, "send_resolved": true}}
		}
		receivers[i] = replaced
	}
	config["global"] = map[string]any{"resolve_timeout": "10s"}
	delete(config, "templates")
	writeYAML(t, to, config)
}

func walk(node any, visit func(map[string]any)) {
	switch n := node.(type) {
	case map[string]any:
		visit(n)
		for _, child := range n {
			walk(child, visit)
		}
	case []any:
		for _, child := range n {
			walk(child, visit)
		}
	}
}

func readYAML(t testing.TB, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func writeYAML(t testing.TB, path string, value any) {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestHastenExpr(t *testing.T) {
	const (
		in   = `max_over_time(redis_up[2m]) == 0 and increase(x_total[1h] offset 1d) > 3 or avg_over_time(y[6h:30m]) > 1`
		want = `max_over_time(redis_up[4s]) == 0 and increase(x_total[2m] offset 48m) > 3 or avg_over_time(y[12m:1m]) > 1`
	)
	if got := hastenExpr(t, in); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// grafana's own variables, in the forms that the panels use.
var (
	macros    = regexp.MustCompile(`\$__rate_interval|\$__interval|\$__range`)
	variables = regexp.MustCompile(`(=~?|!~?)"\$\{?([a-z_]+)(?::[a-z]+)?\}?"`)
)

// substitute puts values into a panel's query. A variable without one is "All"
// where the query lets it be several; else, as with a row for each queue, it is
// one of them.
func substitute(expr string, values map[string]string) string {
	expr = macros.ReplaceAllStringFunc(expr, func(m string) string {
		if m == "$__range" {
			return "5m"
		}
		return fmt.Sprintf("%ds", int(minWindow/time.Second)*3)
	})
	return variables.ReplaceAllStringFunc(expr, func(m string) string {
		parts := variables.FindStringSubmatch(m)
		operator, name := parts[1], parts[2]
		value, given := values[name]
		switch {
		case given:
		case operator == "=~":
			value = ".*"
		default:
			value = oneOfEach[name]
		}
		return operator + `"` + value + `"`
	})
}

// hastenWeeks lets weeks pass in minutes, in queries that look back that far.
func hastenWeeks(t testing.TB, text string) string {
	t.Helper()
	const perHour = time.Second
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if n, ok := node.(*parser.SubqueryExpr); ok && n.Range >= 24*time.Hour {
			n.Range, n.Step = n.Range/time.Hour*perHour, perHour
		}
		return nil
	})
	return expr.String()
}
