package configs

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Setting gives a key of an entry a value. Keys of blocks are dotted:
// tls.ca_file, labels.tier, worker.environment.APP_ENV.
type Setting struct {
	Key string
	// Value is the text of a scalar as it is, a list with commas between its
	// items, or any value as JSON.
	Value string
	// Unset takes the key out, so that it has its default again.
	Unset bool
}

// keyError is a mistake in a setting, by its key.
type keyError struct{ key, text string }

func (e *keyError) Error() string { return e.key + ": " + e.text }

// entryType is the type of the entries of a kind.
func entryType(kind EntryKind) reflect.Type {
	switch kind {
	case ConnectionEntry:
		return reflect.TypeFor[Connection]()
	case ApplicationEntry:
		return reflect.TypeFor[Application]()
	default:
		return reflect.TypeFor[Queue]()
	}
}

// typeAt finds the type of a key of an entry.
func typeAt(kind EntryKind, key string) (reflect.Type, []string, error) {
	typ := entryType(kind)
	t := tables{}
	path := strings.Split(key, ".")
	for i, name := range path {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch {
		case isScalarType(typ) || typ.Kind() == reflect.Slice:
			return nil, nil, &keyError{key, fmt.Sprintf("%s has no keys below it", strings.Join(path[:i], "."))}
		case typ.Kind() == reflect.Struct:
			fields := t.of(typ)
			at, known := fields.byName[name]
			if !known {
				return nil, nil, &keyError{key, "a " + string(kind) + " has no such key" + didYouMeanBelow(path[:i], name, fields.names)}
			}
			typ = typ.Field(fields.fields[at].index).Type
		case typ.Kind() == reflect.Map:
			if name == "" {
				return nil, nil, &keyError{key, "a part of the key is empty"}
			}
			typ = typ.Elem()
		}
	}
	return typ, path, nil
}

func didYouMeanBelow(path []string, name string, names []string) string {
	near := nearest(name, names)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", strings.Join(append(path[:len(path):len(path)], near), "."))
}

func isScalarType(typ reflect.Type) bool {
	switch typ {
	case reflect.TypeFor[Secret](), reflect.TypeFor[Time]():
		return true
	}
	switch typ.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Interface, reflect.Pointer:
		return false
	default:
		return true
	}
}

// Keys lists the dotted keys of a kind of entries; NAME stands for keys that
// are free.
func Keys(kind EntryKind) []string {
	t := tables{}
	var list []string
	var walk func(prefix string, typ reflect.Type)
	walk = func(prefix string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch {
		case typ.Kind() == reflect.Struct && !isScalarType(typ):
			fields := t.of(typ)
			for _, f := range fields.fields {
				walk(strings.TrimPrefix(prefix+"."+f.name, "."), typ.Field(f.index).Type)
			}
		case typ.Kind() == reflect.Map:
			list = append(list, prefix+".NAME")
		default:
			list = append(list, prefix)
		}
	}
	walk("", entryType(kind))
	return list
}

// CheckSetting tells what is wrong with a setting by itself.
func CheckSetting(kind EntryKind, s Setting) error {
	_, err := settingNode(kind, s)
	return err
}

// settingNode makes a node of a setting's value, nil where it has none.
func settingNode(kind EntryKind, s Setting) (*yaml.Node, error) {
	typ, _, err := typeAt(kind, s.Key)
	if err != nil || s.Unset {
		return nil, err
	}
	n, err := valueNode(typ, s.Value)
	if err != nil {
		return nil, &keyError{s.Key, err.Error()}
	}
	d := &decoder{bases: builtin(), tables: tables{}}
	v := reflect.New(typ).Elem()
	d.value(n, v, reflect.Zero(typ))
	if len(d.errs) > 0 {
		at := d.errs[0]
		key := s.Key
		if at.Path != "" {
			key += "." + at.Path
		}
		return nil, &keyError{strings.ReplaceAll(key, ".[", "["), at.Text}
	}
	return n, nil
}

var errNotJSON = errors.New(`must be JSON, for example {"key": "value"} or ["one", "two"]`)

func valueNode(typ reflect.Type, text string) (*yaml.Node, error) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[Secret]() || typ.Kind() == reflect.String:
		return textNode(text), nil
	case isScalarType(typ):
		return spelledNode(strings.TrimSpace(text)), nil
	case typ == reflect.TypeFor[[]string]() && !strings.HasPrefix(strings.TrimSpace(text), "["):
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				n.Content = append(n.Content, textNode(part))
			}
		}
		return n, nil
	case typ.Kind() == reflect.Interface && !strings.ContainsAny(text[:min(1, len(text))], `[{"`):
		return spelledNode(text), nil
	}
	n, err := jsonNode(text)
	if err != nil {
		return nil, err
	}
	if typ.Kind() == reflect.Slice && n.Kind != yaml.SequenceNode || (typ.Kind() == reflect.Map || typ.Kind() == reflect.Struct) && n.Kind != yaml.MappingNode {
		return nil, errNotJSON
	}
	return n, nil
}

// spelledNode is a scalar that is written as it is, as what YAML takes it for.
func spelledNode(text string) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err == nil && len(doc.Content) == 1 {
		n := doc.Content[0]
		if n.Kind == yaml.ScalarNode && n.Value == text && n.Style == 0 && n.HeadComment+n.LineComment+n.FootComment == "" {
			return plainNode(n.Tag, text)
		}
	}
	return textNode(text)
}

// jsonNode reads a value that is more than a scalar. Short mappings stay on
// one line.
func jsonNode(text string) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		return nil, errNotJSON
	}
	n := doc.Content[0]
	if !plainTree(n) {
		return nil, errNotJSON
	}
	return n, nil
}

// plainTree takes the styles, positions and comments of a text off its nodes.
// It reports whether there are no anchors, aliases or tags in it.
func plainTree(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || isMerge(n) {
		return false
	}
	n.Line, n.Column, n.HeadComment, n.LineComment, n.FootComment = 0, 0, "", "", ""
	n.Style = 0
	for _, child := range n.Content {
		if !plainTree(child) {
			return false
		}
	}
	return true
}

// position writes an index the way key paths do.
func position(i int) string { return "[" + strconv.Itoa(i) + "]" }

// SecretKey reports whether the value of a dotted key is a secret, or looks
// like one by its name.
func SecretKey(key string) bool {
	parent, last := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		parent, last = key[:i], key[i+1:]
	}
	return secretKey(last) && last != "password_age" && parent != "worker.environment_names"
}

// SecretIn returns the dotted key of a secret that a setting gives, by its own
// key or somewhere in its value, "" where there is none.
func SecretIn(kind EntryKind, s Setting) string {
	if SecretKey(s.Key) {
		return s.Key
	}
	n, err := settingNode(kind, s)
	if err != nil || n == nil {
		return ""
	}
	return secretBelow(s.Key, n)
}

func secretBelow(key string, n *yaml.Node) string {
	for i, child := range n.Content {
		below := key
		switch {
		case n.Kind == yaml.SequenceNode:
			below += position(i)
		case i%2 == 0: // a key
			continue
		default:
			below += "." + n.Content[i-1].Value
			if child.Kind == yaml.ScalarNode && child.Value != "" && !isNull(child) && SecretKey(below) {
				return below
			}
		}
		if found := secretBelow(below, child); found != "" {
			return found
		}
	}
	return ""
}
