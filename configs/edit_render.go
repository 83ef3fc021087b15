package configs

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// renderer writes nodes the way people write this configuration by hand:
// blocks for entries, one line for lists of names and for small mappings
// within lists.
type renderer struct {
	newline string
	step    int // columns a level
}

// widest is how long a list or mapping may get before it is written as a block.
const widest = 100

// pair writes `key: value` of a block mapping at a column, without a line
// break at the end. The first line has no indentation.
func (r renderer) pair(key, value *yaml.Node, column int) string {
	var b strings.Builder
	r.commentLines(&b, key.HeadComment, column)
	b.WriteString(scalarText(key, false))
	b.WriteByte(':')
	b.WriteString(r.value(value, column))
	comment := key.LineComment
	if comment == "" {
		comment = value.LineComment
	}
	text := b.String()
	if comment != "" {
		text = r.lineComment(text, comment, value)
	}
	if foot := strings.TrimSpace(key.FootComment); foot != "" {
		text += r.newline + r.indent(column) + strings.ReplaceAll(foot, "\n", r.newline+r.indent(column))
	}
	return text
}

// lineComment puts a comment on the line of a value, or above where the value
// has several.
func (r renderer) lineComment(text, comment string, value *yaml.Node) string {
	comment = strings.TrimSpace(comment)
	if !strings.Contains(text, r.newline) && !strings.Contains(comment, "\n") {
		return text + " " + comment
	}
	if first, rest, ok := strings.Cut(text, r.newline); ok && strings.HasSuffix(first, ":") && value.Kind != yaml.ScalarNode && !strings.Contains(comment, "\n") {
		return first + " " + comment + r.newline + rest
	}
	return text
}

func (r renderer) commentLines(b *strings.Builder, comment string, column int) {
	for line := range strings.SplitSeq(strings.TrimSpace(comment), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + r.newline + r.indent(column))
		}
	}
}

func (r renderer) indent(column int) string { return strings.Repeat(" ", column) }

// value writes what stands after a key at a column, with the blank or the line
// break before it.
func (r renderer) value(n *yaml.Node, column int) string {
	switch {
	case n.Kind == yaml.ScalarNode:
		if text, ok := r.literal(n, column+r.step); ok {
			return " " + text
		}
		return " " + scalarText(n, false)
	case r.inline(n):
		return " " + flowText(n)
	default:
		return r.newline + r.indent(column+r.step) + r.block(n, column+r.step)
	}
}

// block writes a collection as a block. The first line has no indentation.
func (r renderer) block(n *yaml.Node, column int) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, r.pair(n.Content[i], n.Content[i+1], column))
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, r.item(item, column))
		}
	}
	return strings.Join(parts, r.newline+r.indent(column))
}

// item writes an item of a block sequence whose dash stands at a column.
func (r renderer) item(n *yaml.Node, column int) string {
	var b strings.Builder
	r.commentLines(&b, n.HeadComment, column)
	b.WriteString("- ")
	switch {
	case n.Kind == yaml.ScalarNode:
		if text, ok := r.literal(n, column+2); ok {
			b.WriteString(text)
		} else {
			b.WriteString(scalarText(n, false))
		}
	case n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0:
		b.WriteString(flowText(n))
	default:
		b.WriteString(r.block(n, column+2))
	}
	if n.LineComment != "" && !strings.Contains(b.String(), r.newline) {
		b.WriteString(" " + strings.TrimSpace(n.LineComment))
	}
	return b.String()
}

// inline reports whether a collection fits on the line of its key: where it is
// asked for, where it is empty, and where it is a short list of scalars.
func (r renderer) inline(n *yaml.Node) bool {
	if len(n.Content) == 0 {
		return true
	}
	if n.Style&yaml.FlowStyle != 0 {
		return !hasComments(n) && (len(flowText(n)) <= widest || n.Kind == yaml.MappingNode)
	}
	if n.Kind != yaml.SequenceNode || hasComments(n) {
		return false
	}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return false
		}
	}
	return len(flowText(n)) <= widest
}

func hasComments(n *yaml.Node) bool {
	for _, child := range n.Content {
		if child.HeadComment+child.LineComment+child.FootComment != "" || hasComments(child) {
			return true
		}
	}
	return false
}

// literal writes a text of several lines as a literal block. Texts that such a
// block would not hold as they are go in quotes.
func (r renderer) literal(n *yaml.Node, column int) (string, bool) {
	text := n.Value
	if !strings.Contains(text, "\n") || n.Tag != "!!str" || n.Style&yaml.DoubleQuotedStyle != 0 {
		return "", false
	}
	body, header := strings.TrimSuffix(text, "\n"), "|"
	if body == text {
		header = "|-"
	}
	if body == "" || strings.HasSuffix(body, "\n") || strings.HasPrefix(body, " ") || strings.HasPrefix(body, "\n") {
		return "", false
	}
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) == "" && line != "" || strings.ContainsFunc(line, notPlain) {
			return "", false
		}
		if line != "" {
			lines[i] = r.indent(column) + line
		}
	}
	return header + r.newline + strings.Join(lines, r.newline), true
}

// notPlain finds what a literal block cannot hold.
func notPlain(c rune) bool {
	return c < ' ' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == '\u2028' || c == '\u2029' || c == '\ufeff'
}

// What can be written as it is without asking the YAML library, which takes
// its time.
var (
	plainWord    = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*$`)
	plainAddress = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./:-]*[A-Za-z0-9_/]$`)
	notText      = map[string]bool{"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true}
)

// scalarText writes a scalar on one line, in quotes where it needs them.
func scalarText(n *yaml.Node, flow bool) string {
	if n.Tag != "!!str" && n.Style == 0 && n.Value != "" {
		return n.Value // numbers, truth values, durations and dates stay as they are spelled
	}
	if n.Tag == "!!null" {
		return "null"
	}
	if n.Style == 0 && (plainWord.MatchString(n.Value) || !flow && plainAddress.MatchString(n.Value)) && !notText[strings.ToLower(n.Value)] {
		return n.Value
	}
	one := *n
	one.HeadComment, one.LineComment, one.FootComment, one.Anchor = "", "", "", ""
	one.Style &^= yaml.LiteralStyle | yaml.FoldedStyle
	if strings.Contains(one.Value, "\n") {
		one.Style = yaml.DoubleQuotedStyle
	}
	around := yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{&one}}
	if !flow {
		around = yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{&one}}
	}
	text, err := yaml.Marshal(&around)
	if err != nil {
		return `""` // cannot be: a scalar has no way to fail; the comparison afterwards would tell
	}
	out := strings.TrimRight(string(text), "\n")
	if flow {
		out = strings.TrimSuffix(strings.TrimPrefix(out, "["), "]")
	} else {
		out = strings.TrimPrefix(out, "- ")
	}
	if out[0] == '\'' && n.Style&yaml.SingleQuotedStyle == 0 && !strings.ContainsAny(n.Value, "\\\"") {
		return `"` + n.Value + `"` // the quotes that people use
	}
	return out
}

// flowText writes a node on one line.
func flowText(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		parts := make([]string, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, scalarText(n.Content[i], true)+": "+flowText(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		parts := make([]string, 0, len(n.Content))
		for _, item := range n.Content {
			parts = append(parts, flowText(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return scalarText(n, true)
	}
}
