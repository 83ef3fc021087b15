package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// figure is one measured value, the median where there are several.
type figure struct {
	Part   string  `json:"part"`
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Value  float64 `json:"value"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Count  int     `json:"count"` // measurements behind it
	Target *target `json:"target,omitempty"`
	Met    *bool   `json:"met,omitempty"`
}

// target is a limit that the project has set itself.
type target struct {
	Relation string  `json:"relation"`
	Value    float64 `json:"value"`
}

func atMost(v float64) *target  { return &target{"≤", v} }
func atLeast(v float64) *target { return &target{"≥", v} }
func exactly(v float64) *target { return &target{"=", v} }

func (t target) met(v float64) bool {
	switch t.Relation {
	case "≤":
		return v <= t.Value
	case "≥":
		return v >= t.Value
	default:
		return v == t.Value
	}
}

// report is what was measured and on what.
type report struct {
	Machine  machine   `json:"machine"`
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"`
	Quick    bool      `json:"quick"`
	Figures  []figure  `json:"figures"`
	Remarks  []string  `json:"remarks,omitempty"`
	LoadFrom string    `json:"load_from"` // load averages at the start
	LoadTo   string    `json:"load_to"`

	titles map[string]string
	part   string
}

func newReport(ctx context.Context, s settings, files int) *report {
	return &report{
		Machine: describeMachine(ctx, s, files), Started: time.Now(), Quick: s.quick,
		LoadFrom: loadAverages(), titles: map[string]string{},
	}
}

// begin starts a part: the figures that follow belong to it.
func (r *report) begin(name, text string) { r.part, r.titles[name] = name, text }

func (r *report) finish() {
	r.Seconds, r.LoadTo = time.Since(r.Started).Seconds(), loadAverages()
	if busy(r.LoadFrom, r.Machine.Cores) {
		r.remark("the machine was busy with other things (load %s on %d cores): wall times are much longer than on an idle one, CPU times some tens of percent",
			r.LoadFrom, r.Machine.Cores)
	}
}

// busy reports whether the load, of which nothing is ours yet, takes more than
// a quarter of the machine.
func busy(load string, cores int) bool {
	first, _, _ := strings.Cut(load, " ")
	v, err := strconv.ParseFloat(first, 64)
	return err == nil && v > float64(cores)/4
}

// add notes the median of values, of which there must be one at least.
func (r *report) add(name, unit string, t *target, values ...float64) {
	f := figure{
		Part: r.part, Name: name, Unit: unit, Target: t, Count: len(values),
		Value: median(values), Low: slices.Min(values), High: slices.Max(values),
	}
	if t != nil {
		met := t.met(f.Value)
		f.Met = &met
	}
	r.Figures = append(r.Figures, f)
}

// remark notes what a reader of the figures has to know.
func (r *report) remark(format string, args ...any) {
	r.Remarks = append(r.Remarks, fmt.Sprintf(format, args...))
}

func (r *report) missed() int {
	n := 0
	for _, f := range r.Figures {
		if f.Met != nil && !*f.Met {
			n++
		}
	}
	return n
}

// cells are the columns of a figure's row.
func (f *figure) cells() [5]string {
	c := [5]string{f.Name, number(f.Value) + unit(f.Unit)}
	if f.Count > 1 {
		c[2] = number(f.Low) + " – " + number(f.High)
	}
	if f.Target != nil {
		c[3] = f.Target.Relation + " " + number(f.Target.Value) + unit(f.Unit)
		c[4] = "met"
		if !*f.Met {
			c[4] = "MISSED"
		}
	}
	return c
}

func unit(u string) string {
	switch u {
	case "":
		return ""
	case "×":
		return u
	default:
		return " " + u
	}
}

// number keeps three digits that count, and all of a whole number.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return strconv.FormatFloat(v, 'f', min(max(digits, 0), 6), 64)
}

// count writes a number of things with a comma between thousands.
func count(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

var header = [5]string{"figure", "median", "range", "target", ""}

// table is the report for a terminal.
func (r *report) table() string {
	width := [5]int{}
	rows := [][5]string{header}
	for i := range r.Figures {
		rows = append(rows, r.Figures[i].cells())
	}
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var out strings.Builder
	r.preamble(&out, "")
	last := ""
	for i, row := range rows {
		if i > 0 && r.Figures[i-1].Part != last {
			last = r.Figures[i-1].Part
			fmt.Fprintf(&out, "\n%s: %s\n", last, r.titles[last])
		}
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", width[i]-len([]rune(cell))+2)
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	r.epilogue(&out, "")
	return out.String()
}

// markdown is the report for docs/performance.md.
func (r *report) markdown() string {
	var out strings.Builder
	r.preamble(&out, "- ")
	last := ""
	for i := range r.Figures {
		f := &r.Figures[i]
		if f.Part != last {
			last = f.Part
			fmt.Fprintf(&out, "\n### %s: %s\n\n| %s |\n|---|---:|---:|---:|---|\n", last, r.titles[last], strings.Join(header[:], " | "))
		}
		c := f.cells()
		fmt.Fprintf(&out, "| %s |\n", strings.Join(c[:], " | "))
	}
	r.epilogue(&out, "- ")
	return out.String()
}

func (r *report) preamble(out *strings.Builder, bullet string) {
	m := &r.Machine
	for _, line := range [][2]string{
		{"date", r.Started.UTC().Format("2006-01-02 15:04 UTC")},
		{"machine", fmt.Sprintf("%s, %d cores, %s, Linux %s", m.CPU, m.Cores, m.Memory, m.Kernel)},
		{"load", fmt.Sprintf("%s at the start, %s at the end", r.LoadFrom, r.LoadTo)},
		{"exporter", m.Exporter},
		{"peer", m.Peer},
		{"Redis", m.Redis},
		{"run", fmt.Sprintf("%.0f s%s", r.Seconds, map[bool]string{true: ", quick: not to be quoted"}[r.Quick])},
	} {
		fmt.Fprintf(out, "%s%s: %s\n", bullet, line[0], line[1])
	}
	if bullet == "" {
		out.WriteString("\n")
	}
}

func (r *report) epilogue(out *strings.Builder, bullet string) {
	out.WriteString("\n")
	for _, text := range r.Remarks {
		out.WriteString(cmp.Or(bullet, "note: ") + text + "\n")
	}
	with := 0
	for _, f := range r.Figures {
		if f.Met != nil {
			with++
		}
	}
	fmt.Fprintf(out, "%s%d of %d targets met\n", bullet, with-r.missed(), with)
}

func (r *report) writeJSON(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// The marks between which writeInto puts the table.
const (
	markBegin = "<!-- figures: made by make bench -->\n"
	markEnd   = "<!-- end of figures -->\n"
)

// writeInto replaces what stands between the two marks of a Markdown file.
func (r *report) writeInto(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), markBegin)
	_, after, ends := strings.Cut(rest, markEnd)
	if !begins || !ends {
		return fmt.Errorf("%s: there is no place for the table, it wants the lines %q and %q", file, strings.TrimSpace(markBegin), strings.TrimSpace(markEnd))
	}
	return os.WriteFile(file, []byte(before+markBegin+"\n"+r.markdown()+"\n"+markEnd+after), 0o644)
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile interpolates between the two nearest values.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}
