package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/logging"
)

var origin = regexp.MustCompile(`^ts=\S+ caller=\S+ `)

// line logs one record as logfmt and returns it without time and caller.
func line(t *testing.T, format string, do func(*slog.Logger)) string {
	t.Helper()
	var buf bytes.Buffer
	do(logging.New(&buf, logging.Options{Level: slog.LevelDebug, Format: format}))
	text, ok := strings.CutSuffix(buf.String(), "\n")
	if !ok || strings.Contains(text, "\n") {
		t.Fatalf("not exactly one line: %q", buf.String())
	}
	return origin.ReplaceAllString(text, "")
}

type colour int

func (colour) String() string { return "red & blue" }

type broken struct{}

func (broken) String() string { panic("no colour") }

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

type pair struct {
	Name   string
	hidden string
}

func TestValuesInBothFormats(t *testing.T) {
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	tests := []struct {
		name   string
		value  any
		logfmt string
		json   string
	}{
		{"string", "a b", `v="a b"`, `"a b"`},
		{"newline stays on the line", "a\nlevel=error", `v="a\nlevel=error"`, `"a\nlevel=error"`},
		{"empty", "", `v=`, `""`},
		{"nil", nil, `v=null`, `null`},
		{"bool", true, `v=true`, `true`},
		{"int", -3, `v=-3`, `-3`},
		{"uint64", uint64(math.MaxUint64), `v=18446744073709551615`, `18446744073709551615`},
		{"float", 0.25, `v=0.25`, `0.25`},
		{"not a number", math.NaN(), `v=NaN`, `"NaN"`},
		{"infinity", math.Inf(1), `v=+Inf`, `"+Inf"`},
		{"duration", 1500 * time.Millisecond, `v=1.5s`, `"1.5s"`},
		{"time", time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), `v=2027-01-31T00:00:00Z`, `"2027-01-31T00:00:00Z"`},
		{"error", errors.New("x=1"), `v="x=1"`, `"x=1"`},
		{"joined errors", errors.Join(io.EOF, io.ErrClosedPipe), `v="EOF\nio: read/write on closed pipe"`, `"EOF\nio: read/write on closed pipe"`},
		{"nil error in a pointer", (*nilError)(nil), `v=<nil>`, `"<nil>"`},
		{"stringer", colour(1), `v="red & blue"`, `"red & blue"`},
		{"panicking stringer", broken{}, `v="!PANIC: no colour"`, `"!PANIC: no colour"`},
		{"text marshaler", slog.LevelWarn, `v=WARN`, `"WARN"`},
		{"bytes", []byte("raw"), `v=raw`, `"raw"`},
		{"strings", []string{"a", "b"}, `v="[a b]"`, `["a","b"]`},
		{"ints", []int{1, 2}, `v=[1,2]`, `[1,2]`},
		{"map", map[string]int{"a": 1}, `v="{\"a\":1}"`, `{"a":1}`},
		{"struct shows no unexported field", pair{"n", "h"}, `v="{\"Name\":\"n\"}"`, `{"Name":"n"}`},
		{"pointer to struct", &pair{"n", "h"}, `v="{\"Name\":\"n\"}"`, `{"Name":"n"}`},
		{"nil pointer", (*pair)(nil), `v=null`, `null`},
		{"raw json", json.RawMessage(`{"a":[1]}`), `v="{\"a\":[1]}"`, `{"a":[1]}`},
		{"channel", make(chan int), `v="chan int"`, `"chan int"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := line(t, logging.FormatLogfmt, func(l *slog.Logger) { l.Info("m", "v", tt.value) })
			if diff := cmp.Diff("level=info msg=m "+tt.logfmt, got); diff != "" {
				t.Errorf("logfmt (-want +got):\n%s", diff)
			}
			got = line(t, logging.FormatJSON, func(l *slog.Logger) { l.Info("m", "v", tt.value) })
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(got), &fields); err != nil {
				t.Fatalf("%q: %v", got, err)
			}
			if diff := cmp.Diff(tt.json, string(fields["v"])); diff != "" {
				t.Errorf("json (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("cyclic map", func(t *testing.T) {
		for _, format := range []string{logging.FormatLogfmt, logging.FormatJSON} {
			got := line(t, format, func(l *slog.Logger) { l.Info("m", "v", cyclic) })
			if !strings.Contains(got, "!ERROR: json: unsupported value: encountered a cycle") {
				t.Errorf("%s: %q", format, got)
			}
		}
	})
}

func TestLinesHoldTogether(t *testing.T) {
	tests := []struct {
		name string
		do   func(*slog.Logger)
		want string
	}{
		{
			"attributes of With come before those of the record",
			func(l *slog.Logger) { l.With("a", 1).With("b", 2).Info("m", "c", 3) },
			`level=info msg=m a=1 b=2 c=3`,
		},
		{
			"siblings of With do not see each other",
			func(l *slog.Logger) {
				parent := l.With("a", 1)
				_ = parent.With("x", 1)
				parent.With("y", 2).Info("m")
			},
			`level=info msg=m a=1 y=2`,
		},
		{
			"groups are prefixes",
			func(l *slog.Logger) { l.WithGroup("g").With("a", 1).WithGroup("h").Info("m", slog.Group("i", "b", 2)) },
			`level=info msg=m g.a=1 g.h.i.b=2`,
		},
		{
			"an attribute never takes the place of the message or the level",
			func(l *slog.Logger) { l.Warn("m", "msg", "other", "level", "none", "ts", 0, "caller", "c") },
			`level=warn msg=m attr_msg=other attr_level=none attr_ts=0 attr_caller=c`,
		},
		{
			"a key that logfmt cannot write does not lose the line",
			func(l *slog.Logger) { l.Info("m", "", 1, "= \"", 2, "a b", 3) },
			`level=info msg=m _=1 _=2 ab=3`,
		},
		{
			"a value without a key is shown",
			func(l *slog.Logger) { l.Info("m", []any{"alone"}...) },
			`level=info msg=m !BADKEY=alone`,
		},
		{
			"levels between the named ones",
			func(l *slog.Logger) { l.Log(t.Context(), slog.LevelInfo+1, "m") },
			`level=info+1 msg=m`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, line(t, logging.FormatLogfmt, tt.do)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONKeepsBuiltinKeys(t *testing.T) {
	got := line(t, logging.FormatJSON, func(l *slog.Logger) {
		l.WithGroup("g").Warn("m", "msg", "inner", slog.Group("h", "a", 1))
	})
	fields := parseJSON(t, got)
	delete(fields, "ts")
	delete(fields, "caller")
	want := map[string]any{
		"level": "warn", "msg": "m",
		"g": map[string]any{"msg": "inner", "h": map[string]any{"a": 1.0}},
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCallerAndTime(t *testing.T) {
	var buf bytes.Buffer
	logging.New(&buf, logging.Options{}).Info("m")
	want := regexp.MustCompile(`^ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z caller=logging_test\.go:\d+ level=info msg=m\n$`)
	if !want.MatchString(buf.String()) {
		t.Errorf("got %q", buf.String())
	}
}

func TestLevel(t *testing.T) {
	for _, name := range []string{"debug", "info", "warn", "error"} {
		level, err := logging.ParseLevel(name)
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		logger := logging.New(&buf, logging.Options{Level: level})
		logger.Log(t.Context(), level-1, "below")
		logger.Log(t.Context(), level, "at")
		if got := buf.String(); strings.Contains(got, "below") || !strings.Contains(got, "at") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if _, err := logging.ParseLevel("loud"); err == nil {
		t.Error("an unknown level was accepted")
	}
}

// oneWrite fails the test where a line does not come in one piece.
type oneWrite struct {
	t     *testing.T
	lines int
}

func (w *oneWrite) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, []byte("ts=")) || bytes.Count(p, []byte("\n")) != 1 || p[len(p)-1] != '\n' {
		w.t.Errorf("a write is not a line: %q", p)
	}
	w.lines++
	return len(p), nil
}

func TestConcurrentLinesDoNotMix(t *testing.T) {
	w := &oneWrite{t: t}
	logger := logging.New(w, logging.Options{Redactor: &logging.Redactor{}})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				logger.With("worker", i).Info("m", "line", j, "err", fmt.Errorf("line %d", j))
			}
		})
	}
	wg.Wait()
	if w.lines != 400 {
		t.Errorf("%d lines, want 400", w.lines)
	}
}
