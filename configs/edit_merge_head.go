package configs

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// head merges what belongs to no entry: global key by key, and the users of
// access by their names. Both go to the main file.
func (m *merge) head() {
	main, from := m.d.files[0], m.from.s
	m.d.decode()
	w := newNodeWriter()
	w.plain = true
	if given := find(from.root, "global"); from.root != nil && given != nil && deref(given).Kind == yaml.MappingNode {
		w.dir = m.d.sources[0].dir
		have, got := reflect.ValueOf(m.d.sources[0].head.Global), reflect.ValueOf(from.head.Global)
		for i := 0; i+1 < len(deref(given).Content); i += 2 {
			path := []string{deref(given).Content[i].Value}
			before, known := fieldAt(have, path)
			after, _ := fieldAt(got, path)
			if !known || sameAt(before, after) {
				continue
			}
			c := Change{Action: ActionChange, Key: "global." + path[0], New: display(path, after), File: main.path}
			if old := m.own("global." + path[0]); old != nil {
				c.Action, c.Old, c.Line = ActionConflict, display(path, before), old.Line
			}
			if m.take(c) {
				m.heads = append(m.heads, headSet{[]string{"global", path[0]}, w.whole(after, path[0] == "age_identity_files")})
			}
		}
	}
	m.access(w)
}

// access adds the users that are not there; one that is there with something
// else is a conflict, which can only be kept.
func (m *merge) access(w *nodeWriter) {
	have := map[string]User{}
	for _, u := range m.d.sources[0].head.Access.Users {
		have[u.User] = u
	}
	for _, u := range m.from.s.head.Access.Users {
		item := w.structure(reflect.ValueOf(u), reflect.ValueOf(User{}), reflect.ValueOf(User{}))
		item.Style = yaml.FlowStyle
		c := Change{Action: ActionChange, Key: "access.users[" + u.User + "]", New: flowText(item), File: m.d.path}
		old, known := have[u.User]
		switch {
		case !known:
			m.take(c)
			m.users = append(m.users, item)
		case !sameValue(reflect.ValueOf(old), reflect.ValueOf(u)):
			c.Action, c.Old = ActionConflict, old.Role
			m.take(c)
		}
	}
}

// own finds a key that the main file itself gives.
func (m *merge) own(key string) *yaml.Node {
	if m.d.files[0].t.root == nil {
		return nil
	}
	return find(m.d.files[0].t.root, key)
}

// headSet is a key that the main file is to get.
type headSet struct {
	path  []string
	value *yaml.Node
}

// applyHead makes the changes of the head.
func (m *merge) applyHead() error {
	main := m.d.files[0]
	list := m.own("access.users")
	if len(m.users) > 0 && (list == nil || list.Kind != yaml.SequenceNode) {
		list = nil
		m.heads = append(m.heads, headSet{[]string{"access", "users"}, &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: m.users}})
	}
	if len(m.heads) == 0 && len(m.users) == 0 {
		return nil
	}
	if main.t.root == nil {
		root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, h := range m.heads {
			put(root, h.path, h.value)
		}
		return m.d.append(main, root)
	}
	return m.d.change(main, func(e *edit) error {
		for _, h := range m.heads {
			if err := e.at(main.t.root, h.path, h.value); err != nil {
				return err
			}
		}
		for _, u := range m.users {
			if list != nil {
				e.add(list, u)
			}
		}
		return nil
	})
}

// append writes keys at the end of a file that has none yet.
func (d *Editor) append(f *editFile, root *yaml.Node) error {
	text := f.t.text
	if text != "" && !isBreak(text[len(text)-1]) {
		text += f.t.newline
	}
	return d.setText(f, text+renderer{f.t.newline, 2}.block(root, 0)+f.t.newline)
}
