package configs

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// pivots merges the connections of an application one by one, by their names.
// It reports false where the list can only be set as a whole.
func (m *merge) pivots(from, to, was Entry) bool {
	n := to.origin.node()
	i := own(n, "connections")
	if i < 0 || n.Content[i+1].Kind != yaml.SequenceNode || len(n.Content[i+1].Content) == 0 {
		return false
	}
	list, given := n.Content[i+1], find(from.origin.node(), "connections")
	index := map[string]int{}
	for j, p := range to.Application().Connections {
		index[p.Connection] = j
	}
	w := newNodeWriter()
	for j, p := range from.Application().Connections {
		c := Change{Action: ActionChange, Kind: to.Kind, Name: to.Name, File: to.File, Key: "connections[" + p.Connection + "]"}
		value := reflect.ValueOf(p)
		at, known := index[p.Connection]
		if !known {
			item := w.structure(value, reflect.ValueOf(ApplicationConnection{Active: true}), reflect.ValueOf(ApplicationConnection{Active: true}))
			item.Style, c.New = yaml.FlowStyle, flowText(item)
			if m.take(c) {
				m.todo(to, func(e *edit) error { e.add(list, item); return nil })
			}
			continue
		}
		m.pivot(c, list.Content[at], deref(deref(given).Content[j]), [3]reflect.Value{value, reflect.ValueOf(to.Application().Connections[at]), pivotOf(was, p.Connection)}, to)
	}
	return true
}

// pivotOf is how an application named a connection the last time, if it did.
func pivotOf(was Entry, connection string) reflect.Value {
	if was.value.IsValid() {
		for _, p := range was.Application().Connections {
			if p.Connection == connection {
				return reflect.ValueOf(p)
			}
		}
	}
	return reflect.Value{}
}

// pivot merges the keys of one connection of an application; values are those
// that are given, that are there, and that were given the last time.
func (m *merge) pivot(c Change, n, given *yaml.Node, values [3]reflect.Value, to Entry) {
	prefix := c.Key
	for i := 0; i+1 < len(given.Content) && given.Kind == yaml.MappingNode; i += 2 {
		path := []string{given.Content[i].Value}
		got, _ := fieldAt(values[0], path)
		have, known := fieldAt(values[1], path)
		if !known || sameAt(got, have) || n.Kind != yaml.MappingNode {
			continue
		}
		c.Action, c.Key, c.New, c.Old, c.Line = ActionChange, prefix+"."+path[0], display(path, got), "", n.Line
		if own(n, path[0]) >= 0 {
			c.Old = display(path, have)
		}
		if m.conflict(&c, path, got, have, Entry{value: values[2]}) || !m.take(c) {
			continue
		}
		value := newNodeWriter().whole(got, false)
		m.todo(to, func(e *edit) error { return e.at(n, path, value) })
	}
}
