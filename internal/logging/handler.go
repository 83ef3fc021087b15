package logging

import (
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-kit/log"
)

// The keys that every line begins with.
const (
	keyTime    = "ts"
	keyCaller  = "caller"
	keyLevel   = "level"
	keyMessage = "msg"
)

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// handler hands records to a go-kit logger.
//
// Attributes given to With are kept as they are and rendered with each record,
// because the secrets to mask may become known after With was called.
type handler struct {
	sink     log.Logger
	level    slog.Leveler
	redactor *Redactor
	json     bool
	scopes   []scope // what With and WithGroup were called with, in order
}

// scope is a group that was opened or, where group is empty, attributes.
type scope struct {
	group string
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return h.with(scope{attrs: attrs})
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(scope{group: name})
}

func (h *handler) with(s scope) *handler {
	clone := *h
	clone.scopes = append(slices.Clip(h.scopes), s)
	return &clone
}

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	keyvals := make([]any, 0, 8+2*r.NumAttrs()+4*len(h.scopes))
	if !r.Time.IsZero() {
		keyvals = append(keyvals, keyTime, r.Time.UTC().Format(timeFormat))
	}
	if caller := caller(r.PC); caller != "" {
		keyvals = append(keyvals, keyCaller, caller)
	}
	keyvals = append(keyvals, keyLevel, strings.ToLower(r.Level.String()), keyMessage, h.redactor.Mask(r.Message))
	if h.json {
		keyvals = h.appendNested(keyvals, r)
	} else {
		keyvals = h.appendFlat(keyvals, r)
	}
	return h.sink.Log(keyvals...)
}

// appendFlat adds the attributes with their groups as dotted prefixes, since
// logfmt knows no nesting.
func (h *handler) appendFlat(keyvals []any, r slog.Record) []any {
	var prefix strings.Builder
	for _, s := range h.scopes {
		if s.group != "" {
			prefix.WriteString(s.group)
			prefix.WriteByte('.')
			continue
		}
		for _, a := range s.attrs {
			keyvals = h.appendFlatAttr(keyvals, prefix.String(), a)
		}
	}
	r.Attrs(func(a slog.Attr) bool {
		keyvals = h.appendFlatAttr(keyvals, prefix.String(), a)
		return true
	})
	return keyvals
}

func (h *handler) appendFlatAttr(keyvals []any, prefix string, a slog.Attr) []any {
	a.Value = a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return keyvals
	}
	if a.Value.Kind() != slog.KindGroup {
		return append(keyvals, logfmtKey(prefix, a.Key), h.render(a.Value))
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range a.Value.Group() {
		keyvals = h.appendFlatAttr(keyvals, prefix, member)
	}
	return keyvals
}

// logfmtKey returns a key that go-kit's encoder accepts: it drops what it
// cannot write and refuses the whole line where nothing is left.
func logfmtKey(prefix, key string) string {
	if prefix == "" {
		key = attrKey(key)
	}
	key = prefix + key
	writable := func(r rune) bool { return r > ' ' && r != '=' && r != '"' && r != utf8.RuneError }
	if !strings.ContainsFunc(key, writable) {
		return "_"
	}
	return key
}

// appendNested adds the attributes with their groups as nested objects.
func (h *handler) appendNested(keyvals []any, r slog.Record) []any {
	root := map[string]any{}
	var path []string
	for _, s := range h.scopes {
		if s.group != "" {
			path = append(path, s.group)
			continue
		}
		h.nest(root, path, s.attrs)
	}
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	h.nest(root, path, attrs)
	for key, value := range root {
		keyvals = append(keyvals, attrKey(key), value)
	}
	return keyvals
}

// nest adds attrs to the object that path leads to. An object without members
// is not made.
func (h *handler) nest(object map[string]any, path []string, attrs []slog.Attr) {
	for _, a := range attrs {
		a.Value = a.Value.Resolve()
		switch {
		case a.Equal(slog.Attr{}):
		case a.Value.Kind() != slog.KindGroup:
			descend(object, path)[a.Key] = h.render(a.Value)
		case a.Key == "":
			h.nest(object, path, a.Value.Group())
		default:
			h.nest(object, append(slices.Clip(path), a.Key), a.Value.Group())
		}
	}
}

func descend(object map[string]any, path []string) map[string]any {
	for _, name := range path {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	return object
}

// attrKey keeps an attribute of somebody else's from replacing the message,
// or from being taken for it.
func attrKey(key string) string {
	switch key {
	case keyTime, keyCaller, keyLevel, keyMessage:
		return "attr_" + key
	default:
		return key
	}
}

func caller(pc uintptr) string {
	if pc == 0 {
		return ""
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	if frame.File == "" {
		return ""
	}
	return filepath.Base(frame.File) + ":" + strconv.Itoa(frame.Line)
}

func formatTime(t time.Time) string { return t.Format(time.RFC3339Nano) }
