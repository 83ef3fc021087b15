package logging

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strconv"
)

// render turns a resolved value into something that neither encoder can fail
// on: nil, a bool, a number, a masked string or, for JSON, a masked
// json.RawMessage.
func (h *handler) render(v slog.Value) any {
	switch v.Kind() {
	case slog.KindString:
		return h.redactor.Mask(v.String())
	case slog.KindBool, slog.KindInt64, slog.KindUint64:
		return v.Any()
	case slog.KindFloat64:
		return finite(v.Float64())
	case slog.KindDuration:
		return v.Duration().String()
	case slog.KindTime:
		return formatTime(v.Time())
	default:
		return h.renderAny(v.Any())
	}
}

// renderAny never panics, whatever the methods of v do.
func (h *handler) renderAny(v any) (rendered any) {
	defer func() {
		if p := recover(); p != nil {
			rendered = h.redactor.Mask(panicText(v, p))
		}
	}()
	switch v := v.(type) {
	case nil:
		return nil
	case error:
		return h.redactor.Mask(v.Error())
	case []byte:
		return h.redactor.Mask(string(v))
	case []string:
		if !h.json {
			return h.redactor.Mask(fmt.Sprint(v))
		}
	case json.Marshaler:
		if h.json {
			return h.renderJSON(v)
		}
	}
	switch v := v.(type) {
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return h.redactor.Mask("!ERROR: " + err.Error())
		}
		return h.redactor.Mask(string(text))
	case fmt.Stringer:
		return h.redactor.Mask(v.String())
	}
	return h.renderKind(v)
}

func (h *handler) renderKind(v any) any {
	value := reflect.ValueOf(v)
	switch value.Kind() {
	case reflect.String:
		return h.redactor.Mask(value.String())
	case reflect.Bool:
		return value.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return value.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return value.Uint()
	case reflect.Float32, reflect.Float64:
		return finite(value.Float())
	case reflect.Complex64, reflect.Complex128, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return fmt.Sprintf("%T", v)
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
	}
	return h.renderJSON(v)
}

// renderJSON writes lists, maps and structs. encoding/json finds cycles and
// leaves unexported fields out, which fmt does not.
func (h *handler) renderJSON(v any) any {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return h.redactor.Mask("!ERROR: " + err.Error())
	}
	text := h.redactor.Mask(string(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))))
	if h.json && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

// finite returns f, or its name where JSON has no number for it.
func finite(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return f
}

func panicText(v, p any) string {
	if value := reflect.ValueOf(v); value.Kind() == reflect.Pointer && value.IsNil() {
		return "<nil>"
	}
	return fmt.Sprintf("!PANIC: %v", p)
}
