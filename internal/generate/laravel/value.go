package laravel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A value is what a generated file holds: nil, bool, int, float64, string,
// reference, list or table.
type value any

// reference stands for an environment variable, read by the application.
type reference string

type list []value

// table is a PHP array with names, in its order.
type table []field

type field struct {
	key     string
	value   value
	comment string // above the field in PHP, of one line
}

func (t table) find(key string) (value, bool) {
	for _, f := range t {
		if f.key == key {
			return f.value, true
		}
	}
	return nil, false
}

// phpText writes v as PHP source. depth is how far it is indented.
func phpText(b *strings.Builder, v value, depth int) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int:
		b.WriteString(strconv.Itoa(v))
	case float64:
		b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
	case string:
		b.WriteString(phpQuote(v))
	case reference:
		b.WriteString("env(" + phpQuote(string(v)) + ")")
	case list:
		b.WriteString("[")
		for i, one := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			phpText(b, one, depth)
		}
		b.WriteString("]")
	case table:
		phpTable(b, v, depth)
	default:
		panic(fmt.Sprintf("laravel: a %T in a generated file", v))
	}
}

func phpTable(b *strings.Builder, t table, depth int) {
	if len(t) == 0 {
		b.WriteString("[]")
		return
	}
	indent := strings.Repeat("    ", depth+1)
	b.WriteString("[\n")
	for _, f := range t {
		if f.comment != "" {
			b.WriteString(indent + "// " + f.comment + "\n")
		}
		b.WriteString(indent + phpQuote(f.key) + " => ")
		phpText(b, f.value, depth+1)
		b.WriteString(",\n")
	}
	b.WriteString(indent[4:] + "]")
}

// phpQuote writes any bytes as a PHP string: within single quotes only the
// quote and the backslash mean something else.
func phpQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// envKey marks a reference in JSON.
const envKey = "$env"

// MarshalJSON writes the fields in their order.
func (t table) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range t {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{f.key, f.value} {
			text, err := json.Marshal(part)
			if err != nil {
				return nil, err
			}
			if j > 0 {
				b.WriteByte(':')
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// MarshalJSON writes {"$env": NAME}.
func (r reference) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{envKey: string(r)})
}

// tree is v in the form in which PHP reports what it has read: arrays as lists
// of pairs, so that order and kind of the keys count.
func tree(v value) any {
	switch v := v.(type) {
	case nil:
		return []any{"null"}
	case bool:
		return []any{"bool", v}
	case int:
		return []any{"int", strconv.Itoa(v)}
	case float64:
		return []any{"float", strconv.FormatFloat(v, 'g', -1, 64)}
	case string:
		return []any{"string", v}
	case reference:
		return []any{"env", string(v)}
	case list:
		pairs := []any{}
		for i, one := range v {
			pairs = append(pairs, []any{strconv.Itoa(i), tree(one)})
		}
		return []any{"array", pairs}
	case table:
		pairs := []any{}
		for _, f := range v {
			pairs = append(pairs, []any{f.key, tree(f.value)})
		}
		return []any{"array", pairs}
	default:
		panic(fmt.Sprintf("laravel: a %T in a generated file", v))
	}
}
