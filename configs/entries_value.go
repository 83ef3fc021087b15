package configs

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

func (w *nodeWriter) list(v reflect.Value, path bool) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for i := range v.Len() {
		item := v.Index(i)
		switch {
		case item.Kind() == reflect.Struct:
			floor, ok := w.bases[item.Type()]
			if !ok {
				floor = reflect.Zero(item.Type())
			}
			one := w.structure(item, floor, floor)
			one.Style = yaml.FlowStyle
			n.Content = append(n.Content, one)
		case path:
			n.Content = append(n.Content, textNode(w.path(item.String())))
		default:
			n.Content = append(n.Content, w.free(item))
		}
	}
	return n
}

// mapping writes the keys that differ; a key that is inherited and not there
// any more becomes null.
func (w *nodeWriter) mapping(v, start reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	keys := map[string]bool{}
	for _, m := range []reflect.Value{v, start} {
		for _, k := range m.MapKeys() {
			keys[k.String()] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		key := reflect.ValueOf(k)
		got, from := v.MapIndex(key), start.MapIndex(key)
		switch {
		case !got.IsValid():
			n.Content = append(n.Content, textNode(k), nullNode())
		case !from.IsValid() || !sameValue(got, from):
			n.Content = append(n.Content, textNode(k), w.free(got))
		}
	}
	return n
}

// free writes a value of whatever shape, whole.
func (w *nodeWriter) free(v reflect.Value) *yaml.Node {
	for v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nullNode()
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Map:
		return w.mapping(v, reflect.Zero(v.Type()))
	case reflect.Slice:
		return w.list(v, false)
	default:
		return scalarNode(v)
	}
}

// path writes a path for a file in w.dir.
func (w *nodeWriter) path(text string) string {
	if w.dir == "" || text == "" {
		return text
	}
	dir, derr := filepath.Abs(w.dir)
	full, ferr := filepath.Abs(text)
	if derr != nil || ferr != nil {
		return text
	}
	if rel, ok := relativeTo(dir, full); ok && dir != "/" {
		return rel
	}
	return full
}

// sameValue compares values; an empty list or map is one that is not there.
func sameValue(a, b reflect.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case reflect.Slice, reflect.Map:
		if a.Len() == 0 && b.Len() == 0 {
			return true
		}
	case reflect.Struct:
		if at, ok := reflect.TypeAssert[Time](a); ok {
			bt, _ := reflect.TypeAssert[Time](b)
			return at.Equal(bt.Time)
		}
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// scalarNode writes a scalar, nil where v is none.
func scalarNode(v reflect.Value) *yaml.Node {
	switch x := v.Interface().(type) {
	case Secret:
		return textNode(x.Reveal())
	case Duration:
		return plainNode("!!str", x.String())
	case Bytes:
		return plainNode("!!str", x.String())
	case Time:
		return plainNode("!!timestamp", x.String())
	}
	switch v.Kind() {
	case reflect.String:
		return textNode(v.String())
	case reflect.Bool:
		return plainNode("!!bool", strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int64:
		return plainNode("!!int", strconv.FormatInt(v.Int(), 10))
	case reflect.Uint64:
		return plainNode("!!int", strconv.FormatUint(v.Uint(), 10))
	case reflect.Float64:
		return floatNode(v.Float())
	default:
		return nil
	}
}

func floatNode(f float64) *yaml.Node {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return textNode(fmt.Sprint(f))
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return plainNode("!!float", text)
}

func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func plainNode(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}

func nullNode() *yaml.Node { return plainNode("!!null", "null") }
