package configs

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Difference is what differs between two configurations in force.
type Difference struct {
	Kind EntryKind `json:"kind,omitempty"` // "" for what belongs to no entry: global, access
	Name string    `json:"name,omitempty"`
	Key  string    `json:"key,omitempty"` // "" = the whole entry is only in one of them
	Old  string    `json:"old,omitempty"` // secrets are masked; "" = not there
	New  string    `json:"new,omitempty"`
}

// String writes the difference as a line.
func (d Difference) String() string {
	what := strings.TrimSpace(fmt.Sprintf("%s %s", d.Kind, d.Name))
	if d.Key != "" {
		what = strings.TrimSpace(what+" "+d.Key) + ":"
	}
	switch {
	case d.Old == "":
		return "+ " + strings.TrimRight(what+" "+d.New, " ")
	case d.New == "":
		return "- " + strings.TrimRight(what+" "+d.Old, " ")
	default:
		return "~ " + what + " " + d.Old + " → " + d.New
	}
}

// present stands for an entry as a whole.
const present = "defined"

// Diff compares what two configurations mean: entry by entry and key by key,
// defaults applied. Neither the order of entries nor the file that they are in
// matters.
func Diff(a, b *Config) []Difference {
	old, new := flatten(a), flatten(b)
	var list []Difference
	for _, at := range slices.SortedFunc(maps.Keys(union(old, new)), compareFlat) {
		before, had := old[at]
		after, has := new[at]
		if had && has && sameValue(before, after) {
			continue
		}
		if at.key != "" && at.kind != "" && !(hasEntry(old, at) && hasEntry(new, at)) {
			continue // the entry is new or gone: that says it all
		}
		d := Difference{Kind: at.kind, Name: at.name, Key: at.key}
		if had {
			d.Old = at.show(before)
		}
		if has {
			d.New = at.show(after)
		}
		if d.Old == masked && d.New == masked {
			d.New = maskedNew
		}
		list = append(list, d)
	}
	return list
}

// flat is the place of one value.
type flat struct {
	rank      int
	kind      EntryKind
	name, key string
}

func hasEntry(m map[flat]reflect.Value, at flat) bool {
	at.key = ""
	_, ok := m[at]
	return ok
}

func compareFlat(a, b flat) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name), cmp.Compare(a.key, b.key))
}

func union(a, b map[flat]reflect.Value) map[flat]bool {
	all := make(map[flat]bool, len(a))
	for _, m := range []map[flat]reflect.Value{a, b} {
		for k := range m {
			all[k] = true
		}
	}
	return all
}

func (at flat) show(v reflect.Value) string {
	if at.key == "" {
		return present
	}
	text := display(strings.Split(at.key, "."), v)
	if text == "" {
		return `""`
	}
	return text
}

// flatten lists the values of a configuration by their places.
func flatten(c *Config) map[flat]reflect.Value {
	f := &flattener{tables: tables{}, out: map[flat]reflect.Value{}}
	f.walk(flat{rank: 0}, reflect.ValueOf(c.Global), "global")
	for i := range c.Access.Users {
		u := &c.Access.Users[i]
		f.walk(flat{rank: 1}, reflect.ValueOf(*u), "access.users["+u.User+"]")
	}
	entry := func(rank int, kind EntryKind, name string, v any) {
		at := flat{rank: rank, kind: kind, name: name}
		f.out[at] = reflect.ValueOf(present)
		f.walk(at, reflect.ValueOf(v), "")
	}
	for i := range c.Connections {
		entry(2, ConnectionEntry, c.Connections[i].Name, c.Connections[i])
	}
	for i := range c.Applications {
		entry(3, ApplicationEntry, c.Applications[i].Slug, c.Applications[i])
	}
	for i := range c.Queues {
		entry(4, QueueEntry, c.Queues[i].Name, c.Queues[i])
	}
	return f.out
}

type flattener struct {
	tables tables
	out    map[flat]reflect.Value
}

// walk notes the values below v. What is empty is not there.
func (f *flattener) walk(at flat, v reflect.Value, key string) {
	join := func(name string) string { return strings.TrimPrefix(key+"."+name, ".") }
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		if v.Elem().Kind() == reflect.Struct {
			at := at
			at.key = key
			f.out[at] = reflect.ValueOf(present) // tls: {} is not the same as no tls
		}
		v = v.Elem()
		if v.Kind() == reflect.String { // unset and empty differ
			at.key = key
			f.out[at] = v
			return
		}
	}
	switch {
	case v.Kind() == reflect.Struct && !isScalarType(v.Type()):
		for _, field := range f.tables.of(v.Type()).fields {
			f.walk(at, v.Field(field.index), join(field.name))
		}
	case v.Type() == reflect.TypeFor[[]ApplicationConnection]():
		for i := range v.Len() {
			f.walk(at, v.Index(i), key+"["+v.Index(i).FieldByName("Connection").String()+"]")
		}
	case v.Kind() == reflect.Map:
		for _, k := range v.MapKeys() {
			f.walk(at, v.MapIndex(k), join(k.String()))
		}
	case v.Kind() == reflect.Interface:
		if !v.IsNil() {
			f.walk(at, v.Elem(), key)
		}
	case v.Kind() == reflect.Bool || v.Kind() == reflect.Int || !v.IsZero():
		at.key = key
		f.out[at] = v
	}
}
