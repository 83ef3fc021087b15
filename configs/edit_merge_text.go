package configs

import (
	"path/filepath"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

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
	if n := find(l.main.root, "include"); l.main.root != nil && n != nil {
		l.main.problem(n.Line, "include", "is not followed; merge what it names by itself, or a whole export of it")
	}
	l.main.refuseMasked(l.main.root, "")
	if err := reseal(l.main, o.Reseal); err != nil {
		return nil, err
	}
	if len(l.main.errs) > 0 {
		return nil, joinErrors(l.main.errs)
	}
	return &other{l, l.main}, nil
}

// refuseMasked finds secrets that were masked for display: the mask must not
// become the password.
func (s *source) refuseMasked(n *yaml.Node, path string) {
	if n == nil || n.Kind == yaml.AliasNode {
		return
	}
	for i, child := range n.Content {
		at := path + position(i)
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			at = strings.TrimPrefix(path+"."+n.Content[i-1].Value, ".")
		}
		if child.Kind == yaml.ScalarNode && (child.Value == masked || strings.Contains(child.Value, ":"+masked+"@")) {
			s.problem(child.Line, at, "is masked; the secret itself is not in this text")
		}
		s.refuseMasked(child, at)
	}
}

// reseal encrypts the encrypted passwords of a text anew.
func reseal(s *source, seal func(string) (string, error)) error {
	if seal == nil {
		return nil
	}
	for o, c := range s.eachConnection() {
		texts := map[string]*string{"password_age": &c.PasswordAge}
		if c.Sentinel != nil {
			texts["sentinel.password_age"] = &c.Sentinel.PasswordAge
		}
		for key, text := range texts {
			if *text == "" {
				continue
			}
			sealed, err := seal(*text)
			if err != nil {
				return &Error{Position: o.at(key), Text: err.Error()}
			}
			*text = sealed
		}
	}
	return nil
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
