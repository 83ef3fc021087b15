package configs

import (
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// givenPaths lists the keys that a mapping gives, blocks key by key.
func givenPaths(n *yaml.Node, kind EntryKind) [][]string {
	var list [][]string
	var walk func(n *yaml.Node, path []string, typ reflect.Type, depth int)
	t := tables{}
	walk = func(n *yaml.Node, path []string, typ reflect.Type, depth int) {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		n = deref(n)
		whole := isScalarType(typ) || typ.Kind() != reflect.Struct && typ.Kind() != reflect.Map
		if whole || n.Kind != yaml.MappingNode || len(n.Content) == 0 || depth > maxDepth {
			list = append(list, path)
			return
		}
		d := &decoder{bases: map[reflect.Type]reflect.Value{}, tables: t}
		pairs := d.unfold(n, 0)
		for i := 0; i+1 < len(pairs); i += 2 {
			key := pairs[i].Value
			below := typ
			if typ.Kind() == reflect.Map {
				below = typ.Elem()
			} else {
				at, ok := t.of(typ).byName[key]
				if !ok {
					continue
				}
				below = typ.Field(t.of(typ).fields[at].index).Type
			}
			walk(pairs[i+1], append(path[:len(path):len(path)], key), below, depth+1)
		}
	}
	walk(n, nil, entryType(kind), 0)
	return list
}

// fieldAt follows a path of keys below an entry's value. It reports false
// where there is nothing.
func fieldAt(v reflect.Value, path []string) (reflect.Value, bool) {
	t := tables{}
	for _, key := range path {
		for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		switch v.Kind() {
		case reflect.Struct:
			fields := t.of(v.Type())
			at, ok := fields.byName[key]
			if !ok {
				return reflect.Value{}, false
			}
			v = v.Field(fields.fields[at].index)
		case reflect.Map:
			if v = v.MapIndex(reflect.ValueOf(key)); !v.IsValid() {
				return v, false
			}
		default:
			return reflect.Value{}, false
		}
	}
	return v, true
}

func sameAt(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	return sameValue(a, b)
}

// isPathAt reports whether a key holds paths of files.
func isPathAt(kind EntryKind, path []string) bool {
	typ := entryType(kind)
	t := tables{}
	is := false
	for _, key := range path {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return false
		}
		at, ok := t.of(typ).byName[key]
		if !ok {
			return false
		}
		f := t.of(typ).fields[at]
		typ, is = typ.Field(f.index).Type, f.path
	}
	return is
}

// whole writes a value with everything in it.
func (w *nodeWriter) whole(v reflect.Value, path bool) *yaml.Node {
	if !v.IsValid() {
		return nullNode()
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nullNode()
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Struct {
		if n := scalarNode(v); n != nil {
			return n
		}
		floor, ok := w.bases[v.Type()]
		if !ok {
			floor = reflect.Zero(v.Type())
		}
		return w.structure(v, floor, floor)
	}
	if v.Kind() == reflect.Slice {
		return w.list(v, path)
	}
	if path {
		return textNode(w.path(v.String()))
	}
	return w.free(v)
}

// display writes a value for people; what is or may be a secret is masked.
func display(path []string, v reflect.Value) string {
	if !v.IsValid() {
		return "none"
	}
	if secretKey(path[len(path)-1]) || reflect.TypeFor[Secret]() == v.Type() {
		return masked
	}
	w := newNodeWriter()
	n := w.whole(v, false)
	maskNode(n)
	text := userinfo.ReplaceAllString(flowText(n), "${1}"+masked+"@")
	const most = 200
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// secretKey reports whether the value of a key is not for showing.
func secretKey(key string) bool {
	switch key {
	case "password_file", "password_env":
		return false
	}
	return secretName(key)
}

// maskNode masks the values of secret keys below a node.
func maskNode(n *yaml.Node) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if v := n.Content[i+1]; secretKey(n.Content[i].Value) && v.Kind == yaml.ScalarNode && v.Value != "" && !isNull(v) {
			n.Content[i+1] = textNode(masked)
		}
	}
	for _, child := range n.Content {
		maskNode(child)
	}
}
