package configs

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

const maxDocumentBytes = 1 << 20

// Document is a file whose keys are not the configuration's: somebody else
// knows which there are. JSON is YAML, too.
type Document struct {
	// Value holds nil, bool, int64, float64, string, []any and map[string]any.
	Value map[string]any

	file  string
	lines map[string]int
}

// ReadDocument reads text, which is that of file. Its mistakes are of type
// *Error, joined.
func ReadDocument(file string, text []byte) (*Document, error) {
	root, err := parseNodes(file, text, maxDocumentBytes, true)
	if err != nil {
		err.Text = strings.TrimSuffix(err.Text, " with connections, applications and queues")
		return nil, err
	}
	r := &documentReader{document: &Document{file: file, lines: map[string]int{}}, left: maxDocumentValues}
	value, _ := r.value("", root).(map[string]any)
	if len(r.errs) > 0 {
		return nil, joinErrors(r.errs)
	}
	r.document.Value = value
	return r.document, nil
}

// At returns where the value at path stands, or the nearest one around it.
func (d *Document) At(path string) Position {
	for at := path; ; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		if line, ok := d.lines[at]; ok || at == "" {
			return Position{File: d.file, Line: max(1, line), Path: path}
		}
	}
}

// maxDocumentValues bounds what aliases can make of a small file.
const maxDocumentValues = 100_000

type documentReader struct {
	document *Document
	errs     []*Error
	left     int
}

func (r *documentReader) fail(path string, n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, &Error{Position: Position{File: r.document.file, Line: n.Line, Path: path}, Text: fmt.Sprintf(format, args...)})
}

// value converts the value n at path.
func (r *documentReader) value(path string, n *yaml.Node) any {
	if r.left--; r.left < 0 {
		if r.left == -1 {
			r.fail(path, n, "the file holds more than %d values", maxDocumentValues)
		}
		return nil
	}
	if path != "" {
		r.document.lines[path] = n.Line
	}
	switch n = deref(n); n.Kind {
	case yaml.MappingNode:
		return r.mapping(path, n)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			list = append(list, r.value(path+"["+strconv.Itoa(i)+"]", item))
		}
		return list
	default:
		return r.scalar(path, n)
	}
}

func (r *documentReader) mapping(path string, n *yaml.Node) any {
	m := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := deref(n.Content[i]), n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		switch _, twice := m[key.Value]; {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.fail(path, key, "a key must be a plain word")
		case twice:
			r.fail(at, key, "is there twice")
		default:
			m[key.Value] = r.value(at, value)
			r.document.lines[at] = key.Line
		}
	}
	return m
}

func (r *documentReader) scalar(path string, n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		var value any
		if err := n.Decode(&value); err != nil {
			r.fail(path, n, "is not a value that can be read")
			return nil
		}
		return number(value)
	case "!!str", "!!timestamp": // a date is text to everybody but YAML
		return n.Value
	default:
		r.fail(path, n, "a tag that is not understood; put a value that begins with ! in quotes")
		return nil
	}
}

// number makes all whole numbers one type.
func number(value any) any {
	switch v := value.(type) {
	case int:
		return int64(v)
	case uint64:
		return float64(v)
	default:
		return v
	}
}
