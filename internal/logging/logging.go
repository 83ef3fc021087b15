package logging

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-kit/log"
)

// The formats of a log line.
const (
	FormatLogfmt = "logfmt"
	FormatJSON   = "json"
)

// Options say how log lines look and what is left out of them.
type Options struct {
	Level    slog.Leveler // least level that is written; nil means info
	Format   string       // FormatJSON, anything else means FormatLogfmt
	Redactor *Redactor    // masks secrets; nil means one that knows none
}

// New returns a logger that writes each record as one line, with one Write,
// to w. It is safe for concurrent use whatever w is.
func New(w io.Writer, o Options) *slog.Logger {
	h := &handler{
		level:    o.Level,
		redactor: o.Redactor,
		json:     o.Format == FormatJSON,
	}
	if h.level == nil {
		h.level = slog.LevelInfo
	}
	if h.redactor == nil {
		h.redactor = &Redactor{}
	}
	w = log.NewSyncWriter(w)
	if h.json {
		h.sink = log.NewJSONLogger(w)
	} else {
		h.sink = log.NewLogfmtLogger(w)
	}
	return slog.New(h)
}

// ParseLevel reads debug, info, warn or error.
func ParseLevel(text string) (slog.Level, error) {
	switch text {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	default:
		return 0, fmt.Errorf("not a log level: %q (use debug, info, warn or error)", text)
	}
}
