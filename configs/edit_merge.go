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
	what := fmt.Sprintf("%s %s %s", c.Action, c.Kind, c.Name)
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
	m := &merge{d: d, o: o, from: from, adds: map[EntryKind][]*yaml.Node{}}
	if len(o.Base) > 0 {
		if m.base, err = d.decodeOther(o.Base, o); err != nil {
			return nil, err
		}
	}
	if m.file, err = d.file(o.File); err != nil {
		return nil, err
	}
	for _, kind := range []EntryKind{ConnectionEntry, ApplicationEntry, QueueEntry} {
		if err := m.kind(kind); err != nil {
			return nil, err
		}
	}
	if m.conflicts && (o.OnConflict == "" || o.OnConflict == ConflictFail) {
		return m.changes, ErrConflict
	}
	return m.changes, m.apply()
}

// other is a text that is merged.
type other struct {
	l *loader
	s *source
}

func (d *Editor) decodeOther(text []byte, o MergeOptions) (*other, error) {
	name := o.Source
	if name == "" {
		name = "the text"
	}
	t, bad := parseText(name, string(text))
	if bad != nil {
		return nil, bad
	}
	l := newLoader(name, nil)
	l.offline = true
	l.ids = &identities{}
	l.main = newSource(name, string(text))
	l.main.inputs = newInputs(l.reader, "")
	l.main.dir = o.Directory
	if o.Directory == "" {
		l.main.dir = filepath.Dir(d.path)
		if o.File != "" {
			l.main.dir = filepath.Dir(o.File)
		}
	}
	l.decodeNodes(l.main, t.root)
	for _, c := range l.main.eachConnection() {
		completeConnection(c, &l.main.head.Global)
	}
	for _, a := range l.main.eachApplication() {
		completeApplication(a)
	}
	for _, q := range l.main.eachQueue() {
		completeQueue(q)
	}
	if len(l.main.errs) > 0 {
		return nil, joinErrors(l.main.errs)
	}
	return &other{l, l.main}, nil
}

// entries lists the entries of a kind with their names.
func (x *other) entries(kind EntryKind) (list []Entry) {
	add := func(o origin, name string, value any) {
		list = append(list, Entry{Kind: kind, Name: name, File: o.src.file, Line: o.at("").Line, origin: o, value: reflect.ValueOf(value)})
	}
	switch kind {
	case ConnectionEntry:
		for o, c := range x.s.eachConnection() {
			add(o, c.Name, c)
		}
	case ApplicationEntry:
		for o, a := range x.s.eachApplication() {
			add(o, a.Slug, a)
		}
	default:
		for o, q := range x.s.eachQueue() {
			add(o, q.Name, q)
		}
	}
	return list
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
	adds      map[EntryKind][]*yaml.Node
	sets      []mergeSet
}

// mergeSet is a value that an entry is to get.
type mergeSet struct {
	kind  EntryKind
	name  string
	path  []string
	value *yaml.Node
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
		c := Change{Action: ActionChange, Kind: from.Kind, Name: from.Name, Key: key, File: to.File, Line: to.origin.at(key).Line, New: display(path, got)}
		if to.origin.own(key) {
			c.Old = display(path, have)
		}
		if m.conflict(&c, path, got, have, was) {
			continue
		}
		m.changes = append(m.changes, c)
		if c.Action == ActionConflict {
			m.conflicts = true
			if m.o.OnConflict != ConflictReplace {
				continue
			}
		}
		w := newNodeWriter()
		w.plain, w.dir = true, filepath.Dir(to.File)
		m.sets = append(m.sets, mergeSet{from.Kind, from.Name, path, w.whole(got, isPathAt(from.Kind, path))})
	}
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
	byFile := map[*editFile][]func(*edit) error{}
	for _, s := range m.sets {
		entry, node, err := m.d.entryNode(s.kind, s.name)
		if err != nil {
			return err
		}
		byFile[entry.file] = append(byFile[entry.file], func(e *edit) error {
			if err := e.at(node, s.path, s.value); err != nil {
				return fmt.Errorf("%s:%d: %s.%s %w", entry.File, entry.Line, entry.origin.key(), strings.Join(s.path, "."), err)
			}
			return nil
		})
	}
	for _, f := range m.d.files {
		if len(byFile[f]) == 0 {
			continue
		}
		err := m.d.change(f, func(e *edit) error {
			for _, set := range byFile[f] {
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
	text := flowText(n)
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

