package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"
)

// EntryKind is what an entry is.
type EntryKind string

// The kinds of entries.
const (
	ConnectionEntry  EntryKind = "connection"
	ApplicationEntry EntryKind = "application"
	QueueEntry       EntryKind = "queue"
)

// list is the key that holds the entries of a kind.
func (k EntryKind) list() string { return string(k) + "s" }

// nameKey is the key by which the entries of a kind are known.
func (k EntryKind) nameKey() string {
	if k == ApplicationEntry {
		return "slug"
	}
	return "name"
}

// Editor changes the files of a configuration, the main file and its
// fragments, and keeps all of their text that is not concerned: comments,
// order, blank lines, quotes. Nothing is written before Save.
type Editor struct {
	path  string
	files []*editFile // the main file first

	loader  *loader
	sources []*source // decoded, in the order of files; nil after a change
	index   map[EntryKind]map[string]Entry
	checked *Config // what Check has found good; nil after a change
}

// editFile is one file of the configuration.
type editFile struct {
	path   string
	was    *editText // as it was read
	exists bool
	t      *editText
	broken *Error // it does not parse: nothing in it can be changed
	limits *Include
}

// OpenDocument opens the configuration whose main file is at path. A main file
// that does not exist yet is an empty one.
func OpenDocument(path string) (*Editor, error) {
	d := &Editor{path: path}
	main, err := readEditFile(path)
	if err != nil {
		return nil, err
	}
	if main.broken != nil {
		return nil, joinErrors([]*Error{main.broken})
	}
	d.files = []*editFile{main}
	if err := d.openFragments(); err != nil {
		return nil, err
	}
	return d, nil
}

func readEditFile(path string) (*editFile, error) {
	f := &editFile{path: path}
	r := newReader()
	defer r.close()
	got := r.file(path, "", maxFileBytes)
	switch {
	case errors.Is(got.err, fs.ErrNotExist):
	case got.err != nil:
		return nil, joinErrors([]*Error{{Position: Position{File: path}, Text: got.err.Error()}})
	default:
		f.exists = true
	}
	if f.t, f.broken = parseText(path, got.text); f.t == nil {
		f.t = noText(got.text)
	}
	f.was = f.t
	return f, nil
}

// noText stands for a text that has no nodes.
func noText(text string) *editText { return &editText{text: text, newline: "\n", lines: []int{0}} }

// openFragments reads the files that the main file includes.
func (d *Editor) openFragments() error {
	l := d.newLoader()
	defer l.reader.close()
	for _, one := range l.fragments() {
		f, err := readEditFile(one.file)
		if err != nil {
			f = &editFile{path: one.file, t: noText(""), was: noText(""), broken: &Error{Position: Position{File: one.file}, Text: err.Error()}}
		}
		f.limits = one.limits
		d.files = append(d.files, f)
	}
	return joinErrors(l.main.errs)
}

// newLoader decodes the main file's own part, as it is now.
func (d *Editor) newLoader() *loader {
	l := newLoader(d.path, nil)
	l.offline = true
	l.ids = &identities{}
	l.unsaved = d.unsaved()
	main := d.files[0]
	l.main = newSource(main.path, main.t.text)
	l.main.inputs = newInputs(l.reader, "")
	l.decodeNodes(l.main, main.t.root)
	return l
}

// unsaved are the texts of files that differ from what is on disk.
func (d *Editor) unsaved() map[string]string {
	texts := map[string]string{}
	for _, f := range d.files {
		if f.changed() {
			texts[f.path] = f.t.text
		}
	}
	return texts
}

func (f *editFile) changed() bool { return f.t.text != f.was.text }

// Path is the main file.
func (d *Editor) Path() string { return d.path }

// Files lists the main file and the fragments, sorted.
func (d *Editor) Files() []string {
	list := make([]string, len(d.files))
	for i, f := range d.files {
		list[i] = f.path
	}
	return list
}

// Changed lists the files that Save would write.
func (d *Editor) Changed() []string {
	var list []string
	for _, f := range d.files {
		if f.changed() {
			list = append(list, f.path)
		}
	}
	return list
}

// Text is the text of a file as Save would write it.
func (d *Editor) Text(file string) string {
	for _, f := range d.files {
		if f.path == file {
			return f.t.text
		}
	}
	return ""
}

// file finds or makes the file for new entries; "" is the main file. One that
// does not exist has to be one that the main file would include.
func (d *Editor) file(path string) (*editFile, error) {
	if path == "" {
		return d.files[0], nil
	}
	for _, f := range d.files {
		if filepath.Clean(f.path) == filepath.Clean(path) || sameFile(f.path, path) {
			return f, nil
		}
	}
	if _, err := os.Stat(path); err == nil {
		return nil, fmt.Errorf("%s is not part of %s: no include names it", path, d.path)
	}
	f := &editFile{path: path, t: noText(""), was: noText("")}
	d.files = append(d.files, f)
	l := d.newLoader()
	defer l.reader.close()
	l.unsaved[path] = ""
	for _, one := range l.fragments() {
		if one.file == filepath.Clean(path) || one.file == path {
			f.path, f.limits = one.file, one.limits
			return f, nil
		}
	}
	d.files = d.files[:len(d.files)-1]
	return nil, fmt.Errorf("%s is not part of %s: add it to its include list first", path, d.path)
}

// withUnsaved adds files that a pattern would match if they had been saved.
func (l *loader) withUnsaved(pattern string, files []string) []string {
	for file := range l.unsaved {
		if ok, err := filepath.Match(pattern, file); ok && err == nil && !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files
}

// change makes changes to one file. None are made where it fails.
func (d *Editor) change(f *editFile, make func(e *edit) error) error {
	if f.broken != nil {
		return f.broken
	}
	e := newEdit(f.t)
	if err := make(e); err != nil {
		return err
	}
	t, err := e.make()
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.t = t
	d.sources, d.checked = nil, nil
	return nil
}

func (d *Editor) setText(f *editFile, text string) error {
	t, bad := parseText(f.path, text)
	if bad != nil {
		return bad
	}
	f.t = t
	d.sources, d.checked = nil, nil
	return nil
}

// addEntries puts entries at the end of their list, which is made where it is
// missing.
func (d *Editor) addEntries(f *editFile, kind EntryKind, items []*yaml.Node) error {
	if f.broken != nil {
		return f.broken
	}
	list := kind.list()
	if f.t.root != nil {
		if i := own(f.t.root, list); i >= 0 && f.t.root.Content[i+1].Kind == yaml.SequenceNode {
			return d.change(f, func(e *edit) error {
				for _, item := range items {
					e.add(f.t.root.Content[i+1], item)
				}
				return nil
			})
		}
		return d.change(f, func(e *edit) error {
			return e.set(f.t.root, textNode(list), &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items})
		})
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{textNode(list), {Kind: yaml.SequenceNode, Content: items}}}
	return d.append(f, root)
}
