package configs

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// OnConflict says what becomes of a value that both sides give and that differs.
type OnConflict string

// What can become of a conflict.
const (
	ConflictFail    OnConflict = "fail" // nothing is changed, Merge returns ErrConflict
	ConflictKeep    OnConflict = "keep"
	ConflictReplace OnConflict = "replace"
)

// ErrConflict is told where values differ and nobody has said which to take.
var ErrConflict = errors.New("some values differ from those in the configuration")

// MergeOptions say how a text is merged.
type MergeOptions struct {
	Source     string     // how mistakes and changes name the text; a path where it lies in a file
	Directory  string     // what relative paths in the text are relative to; "" = the file that they go to
	OnConflict OnConflict // "" = fail
	// Base is the text of the last merge from the same source, where it is known:
	// what differs from it in the configuration was edited by hand since, and what
	// does not may be changed without a conflict.
	Base []byte
	File string // where new entries go: a fragment; "" = the main file
	// Reseal encrypts a password_age anew, for those who will load the
	// configuration; nil leaves it.
	Reseal func(armored string) (string, error)
}

// Action is what a merge does with an entry or a key.
type Action string

// What a merge does.
const (
	ActionAdd      Action = "add"
	ActionChange   Action = "change"
	ActionConflict Action = "conflict"
)

// Change is one thing that a merge has done or, a conflict, asks about.
type Change struct {
	Action Action    `json:"action"`
	Kind   EntryKind `json:"kind"`
	Name   string    `json:"name"`
	Key    string    `json:"key,omitempty"` // dotted; "" = the whole entry
	Old    string    `json:"old,omitempty"` // secrets are masked
	New    string    `json:"new,omitempty"`
	File   string    `json:"file"`
	Line   int       `json:"line,omitempty"` // where it stood before; 0 for what is new
}

// String writes the change as a line.
func (c Change) String() string {
	place := c.File
	if c.Line > 0 {
		place = fmt.Sprintf("%s:%d", c.File, c.Line)
	}
	what := strings.TrimRight(fmt.Sprintf("%s %s %s", c.Action, c.Kind, c.Name), " ")
	switch {
	case c.Key == "":
		return fmt.Sprintf("%s (%s)", what, place)
	case c.Old == "":
		return fmt.Sprintf("%s: %s: %s (%s)", what, c.Key, c.New, place)
	default:
		return fmt.Sprintf("%s: %s: %s → %s (%s)", what, c.Key, c.Old, c.New, place)
	}
}

// Merge brings the entries of a YAML text in: those with a new name are added,
// those that are there get the keys that the text gives, and keep all others.
// Under the default policy nothing is changed where there is a conflict.
func (d *Editor) Merge(text []byte, o MergeOptions) ([]Change, error) {
	from, err := d.decodeOther(text, o)
	if err != nil {
		return nil, err
	}
	m := &merge{d: d, o: o, from: from, adds: map[EntryKind][]*yaml.Node{}, edits: map[*editFile][]func(*edit) error{}}
	if len(o.Base) > 0 {
		if m.base, err = d.decodeOther(o.Base, o); err != nil {
			return nil, err
		}
	}
	if m.file, err = d.file(o.File); err != nil {
		return nil, err
	}
	undo := d.snapshot()
	if err := m.run(); err != nil {
		undo()
		return m.changes, err
	}
	return m.changes, nil
}

// run merges the head first: what entries inherit depends on it.
func (m *merge) run() error {
	m.head()
	if err := m.applyHead(); err != nil {
		return err
	}
	for _, kind := range []EntryKind{ConnectionEntry, ApplicationEntry, QueueEntry} {
		if err := m.kind(kind); err != nil {
			return err
		}
	}
	if m.conflicts && (m.o.OnConflict == "" || m.o.OnConflict == ConflictFail) {
		return ErrConflict
	}
	return m.apply()
}

// snapshot returns what undoes all changes made after it.
func (d *Editor) snapshot() (undo func()) {
	files := slices.Clone(d.files)
	texts := make([]*editText, len(files))
	for i, f := range files {
		texts[i] = f.t
	}
	return func() {
		for i, f := range files {
			f.t = texts[i]
		}
		d.files, d.sources, d.checked = files, nil, nil
	}
}

// merge is the work of one Merge.
type merge struct {
	d         *Editor
	o         MergeOptions
	from      *other
	base      *other
	file      *editFile
	changes   []Change
	conflicts bool
	heads     []headSet
	users     []*yaml.Node
	adds      map[EntryKind][]*yaml.Node
	edits     map[*editFile][]func(*edit) error
}

func (m *merge) kind(kind EntryKind) error {
	there := map[string]Entry{}
	for _, e := range m.d.Entries(kind) {
		there[e.Name] = e
	}
	was := map[string]Entry{}
	if m.base != nil {
		for _, e := range m.base.entries(kind) {
			was[e.Name] = e
		}
	}
	seen := map[string]bool{}
	for _, e := range m.from.entries(kind) {
		switch {
		case e.Name == "":
			return &Error{Position: e.origin.at(kind.nameKey()), Text: "is missing"}
		case seen[e.Name]:
			return &Error{Position: e.origin.at(kind.nameKey()), Text: fmt.Sprintf("the %s %q is there twice", kind, e.Name)}
		}
		seen[e.Name] = true
		to, known := there[e.Name]
		if !known {
			m.adds[kind] = append(m.adds[kind], m.newNode(e))
			m.changes = append(m.changes, Change{Action: ActionAdd, Kind: kind, Name: e.Name, File: m.file.path})
			continue
		}
		m.entry(e, to, was[e.Name])
	}
	return nil
}

// newNode writes an entry so that it is in the configuration what it is in the
// text, whatever the defaults of either are. Comments come along.
func (m *merge) newNode(e Entry) *yaml.Node {
	m.d.decode()
	w := newNodeWriter()
	w.plain, w.dir = true, filepath.Dir(m.file.path)
	head, node := &m.d.loader.main.head, (*yaml.Node)(nil)
	if m.sameDefaults(e) {
		if given := e.origin.node(); given.Kind == yaml.MappingNode && selfContained(given) {
			return given
		}
	}
	switch {
	case e.Connection() != nil:
		node = w.connection(e.Connection(), head.Defaults.Connection, &head.Global)
	case e.Application() != nil:
		node = w.application(e.Application(), head.Defaults.Application)
	default:
		node = w.queue(e.Queue(), head.Defaults.Queue)
	}
	carryComments(node, e.origin.node())
	return node
}

// sameDefaults reports whether the text of an entry means the same in both
// places as it stands.
func (m *merge) sameDefaults(e Entry) bool {
	if m.o.Reseal != nil && e.Kind == ConnectionEntry {
		return false
	}
	from, to := &m.from.s.head, &m.d.loader.main.head
	if filepath.Clean(m.from.s.dir) != filepath.Clean(filepath.Dir(m.file.path)) {
		return false
	}
	switch e.Kind {
	case ConnectionEntry:
		return reflect.DeepEqual(from.Defaults.Connection, to.Defaults.Connection) && from.Global.Environment == to.Global.Environment && from.Global.ProbeTimeout == to.Global.ProbeTimeout
	case ApplicationEntry:
		return reflect.DeepEqual(from.Defaults.Application, to.Defaults.Application)
	default:
		return reflect.DeepEqual(from.Defaults.Queue, to.Defaults.Queue)
	}
}

// selfContained reports whether a node has neither anchors nor aliases.
func selfContained(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || isMerge(n) {
		return false
	}
	return !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return !selfContained(c) })
}

// carryComments puts the comments of one mapping on the same keys of another.
func carryComments(to, from *yaml.Node) {
	to.HeadComment, to.LineComment = from.HeadComment, from.LineComment
	for i := 0; i+1 < len(to.Content) && to.Kind == yaml.MappingNode && from.Kind == yaml.MappingNode; i += 2 {
		j := own(from, to.Content[i].Value)
		if j < 0 {
			continue
		}
		key := from.Content[j]
		to.Content[i].HeadComment, to.Content[i].LineComment, to.Content[i].FootComment = key.HeadComment, key.LineComment, key.FootComment
		carryComments(to.Content[i+1], from.Content[j+1])
	}
}

// entry compares an entry of the text with the one that is there.
func (m *merge) entry(from, to, was Entry) {
	for _, path := range givenPaths(from.origin.node(), from.Kind) {
		got, _ := fieldAt(from.value, path)
		have, _ := fieldAt(to.value, path)
		if sameAt(got, have) {
			continue
		}
		key := strings.Join(path, ".")
		if key == "connections" && from.Kind == ApplicationEntry && m.pivots(from, to, was) {
			continue
		}
		c := Change{Action: ActionChange, Kind: from.Kind, Name: from.Name, Key: key, File: to.File, Line: to.origin.at(key).Line, New: display(path, got)}
		if to.origin.own(key) {
			c.Old = display(path, have)
		}
		if m.conflict(&c, path, got, have, was) {
			continue
		}
		if !m.take(c) {
			continue
		}
		w := newNodeWriter()
		w.plain, w.dir = true, filepath.Dir(to.File)
		value := w.whole(got, isPathAt(from.Kind, path))
		m.todo(to, func(e *edit) error { return e.at(to.origin.node(), path, value) })
	}
}

// take notes a change. It reports whether it is to be made.
func (m *merge) take(c Change) bool {
	m.changes = append(m.changes, c)
	if c.Action != ActionConflict {
		return true
	}
	m.conflicts = true
	return m.o.OnConflict == ConflictReplace
}

// todo notes what is to be done to an entry that is there.
func (m *merge) todo(to Entry, do func(*edit) error) {
	m.edits[to.file] = append(m.edits[to.file], func(e *edit) error {
		list := to.origin.src.nodes[to.Kind.list()]
		err := errShape
		if list.Kind == yaml.SequenceNode && list.Content[to.origin.index].Kind == yaml.MappingNode {
			err = do(e)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %s %w", to.File, to.Line, to.origin.key(), err)
		}
		return nil
	})
}

// conflict decides whether a difference is one that somebody has to decide
// about. It reports whether the difference is to be left as it is.
func (m *merge) conflict(c *Change, path []string, got, have reflect.Value, was Entry) bool {
	if was.value.IsValid() {
		before, _ := fieldAt(was.value, path)
		switch {
		case sameAt(before, have):
			return false // nobody has touched it
		case sameAt(before, got):
			return true // edited by hand, and the source has nothing new
		}
		c.Action = ActionConflict
		return false
	}
	if c.Old != "" {
		c.Action = ActionConflict
	}
	return false
}

// apply makes the changes in the texts, all changes of a file at once.
func (m *merge) apply() error {
	for _, f := range m.d.files {
		if len(m.edits[f]) == 0 {
			continue
		}
		err := m.d.change(f, func(e *edit) error {
			for _, set := range m.edits[f] {
				if err := set(e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, kind := range []EntryKind{ConnectionEntry, ApplicationEntry, QueueEntry} {
		if len(m.adds[kind]) > 0 {
			if err := m.d.addEntries(m.file, kind, m.adds[kind]); err != nil {
				return err
			}
		}
	}
	return nil
}
