package configs

import (
	"reflect"
	"strings"
)

// table is what the decoder and the hash know about a struct type.
type table struct {
	fields []field
	byName map[string]int // YAML key → index in fields
	names  []string
}

// field is one struct field. The conf tag says what else it is:
// "file" a file that is read or handed to workers: relative to the file that
// names it, and below secret_dir in a fragment; "path" only relative; "one=x"
// at most one key of the group x is in force, and an entry's own replaces an
// inherited one.
type field struct {
	index int // in the struct
	name  string
	path  bool
	group string
}

// tables holds the tables of the types seen so far.
type tables map[reflect.Type]*table

func (t tables) of(typ reflect.Type) *table {
	if known, ok := t[typ]; ok {
		return known
	}
	made := &table{byName: map[string]int{}}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		kind, group := cutGroup(f.Tag.Get("conf"))
		made.byName[name] = len(made.fields)
		made.names = append(made.names, name)
		made.fields = append(made.fields, field{index: i, name: name, path: kind == "file" || kind == "path", group: group})
	}
	t[typ] = made
	return made
}

// cutGroup separates the one= part of a conf tag from the rest.
func cutGroup(conf string) (rest, group string) {
	for part := range strings.SplitSeq(conf, ",") {
		if g, found := strings.CutPrefix(part, "one="); found {
			group = g
			continue
		}
		rest = part
	}
	return rest, group
}

// deepCopy returns v with its own pointers, maps and lists, so that entries
// that inherit the same default never share anything that can be changed.
func deepCopy(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(deepCopy(v.Elem()))
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(it.Key(), deepCopy(it.Value()))
		}
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(deepCopy(v.Index(i)))
		}
		return out
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type()).Elem()
		out.Set(deepCopy(v.Elem()))
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && refers(v.Field(i).Kind()) {
				out.Field(i).Set(deepCopy(v.Field(i)))
			}
		}
		return out
	default:
		return v
	}
}

// refers reports whether values of this kind can hold references of ours.
func refers(k reflect.Kind) bool {
	switch k {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface, reflect.Struct:
		return true
	default:
		return false
	}
}
