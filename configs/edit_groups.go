package configs

import (
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// withoutOthers adds that the other ways of a group go where one is given: who
// gives a password_age does not keep the password_file.
func withoutOthers(m *yaml.Node, kind EntryKind, settings []Setting) []Setting {
	given := map[string]bool{}
	for _, s := range settings {
		given[s.Key] = true
	}
	all := slices.Clone(settings)
	for _, s := range settings {
		top, _, _ := strings.Cut(s.Key, ".")
		for _, key := range []string{s.Key, top} {
			for _, other := range groupOf(kind, key) {
				if !s.Unset && !given[other] && find(m, other) != nil {
					given[other] = true
					all = append(all, Setting{Key: other, Unset: true})
				}
			}
		}
	}
	return all
}

// groupOf lists the keys of which only one is in force, without key itself.
func groupOf(kind EntryKind, key string) []string {
	typ := entryType(kind)
	prefix, last := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		var err error
		if typ, _, err = typeAt(kind, key[:i]); err != nil {
			return nil
		}
		prefix, last = key[:i+1], key[i+1:]
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || isScalarType(typ) {
		return nil
	}
	t := tables{}.of(typ)
	at, ok := t.byName[last]
	if !ok || t.fields[at].group == "" {
		return nil
	}
	var others []string
	for _, f := range t.fields {
		if f.group == t.fields[at].group && f.name != last {
			others = append(others, prefix+f.name)
		}
	}
	return others
}
