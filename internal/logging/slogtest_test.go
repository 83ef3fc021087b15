package logging_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/queuefleet/queuefleet/internal/logging"
)

func TestHandlerPassesSlogtest(t *testing.T) {
	parsers := map[string]func(*testing.T, string) map[string]any{
		logging.FormatJSON:   parseJSON,
		logging.FormatLogfmt: parseLogfmt,
	}
	for format, parse := range parsers {
		t.Run(format, func(t *testing.T) {
			var buf bytes.Buffer
			slogtest.Run(t,
				func(*testing.T) slog.Handler {
					buf.Reset()
					return logging.New(&buf, logging.Options{Format: format}).Handler()
				},
				func(t *testing.T) map[string]any {
					fields := parse(t, strings.TrimSuffix(buf.String(), "\n"))
					if ts, ok := fields["ts"]; ok { // slogtest asks for slog's own name
						fields[slog.TimeKey] = ts
						delete(fields, "ts")
					}
					return fields
				})
		})
	}
}

func parseJSON(t *testing.T, line string) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	return fields
}

// parseLogfmt reads the plain words that slogtest logs.
func parseLogfmt(t *testing.T, line string) map[string]any {
	t.Helper()
	root := map[string]any{}
	for field := range strings.FieldsSeq(line) {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			t.Fatalf("line %q: %q is no key=value", line, field)
		}
		object := root
		path := strings.Split(key, ".")
		for _, group := range path[:len(path)-1] {
			inner, ok := object[group].(map[string]any)
			if !ok {
				inner = map[string]any{}
				object[group] = inner
			}
			object = inner
		}
		object[path[len(path)-1]] = value
	}
	return root
}
