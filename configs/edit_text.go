package configs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const byteOrderMark = "\ufeff"

// editText is the text of one YAML file and where in it each node stands.
type editText struct {
	text    string
	newline string // as the file has it
	lines   []int  // where each line begins
	root    *yaml.Node
}

// parseText reads the text of a file. One that holds nothing, or only
// comments, has no root.
func parseText(file, text string) (*editText, *Error) {
	t := &editText{text: text, newline: "\n", lines: lineStarts(text)}
	if strings.Contains(text, "\r\n") {
		t.newline = "\r\n"
	}
	if holdsNothing(text) {
		return t, nil
	}
	root, err := parseNodes(file, []byte(text), maxFileBytes, true)
	if err != nil {
		return nil, err
	}
	t.root = root
	return t, nil
}

// holdsNothing reports whether a text is blank but for comments.
func holdsNothing(text string) bool {
	for line := range strings.Lines(strings.TrimPrefix(text, byteOrderMark)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return false
		}
	}
	return true
}

// lineStarts finds the lines as YAML counts them.
func lineStarts(text string) []int {
	starts := []int{len(text) - len(strings.TrimPrefix(text, byteOrderMark))}
	for i := 0; i < len(text); {
		n := breakLength(text[i:])
		if n == 0 {
			i++
			continue
		}
		i += n
		starts = append(starts, i)
	}
	return starts
}

// breakLength is how many bytes of a line break text begins with.
func breakLength(text string) int {
	switch {
	case strings.HasPrefix(text, "\r\n"):
		return 2
	case strings.HasPrefix(text, "\n"), strings.HasPrefix(text, "\r"):
		return 1
	case strings.HasPrefix(text, "\u0085"):
		return len("\u0085")
	case strings.HasPrefix(text, "\u2028"), strings.HasPrefix(text, "\u2029"):
		return len("\u2028")
	default:
		return 0
	}
}

// start is where a node begins, its anchor and tag included.
func (t *editText) start(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(t.lines) {
		return len(t.text)
	}
	at := t.lines[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(t.text[at:])
		at += size
	}
	return min(at, len(t.text))
}

// lineOf returns where the line around an offset begins and ends, without its
// line break.
func (t *editText) lineOf(at int) (start, end int) {
	start, end = at, at
	for start > t.lines[0] && !isBreak(t.text[start-1]) {
		start--
	}
	for end < len(t.text) && !isBreak(t.text[end]) {
		end++
	}
	return start, end
}

func isBreak(c byte) bool { return c == '\n' || c == '\r' }

// afterBreak steps over the line break at an offset.
func (t *editText) afterBreak(at int) int { return at + breakLength(t.text[at:]) }

// beforeBreak steps back over the line break before an offset.
func (t *editText) beforeBreak(at int) int {
	if strings.HasSuffix(t.text[:at], "\r\n") {
		return at - 2
	}
	return at - 1
}

// blank reports whether there is nothing but blanks between two offsets.
func (t *editText) blank(from, to int) bool { return strings.Trim(t.text[from:to], " \t") == "" }

// indent is how far the line around an offset is indented, and whether there
// is anything else on it.
func (t *editText) indent(at int) (int, bool) {
	start, end := t.lineOf(at)
	line := t.text[start:end]
	rest := strings.TrimLeft(line, " ")
	return len(line) - len(rest), strings.TrimLeft(rest, "\t") != ""
}

// column is how many bytes stand before an offset on its line.
func (t *editText) column(at int) int {
	start, _ := t.lineOf(at)
	return at - start
}

// step is how deep the file indents a level: as its first nested key does.
func (t *editText) step() int {
	for _, at := range t.lines {
		if n, more := t.indent(at); more && n > 0 {
			return min(n, 8)
		}
	}
	return 2
}

// splice replaces what stands between two offsets.
type splice struct {
	from, to int
	text     string
}

// apply makes the splices, which are in order and do not overlap.
func (t *editText) apply(list []splice) (string, error) {
	var b strings.Builder
	at := 0
	for _, s := range list {
		if s.from < at || s.to < s.from {
			return "", fmt.Errorf("changes overlap")
		}
		b.WriteString(t.text[at:s.from])
		b.WriteString(s.text)
		at = s.to
	}
	b.WriteString(t.text[at:])
	return b.String(), nil
}
