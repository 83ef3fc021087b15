package collector

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/testing/protocmp"
)

// randomPage makes families and blocks with everything that is awkward in the
// text format.
func randomPage(r *rand.Rand) ([]family, []block) {
	texts := []string{"plain", `back\slash`, "new\nline", `"quoted"`, "ünïcode", "bad\xffutf8", "{}=,", " ", "é\xc3"}
	values := []float64{0, 1, -1, 0.1, 1e6, 1234567, 1e15, 1e16, 1e21, 9007199254740993, -2.5e-9,
		math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1700000000.123}
	families := make([]family, 1+r.IntN(6))
	for i := range families {
		families[i] = family{name: "metric_" + string(rune('a'+i)), kind: gauge, help: texts[r.IntN(len(texts))] + " help"}
		if r.IntN(2) == 0 {
			families[i].kind = counter
		}
	}
	blocks := make([]block, 1+r.IntN(5))
	for i := range blocks {
		b := &blocks[i]
		b.labels = identity("id", texts[r.IntN(len(texts))]+string(rune('0'+i)), "empty", "", "team", texts[r.IntN(len(texts))])
		for id := range families {
			for n := range r.IntN(3) {
				extra := ""
				if n > 0 || r.IntN(2) == 0 {
					extra = label("state", texts[r.IntN(len(texts))]+string(rune('0'+n)))
				}
				b.add(familyID(id), extra, values[r.IntN(len(values))])
			}
		}
	}
	return families, blocks
}

// render writes a page of its own; a buffer takes it all.
func render(families []family, blocks []block) []byte {
	var text bytes.Buffer
	_, _ = (&Page{families: families, blocks: blocks}).WriteTo(&text)
	return text.Bytes()
}

func pageText(t testing.TB, page io.WriterTo) []byte {
	t.Helper()
	var text bytes.Buffer
	if n, err := page.WriteTo(&text); err != nil || n != int64(text.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, text.Len(), err)
	}
	return text.Bytes()
}

// constMetrics collects the same series through client_golang.
type constMetrics []prometheus.Metric

func (c constMetrics) Describe(chan<- *prometheus.Desc) {}
func (c constMetrics) Collect(out chan<- prometheus.Metric) {
	for _, m := range c {
		out <- m
	}
}

func viaClientGolang(t *testing.T, families []family, blocks []block) map[string]*dto.MetricFamily {
	t.Helper()
	var metrics constMetrics
	for i := range blocks {
		for _, s := range blocks[i].samples {
			f := families[s.family]
			names, values := splitLabels(t, blocks[i].labels+s.labels)
			kind := prometheus.GaugeValue
			if f.kind == counter {
				kind = prometheus.CounterValue
			}
			metrics = append(metrics, prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, names, nil), kind, s.value, values...))
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	gathered, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	for _, f := range gathered {
		if _, err := expfmt.MetricFamilyToText(&page, f); err != nil {
			t.Fatal(err)
		}
	}
	return parsePage(t, page.Bytes())
}

// splitLabels undoes identity and label.
func splitLabels(t *testing.T, rendered string) (names, values []string) {
	t.Helper()
	for rendered != "" {
		name, rest, ok := strings.Cut(rendered, `="`)
		if !ok {
			t.Fatalf("no label in %q", rendered)
		}
		end := 0
		for rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		value := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\"`, `"`).Replace(rest[:end])
		names, values = append(names, name), append(values, value)
		rendered = strings.TrimPrefix(rest[end+1:], ",")
	}
	return names, values
}

func parsePage(t *testing.T, page []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		t.Fatalf("the page does not parse: %v\n%s", err, page)
	}
	for _, f := range families {
		slices.SortFunc(f.Metric, func(a, b *dto.Metric) int { return strings.Compare(a.String(), b.String()) })
	}
	return families
}

func TestRenderEqualsClientGolang(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		families, blocks := randomPage(r)
		got := parsePage(t, render(families, blocks))
		want := viaClientGolang(t, families, blocks)
		ignoreOrder := protocmp.SortRepeated(func(a, b *dto.LabelPair) bool { return a.GetName() < b.GetName() })
		sortMetrics := protocmp.SortRepeated(func(a, b *dto.Metric) bool { return sortKey(a) < sortKey(b) })
		if diff := cmp.Diff(want, got, protocmp.Transform(), ignoreOrder, sortMetrics); diff != "" {
			t.Fatalf("client_golang and the page differ (-client_golang +page):\n%s", diff)
		}
	}
}

func sortKey(m *dto.Metric) string {
	var labels []string
	for _, l := range m.Label {
		labels = append(labels, l.GetName()+"\x00"+l.GetValue())
	}
	slices.Sort(labels)
	return strings.Join(labels, "\x01")
}

func TestUnknownValuesAreAbsent(t *testing.T) {
	b := block{labels: `connection="a"`}
	b.add(0, "", math.NaN())
	b.add(0, label("state", "ready"), 0)
	got := string(render([]family{{"jobs", gauge, "Jobs."}}, []block{b}))
	want := "# HELP jobs Jobs.\n# TYPE jobs gauge\n" + `jobs{connection="a",state="ready"} 0` + "\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFamilyWithoutSeriesHasNoHeader(t *testing.T) {
	if got := render([]family{{"jobs", gauge, "Jobs."}}, []block{{labels: `connection="a"`}}); len(got) != 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

// failingWriter takes a number of bytes and then fails.
type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		n := w.left
		w.left = 0
		return n, io.ErrClosedPipe
	}
	w.left -= len(p)
	return len(p), nil
}

func TestPageStopsWhereTheClientLeaves(t *testing.T) {
	blocks := make([]block, 20_000)
	for i := range blocks {
		blocks[i].labels = identity("connection", fmt.Sprint(i))
		blocks[i].add(0, "", float64(i))
	}
	page := &Page{families: []family{{"jobs", gauge, "Jobs."}}, blocks: blocks}
	n, err := page.WriteTo(&failingWriter{left: 100_000})
	if n != 100_000 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("wrote %d bytes, %v; want 100000 and the writer's error", n, err)
	}
	if lines := bytes.Count(pageText(t, page), []byte{'\n'}); lines != 20_002 {
		t.Errorf("the whole page has %d lines, want 20002", lines)
	}
}
