package mixin

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// settings are what a user changes in _config: one tree out of a file and of
// assignments, each with the place it comes from.
type settings struct {
	tree      map[string]any
	shape     shape
	file      *configs.Document // nil without one
	evaluated bool              // file is jsonnet
	set       map[string]string // key as assigned → the assignment
}

// shape is what _config allows: its defaults, and which of their mappings have
// keys of the user's own choice.
type shape struct {
	defaults map[string]any
	open     []string
}

// isOpen reports whether the mapping at key takes any keys: one that is empty
// by default does, too.
func (s shape) isOpen(key string, value map[string]any) bool {
	return key != "" && (len(value) == 0 || slices.Contains(s.open, key))
}

// check returns what is wrong with value at key, whose default is like. where
// tells the place of a key.
func (s shape) check(key string, value, like any, where func(string) string) []error {
	mapping, isMapping := value.(map[string]any)
	if want := kind(like); want != "nothing" && kind(value) != want {
		return []error{fmt.Errorf("%s: must be %s, not %s", where(key), want, kind(value))}
	}
	known, _ := like.(map[string]any)
	if !isMapping || like == nil || s.isOpen(key, known) {
		return nil
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(mapping)) {
		at := join(key, name)
		if below, ok := known[name]; ok {
			errs = append(errs, s.check(at, mapping[name], below, where)...)
		} else {
			errs = append(errs, fmt.Errorf("%s: no such key%s", where(at), meant(name, known)))
		}
	}
	return errs
}

// meant suggests one of the known keys, or lists them.
func meant(name string, known map[string]any) string {
	names := slices.Sorted(maps.Keys(known))
	if near := configs.Nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; known are " + strings.Join(names, ", ")
}

// kind names the type of a value as users know it.
func kind(value any) string {
	switch value.(type) {
	case nil:
		return "nothing"
	case bool:
		return "true or false"
	case float64, int64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	default:
		return "a mapping"
	}
}

func join(key, name string) string { return strings.TrimPrefix(key+"."+name, ".") }

// place tells where the value at key was given.
func (s *settings) place(key string) string {
	for at := key; at != ""; at = at[:max(0, strings.LastIndexByte(at, '.'))] {
		if assignment, ok := s.set[at]; ok {
			if at == key {
				return "--set " + at
			}
			return "--set " + assignment + ": " + key
		}
	}
	for _, at := range slices.Sorted(maps.Keys(s.set)) { // of a part of it
		if strings.HasPrefix(at, key+".") {
			return "--set " + at + ": " + key
		}
	}
	if s.file != nil {
		at := s.file.At(key)
		if s.evaluated {
			at.Line = 0 // of what came out of it, which nobody has written
		}
		return at.String()
	}
	return key
}

// read takes in the file of settings.
func (s *settings) read(name string, text []byte) error {
	ext := path.Ext(name)
	evaluated := ext == ".jsonnet" || ext == ".libsonnet"
	if evaluated {
		made, err := evaluateFile(name)
		if err != nil {
			return err
		}
		text = []byte(made)
	}
	s.evaluated = evaluated
	document, err := configs.ReadDocument(name, text)
	if err != nil {
		return err
	}
	s.file, s.tree = document, document.Value
	return nil
}

// assign takes in one key=value. The value is JSON, or else text; where text is
// wanted it need not be quoted.
func (s *settings) assign(assignment string) error {
	key, text, ok := strings.Cut(assignment, "=")
	names := strings.Split(key, ".")
	if !ok || slices.Contains(names, "") {
		return fmt.Errorf("--set %s: must be key=value, such as thresholds.x=0.9", assignment)
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		value = text
	}
	if _, wanted := lookup(s.shape.defaults, names).(string); wanted && kind(value) != "text" {
		value = text
	}
	at := s.tree
	for i, name := range names[:len(names)-1] {
		below, isMapping := at[name].(map[string]any)
		if !isMapping {
			if at[name] != nil {
				return fmt.Errorf("--set %s: %s is no mapping", key, strings.Join(names[:i+1], "."))
			}
			below = map[string]any{}
			at[name] = below
		}
		at = below
	}
	at[names[len(names)-1]] = value
	s.set[key] = assignment
	return nil
}

// lookup returns what is at the end of names, nil if nothing.
func lookup(tree any, names []string) any {
	for _, name := range names {
		mapping, _ := tree.(map[string]any)
		tree = mapping[name]
	}
	return tree
}

// writeOverlay writes a mapping as jsonnet so that it is laid over another: mappings are
// merged, all else replaced.
func writeOverlay(b *strings.Builder, mapping map[string]any) error {
	b.WriteString("{")
	for _, name := range slices.Sorted(maps.Keys(mapping)) {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		b.Write(quoted)
		if below, ok := mapping[name].(map[string]any); ok {
			b.WriteString("+: ")
			if err := writeOverlay(b, below); err != nil {
				return err
			}
		} else {
			value, err := json.Marshal(mapping[name])
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			b.WriteString(": ")
			b.Write(value)
		}
		b.WriteString(", ")
	}
	b.WriteString("}")
	return nil
}
