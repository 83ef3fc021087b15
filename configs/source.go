package configs

import (
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// source is one file of a configuration: the main file or a fragment.
type source struct {
	file   string
	dir    string
	limits *Include // what a fragment may name; nil for the main file
	text   string

	root     *yaml.Node
	inputs   *inputs
	defaults *yaml.Node // of the main file, for positions
	mainFile string

	head         Config // global, include, defaults, access; main file only
	connections  []Connection
	applications []Application
	queues       []Queue
	nodes        map[string]*yaml.Node // the lists of entries

	errs      []*Error
	warnings  []Warning
	dropped   map[string]bool // entries left out of a last good version, or no entries at all
	undecoded map[string]bool // key paths whose values were not of their type
	broken    bool            // its YAML does not parse: nothing is known about its entries
	open      bool            // others than its owner may read the file
}

const (
	listConnections  = "connections"
	listApplications = "applications"
	listQueues       = "queues"
)

// origin is where an entry comes from.
type origin struct {
	src   *source
	list  string
	index int
}

func (o origin) key() string { return fmt.Sprintf("%s[%d]", o.list, o.index) }

// own reports whether the entry itself gives the key, rather than inherit it.
func (o origin) own(key string) bool { return find(o.node(), key) != nil }

// node returns the mapping of the entry.
func (o origin) node() *yaml.Node {
	list := o.src.nodes[o.list]
	if list == nil {
		return nil
	}
	if list = deref(list); o.index < 0 || o.index >= len(list.Content) {
		return nil
	}
	return deref(list.Content[o.index])
}

// at returns the position of a key of the entry: its own, else that of the
// default which it inherits, else the entry.
func (o origin) at(key string) (pos Position) {
	entry := o.node()
	pos = Position{File: o.src.file, Path: o.key()}
	defer func() { pos.Path = strings.Map(visible, pos.Path) }()
	if entry != nil {
		pos.Line = entry.Line
	}
	if key == "" {
		return pos
	}
	if n := find(entry, key); n != nil {
		return Position{o.src.file, n.Line, pos.Path + "." + key}
	}
	inherited := strings.TrimSuffix(o.list, "s") + "." + key
	if n := find(o.src.defaults, inherited); n != nil {
		return Position{o.src.mainFile, n.Line, "defaults." + inherited}
	}
	// A key that is missing stands where the mapping around it begins.
	for around := key; ; {
		i := strings.LastIndexByte(around, '.')
		if i < 0 {
			break
		}
		around = around[:i]
		if n := find(entry, around); n != nil {
			pos.Line = n.Line
			break
		}
	}
	pos.Path += "." + key
	return pos
}

// visible keeps a key from breaking the line of a message.
func visible(r rune) rune {
	if unicode.IsControl(r) {
		return '?'
	}
	return r
}

// fail notes a mistake in the entry.
func (o origin) fail(key, format string, args ...any) {
	if e := o.mistake(key, format, args); e != nil {
		o.src.errs = append(o.src.errs, e)
	}
}

// mistake returns nil where the value could not be decoded: that was said, and
// what is checked now is the value it would have replaced.
func (o origin) mistake(key, format string, args []any) *Error {
	pos := o.at(key)
	if o.src.undecoded[pos.Path] {
		return nil
	}
	return &Error{Position: pos, Text: fmt.Sprintf(format, args...), entry: o.key()}
}

func (o origin) warn(key, format string, args ...any) {
	o.src.warnings = append(o.src.warnings, Warning{o.at(key), fmt.Sprintf(format, args...)})
}

// find follows a key path (tls.ca_file, sentinel.addresses[1]) below n.
func find(n *yaml.Node, key string) *yaml.Node {
	for n != nil && key != "" {
		var name string
		switch end := strings.IndexAny(key, ".["); {
		case key[0] == '[':
			var i int
			if _, err := fmt.Sscanf(key, "[%d]", &i); err != nil {
				return nil
			}
			n = item(n, i)
			_, key, _ = strings.Cut(key, "]")
			key = strings.TrimPrefix(key, ".")
			continue
		case end < 0:
			name, key = key, ""
		default:
			name, key = key[:end], strings.TrimPrefix(key[end:], ".")
		}
		n = member(n, name, 0)
	}
	return n
}

func item(n *yaml.Node, i int) *yaml.Node {
	n = deref(n)
	if n.Kind != yaml.SequenceNode || i >= len(n.Content) {
		return nil
	}
	return n.Content[i]
}

// member finds a key of a mapping, its own or a merged one.
func member(n *yaml.Node, name string, depth int) *yaml.Node {
	n = deref(n)
	if n.Kind != yaml.MappingNode || depth > maxDepth {
		return nil
	}
	var merged *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch key := deref(n.Content[i]); {
		case isMerge(key):
			merged = n.Content[i+1]
		case key.Value == name:
			return n.Content[i+1]
		}
	}
	if merged == nil {
		return nil
	}
	return mergedMember(merged, name, depth+1)
}

func mergedMember(n *yaml.Node, name string, depth int) *yaml.Node {
	if n = deref(n); n.Kind != yaml.SequenceNode {
		return member(n, name, depth)
	}
	for _, one := range n.Content {
		if found := member(one, name, depth); found != nil {
			return found
		}
	}
	return nil
}

// each goes through the entries of one list that are in force.
func each[T any](s *source, list string, items []T) iter.Seq2[origin, *T] {
	return func(yield func(origin, *T) bool) {
		for i := range items {
			o := origin{s, list, i}
			if s.dropped != nil && s.dropped[o.key()] {
				continue
			}
			if !yield(o, &items[i]) {
				return
			}
		}
	}
}

func (s *source) eachConnection() iter.Seq2[origin, *Connection] {
	return each(s, listConnections, s.connections)
}

func (s *source) eachApplication() iter.Seq2[origin, *Application] {
	return each(s, listApplications, s.applications)
}

func (s *source) eachQueue() iter.Seq2[origin, *Queue] {
	return each(s, listQueues, s.queues)
}

// newSource prepares a file whose text is known.
func newSource(file string, text string) *source {
	return &source{file: file, mainFile: file, dir: filepath.Dir(file), text: text, nodes: map[string]*yaml.Node{}}
}

// problem notes a mistake of the file as a whole.
func (s *source) problem(line int, path, format string, args ...any) {
	s.errs = append(s.errs, &Error{Position: Position{s.file, line, path}, Text: fmt.Sprintf(format, args...)})
}

func (s *source) warn(pos Position, format string, args ...any) {
	s.warnings = append(s.warnings, Warning{pos, fmt.Sprintf(format, args...)})
}

// line finds the line of a key path of the file, or the nearest around it.
func (s *source) line(path string) int {
	if n := find(s.root, path); n != nil {
		return n.Line
	}
	return 1
}

func (s *source) pos(path string) Position { return Position{s.file, s.line(path), path} }

// noteUndecoded keeps what could not be decoded from being judged.
func (s *source) noteUndecoded(errs []*Error) {
	if len(errs) == 0 {
		return
	}
	s.undecoded = make(map[string]bool, len(errs))
	for _, e := range errs {
		s.undecoded[e.Path] = true
	}
	s.dropped = map[string]bool{}
	for _, list := range fragmentKeys {
		if n := s.nodes[list]; n != nil && deref(n).Kind == yaml.SequenceNode {
			for i, item := range deref(n).Content {
				if deref(item).Kind != yaml.MappingNode {
					s.dropped[origin{s, list, i}.key()] = true
				}
			}
		}
	}
}
