package configs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Add puts a new entry into a file of the configuration; "" is the main file.
func (d *Editor) Add(kind EntryKind, name, file string, settings []Setting) error {
	if at, taken := d.Find(kind, name); taken {
		return fmt.Errorf("the %s %q is already defined at %s:%d", kind, name, at.File, at.Line)
	}
	f, err := d.file(file)
	if err != nil {
		return err
	}
	item := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{textNode(kind.nameKey()), textNode(name)}}
	for _, s := range inOrder(kind, settings) {
		n, err := settingNode(kind, s)
		if err != nil {
			return err
		}
		if n != nil {
			put(item, strings.Split(s.Key, "."), n)
		}
	}
	return d.addEntries(f, kind, []*yaml.Node{item})
}

// inOrder sorts settings as the documentation does.
func inOrder(kind EntryKind, settings []Setting) []Setting {
	rank := map[string]int{}
	for i, key := range Keys(kind) {
		rank[strings.TrimSuffix(key, ".NAME")] = i
	}
	of := func(key string) int {
		for {
			if i, ok := rank[key]; ok {
				return i
			}
			i := strings.LastIndexByte(key, '.')
			if i < 0 {
				return len(rank)
			}
			key = key[:i]
		}
	}
	sorted := slices.Clone(settings)
	slices.SortStableFunc(sorted, func(a, b Setting) int { return of(a.Key) - of(b.Key) })
	return sorted
}

// put gives a path below a mapping that stands in no text yet a value.
func put(m *yaml.Node, path []string, value *yaml.Node) {
	for _, key := range path[:len(path)-1] {
		i := own(m, key)
		if i < 0 {
			i = len(m.Content)
			m.Content = append(m.Content, textNode(key), &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
		}
		m = m.Content[i+1]
	}
	key := path[len(path)-1]
	if i := own(m, key); i >= 0 {
		m.Content[i+1] = value
		return
	}
	m.Content = append(m.Content, textNode(key), value)
}

// Set changes keys of an entry, which stays where it is.
func (d *Editor) Set(kind EntryKind, name string, settings []Setting) error {
	entry, m, err := d.entryNode(kind, name)
	if err != nil {
		return err
	}
	settings = withoutOthers(m, kind, settings)
	nodes := make([]*yaml.Node, len(settings))
	for i, s := range settings {
		if nodes[i], err = settingNode(kind, s); err != nil {
			return err
		}
	}
	return d.change(entry.file, func(e *edit) error {
		for i, s := range settings {
			if err := e.at(m, strings.Split(s.Key, "."), nodes[i]); err != nil {
				return fmt.Errorf("%s:%d: %s.%s %w", entry.File, entry.Line, entry.origin.key(), s.Key, err)
			}
		}
		return nil
	})
}

// entryNode finds the mapping of an entry in the text of its file.
func (d *Editor) entryNode(kind EntryKind, name string) (Entry, *yaml.Node, error) {
	entry, ok := d.Find(kind, name)
	if !ok {
		return entry, nil, d.notFound(kind, name)
	}
	list := entry.origin.src.nodes[kind.list()]
	if list.Kind != yaml.SequenceNode || list.Content[entry.origin.index].Kind != yaml.MappingNode {
		return entry, nil, fmt.Errorf("%s:%d: %s %w", entry.File, entry.Line, entry.origin.key(), errShape)
	}
	return entry, list.Content[entry.origin.index], nil
}

func (d *Editor) notFound(kind EntryKind, name string) error {
	var names []string
	for _, e := range d.Entries(kind) {
		names = append(names, e.Name)
	}
	if main := d.files[0]; !main.exists {
		return fmt.Errorf("no %s is named %q: there is no file %s", kind, name, main.path)
	}
	for _, f := range d.files {
		if f.broken != nil {
			return fmt.Errorf("no %s is named %q in the files that can be read; %w", kind, name, f.broken)
		}
	}
	return fmt.Errorf("no %s is named %q%s", kind, name, didYouMean(name, names))
}

// at sets a path below a mapping, or takes it out where value is nil.
func (e *edit) at(m *yaml.Node, path []string, value *yaml.Node) error {
	for i, key := range path[:len(path)-1] {
		if made := e.made(m, key); made != nil {
			if value != nil {
				put(made, path[i+1:], value)
			}
			return nil
		}
		j := own(m, key)
		if j < 0 && member(m, key, 0) != nil {
			return errShape // it comes with a merged mapping, which others share
		}
		if j < 0 || isNull(m.Content[j+1]) && m.Content[j+1].Kind == yaml.ScalarNode {
			if value == nil {
				return nil
			}
			below := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			put(below, path[i+1:], value)
			return e.set(m, textNode(key), below)
		}
		if m.Content[j+1].Kind != yaml.MappingNode {
			return errShape
		}
		if value == nil && i == len(path)-2 && len(m.Content[j+1].Content) == 2 && own(m.Content[j+1], path[i+1]) >= 0 {
			// An empty block is not the same as none: tls: {} turns TLS on.
			return e.set(m, textNode(key), &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
		}
		m = m.Content[j+1]
	}
	key := path[len(path)-1]
	if value == nil {
		if own(m, key) < 0 && member(m, key, 0) != nil {
			return errShape
		}
		return e.unset(m, key)
	}
	return e.set(m, textNode(key), value)
}

// made finds a mapping that this edit adds under a key.
func (e *edit) made(m *yaml.Node, key string) *yaml.Node {
	pairs := e.pairs[m]
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i].Value == key && pairs[i+1].Kind == yaml.MappingNode {
			return pairs[i+1]
		}
	}
	return nil
}

// Purge takes an entry out of its file, with the comments within it.
func (d *Editor) Purge(kind EntryKind, name string) error {
	entry, _, err := d.entryNode(kind, name)
	if err != nil {
		return err
	}
	err = d.change(entry.file, func(e *edit) error {
		return e.remove(entry.origin.src.nodes[kind.list()], entry.origin.index)
	})
	if errors.Is(err, errShape) {
		return fmt.Errorf("%s:%d: %s %w", entry.File, entry.Line, entry.origin.key(), errShape)
	}
	return err
}

// Attach gives an application a connection, or changes the one that it has. A
// primary one takes the place of the former primary one.
func (d *Editor) Attach(application, connection string, settings []Setting) error {
	entry, m, err := d.entryNode(ApplicationEntry, application)
	if err != nil {
		return err
	}
	pivots := entry.Application().Connections
	if i := own(m, "connections"); i < 0 && len(pivots) > 0 || i >= 0 && m.Content[i+1].Kind != yaml.SequenceNode && !isNull(m.Content[i+1]) {
		return fmt.Errorf("%s:%d: %s.connections %w", entry.File, entry.Line, entry.origin.key(), errShape)
	}
	for i, p := range pivots {
		if p.Connection != connection && p.Primary && makesPrimary(settings) {
			if err := d.setPivot(application, i, []Setting{{Key: "primary", Value: "false"}}); err != nil {
				return err
			}
		}
	}
	if i := slices.IndexFunc(pivots, func(p ApplicationConnection) bool { return p.Connection == connection }); i >= 0 {
		return d.setPivot(application, i, settings)
	}
	item := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle, Content: []*yaml.Node{textNode("connection"), textNode(connection)}}
	for _, s := range settings {
		if !s.Unset {
			put(item, []string{s.Key}, spelledNode(s.Value))
		}
	}
	if entry, m, err = d.entryNode(ApplicationEntry, application); err != nil {
		return err
	}
	return d.change(entry.file, func(e *edit) error {
		if i := own(m, "connections"); i >= 0 && m.Content[i+1].Kind == yaml.SequenceNode {
			e.add(m.Content[i+1], item)
			return nil
		}
		return e.set(m, textNode("connections"), &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{item}})
	})
}

func makesPrimary(settings []Setting) bool {
	return slices.ContainsFunc(settings, func(s Setting) bool { return s.Key == "primary" && s.Value == "true" })
}

// setPivot changes keys of a connection of an application.
func (d *Editor) setPivot(application string, i int, settings []Setting) error {
	entry, list, err := d.pivots(application)
	if err != nil {
		return err
	}
	if i >= len(list.Content) || list.Content[i].Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: %s.connections%s %w", entry.File, entry.Line, entry.origin.key(), position(i), errShape)
	}
	return d.change(entry.file, func(e *edit) error {
		for _, s := range settings {
			var n *yaml.Node
			if !s.Unset {
				n = spelledNode(s.Value)
			}
			if err := e.at(list.Content[i], []string{s.Key}, n); err != nil {
				return fmt.Errorf("%s:%d: %s.connections%s.%s %w", entry.File, entry.Line, entry.origin.key(), position(i), s.Key, err)
			}
		}
		return nil
	})
}

// pivots finds the list of an application's connections in the text.
func (d *Editor) pivots(application string) (Entry, *yaml.Node, error) {
	entry, m, err := d.entryNode(ApplicationEntry, application)
	if err != nil {
		return entry, nil, err
	}
	i := own(m, "connections")
	if i < 0 || m.Content[i+1].Kind != yaml.SequenceNode {
		return entry, nil, fmt.Errorf("%s:%d: %s.connections %w", entry.File, entry.Line, entry.origin.key(), errShape)
	}
	return entry, m.Content[i+1], nil
}

// Detach takes a connection from an application.
func (d *Editor) Detach(application, connection string) error {
	entry, ok := d.Find(ApplicationEntry, application)
	if !ok {
		return d.notFound(ApplicationEntry, application)
	}
	i := slices.IndexFunc(entry.Application().Connections, func(p ApplicationConnection) bool { return p.Connection == connection })
	if i < 0 {
		return fmt.Errorf("%s:%d: the application %q has no connection %q", entry.File, entry.Line, application, connection)
	}
	entry, list, err := d.pivots(application)
	if err != nil {
		return err
	}
	return d.change(entry.file, func(e *edit) error { return e.remove(list, i) })
}
