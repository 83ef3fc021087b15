package connection

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestGoRedisLogsAtDebugOnly(t *testing.T) {
	for level, want := range map[slog.Level]string{slog.LevelDebug: "redis: 7 sockets", slog.LevelInfo: ""} {
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))
		printer{logger}.Printf(t.Context(), "redis: %d sockets", 7)
		if got := out.String(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("at level %s: %q, want %q", level, got, want)
		}
	}
}
