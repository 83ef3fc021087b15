package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const (
	maxFileBytes     = 32 << 20
	maxFragmentBytes = 8 << 20
	bisectBytes      = 256 << 10
)

// parseNodes reads one YAML document. It returns no node and an error with a
// line where the text is not what we take; exact asks for the right line of a
// syntax error, at the price of some more parsing.
func parseNodes(file string, text []byte, limit int, exact bool) (*yaml.Node, *Error) {
	if err := checkText(file, text, limit); err != nil {
		return nil, err
	}
	root, err := parseOne(text)
	if err == nil {
		return root, nil
	}
	line, problem := explainYAML(err)
	if exact && len(text) <= bisectBytes {
		line = bisectLine(text, err.Error(), line)
	}
	return nil, &Error{Position: Position{File: file, Line: line}, Text: problem}
}

// checkText refuses what would make the YAML parser fail obscurely or take
// memory out of proportion: the parser builds its whole tree before we see any
// of it, so the number of its values is bounded here, by counting separators.
func checkText(file string, text []byte, limit int) *Error {
	fail := func(at int, format string, args ...any) *Error {
		line := 1 + bytes.Count(text[:at], []byte("\n"))
		return &Error{Position: Position{File: file, Line: line}, Text: fmt.Sprintf(format, args...)}
	}
	if len(text) > limit {
		return fail(0, "is larger than %d MiB", limit>>20)
	}
	if !utf8.Valid(text) {
		return fail(invalidUTF8(text), "is not UTF-8 text")
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return fail(i, "contains a NUL byte")
	}
	values, most := 0, limit/16
	for i, c := range text {
		switch c {
		case '\n', ',', '[', '{', ':', '?':
			if values++; values > most {
				return fail(i, "holds more than %d values", most)
			}
		}
	}
	return nil
}

func invalidUTF8(text []byte) int {
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		at += size
	}
	return at
}

// yamlError carries a mistake of ours through the same channel as the
// parser's own, with a line of its own.
type yamlError struct {
	line int
	text string
}

func (e *yamlError) Error() string { return e.text }

// parseOne parses exactly one document. The parser has been seen to panic on
// odd input; that counts as a syntax error.
func parseOne(text []byte) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, &yamlError{1, "cannot be read as YAML"}
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &yamlError{1, "is empty"}
		}
		return nil, err
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &yamlError{second.Line, "holds a second document; one file is one document"}
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	root = doc.Content[0]
	if isNull(root) {
		return nil, &yamlError{1, "is empty"}
	}
	if deref(root).Kind != yaml.MappingNode {
		return nil, &yamlError{root.Line, "must be a mapping (key: value) with connections, applications and queues"}
	}
	return root, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// explainYAML turns the parser's error into a line and a text without values
// of the file: the parser quotes what follows a * where it is no anchor, and
// that may be a password that somebody forgot to quote.
func explainYAML(err error) (int, string) {
	var own *yamlError
	if errors.As(err, &own) {
		return own.line, own.text
	}
	text, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		text = text[len(m[0]):]
	}
	switch {
	case strings.HasPrefix(text, "unknown anchor"):
		text = "an alias without its anchor; put a value that begins with * in quotes"
	case strings.Contains(text, " tag"):
		text = "a tag that is not understood; put a value that begins with ! in quotes"
	case strings.Contains(text, "control characters"):
		text = "contains a control character"
	}
	return line, "is not valid YAML: " + text
}

// bisectLine finds the line by which the parser has met its error: the
// shortest beginning of the text that fails in the same way. The parser's own
// figure is the beginning of the block around it, off by one, or missing.
func bisectLine(text []byte, problem string, guess int) int {
	var own *yamlError
	strip := func(s string) string { return s[len(yamlLine.FindString(s)):] }
	problem = strip(problem)
	lines := bytes.SplitAfter(text, []byte("\n"))
	ends := make([]int, len(lines))
	total := 0
	for i, l := range lines {
		total += len(l)
		ends[i] = total
	}
	i := sort.Search(len(lines), func(i int) bool {
		_, err := parseOne(text[:ends[i]])
		return err != nil && !errors.As(err, &own) && strip(err.Error()) == problem
	})
	if i == len(lines) {
		return guess
	}
	return i + 1
}

func deref(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	n = deref(n)
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}
