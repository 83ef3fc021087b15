package configs

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// end is where a node ends in the text. The parser tells only where nodes
// begin. outer is the column of the block around the node, -1 for none; a
// block scalar needs it. A wrong answer does no harm: what an edit has made is
// read again and compared with what it was to be.
func (t *editText) end(n *yaml.Node, outer int) int {
	at := t.start(n)
	switch n.Kind {
	case yaml.AliasNode:
		return at + len("*") + len(n.Value)
	case yaml.ScalarNode:
		return t.scalarEnd(n, outer)
	}
	if n.Style&yaml.FlowStyle != 0 {
		return t.flowEnd(n)
	}
	if len(n.Content) == 0 {
		return at
	}
	last := n.Content[len(n.Content)-1]
	return t.end(last, t.blockColumn(n))
}

// blockColumn is the column of the keys or dashes of a block collection.
func (t *editText) blockColumn(n *yaml.Node) int {
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
		return t.column(t.start(n.Content[0]))
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
		return t.column(t.dash(n, 0))
	}
	return t.column(t.start(n))
}

// dash is where the dash of an item of a block sequence is.
func (t *editText) dash(seq *yaml.Node, i int) int {
	at := t.start(seq.Content[i])
	for j := at - 1; j >= 0 && !isBreak(t.text[j]); j-- {
		if c := t.text[j]; c == '-' {
			return j
		} else if c != ' ' && c != '\t' {
			break
		}
	}
	// The item begins on a line below its dash.
	for at > 0 {
		start, end := t.lineOf(at)
		line := t.text[start:end]
		rest := strings.TrimLeft(line, " ")
		if strings.HasPrefix(rest, "-") && (len(rest) == 1 || rest[1] == ' ' || rest[1] == '\t') {
			return start + len(line) - len(rest)
		}
		if start == 0 {
			break
		}
		at = start - 1
	}
	return t.start(seq.Content[i])
}

// skipProperties steps over an anchor and a tag.
func (t *editText) skipProperties(at int) int {
	for at < len(t.text) && (t.text[at] == '&' || t.text[at] == '!') {
		end := at
		for end < len(t.text) && !strings.ContainsRune(" \t\r\n,[]{}", rune(t.text[end])) {
			end++
		}
		next := end
		for next < len(t.text) && strings.IndexByte(" \t", t.text[next]) >= 0 {
			next++
		}
		if next == len(t.text) || isBreak(t.text[next]) || t.text[next] == '#' {
			return end
		}
		at = next
	}
	return at
}

func (t *editText) scalarEnd(n *yaml.Node, outer int) int {
	at := t.start(n)
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		at = t.skipProperties(at)
	}
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		for at++; at < len(t.text) && t.text[at] != '"'; at++ {
			if t.text[at] == '\\' {
				at++
			}
		}
		return min(at+1, len(t.text))
	case n.Style&yaml.SingleQuotedStyle != 0:
		for at++; at < len(t.text); at++ {
			if t.text[at] != '\'' {
				continue
			}
			if !strings.HasPrefix(t.text[at:], "''") {
				return at + 1
			}
			at++
		}
		return len(t.text)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return t.blockScalarEnd(at, outer)
	default:
		return t.plainEnd(at, n.Value)
	}
}

// plainEnd follows the text for as long as it spells value; line breaks and
// the blanks around them have become single blanks or line breaks.
func (t *editText) plainEnd(at int, value string) int {
	if strings.HasPrefix(t.text[at:], value) {
		return at + len(value)
	}
	end := at
	for i := 0; i < len(value) && end < len(t.text); {
		if c := value[i]; c != ' ' && c != '\n' {
			if t.text[end] != c {
				return end
			}
			i++
			end++
			continue
		}
		for i < len(value) && (value[i] == ' ' || value[i] == '\n') {
			i++
		}
		for end < len(t.text) && strings.IndexByte(" \t\r\n", t.text[end]) >= 0 {
			end++
		}
	}
	return end
}

// blockScalarEnd is the end of the last line of a literal or folded text.
// Blank lines after it belong to it only where its header says so.
func (t *editText) blockScalarEnd(at, outer int) int {
	_, headerEnd := t.lineOf(at)
	header, _, _ := strings.Cut(t.text[at:headerEnd], " ")
	keep := strings.Contains(header, "+")
	content := -1
	if i := strings.IndexAny(header, "123456789"); i >= 0 {
		content = max(outer, 0) + int(header[i]-'0')
	}
	end := headerEnd
	for next := t.afterBreak(headerEnd); next < len(t.text); {
		start, lineEnd := t.lineOf(next)
		indent, more := t.indent(start)
		if more {
			if content < 0 {
				content = indent
			}
			if indent < content || indent <= outer {
				break
			}
		}
		if more || keep {
			end = lineEnd
		}
		if lineEnd >= len(t.text) {
			break
		}
		next = t.afterBreak(lineEnd)
	}
	return end
}

// flowEnd is the offset after the closing bracket.
func (t *editText) flowEnd(n *yaml.Node) int {
	at := t.start(n)
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		at = t.skipProperties(at)
	}
	at++ // the opening bracket
	for _, child := range n.Content {
		at = max(at, t.end(child, -1))
	}
	for at < len(t.text) {
		at = t.skipGap(at)
		if at < len(t.text) && (t.text[at] == ']' || t.text[at] == '}') {
			return at + 1
		}
		at++
	}
	return len(t.text)
}

// skipGap steps over blanks, line breaks and comments.
func (t *editText) skipGap(at int) int {
	for at < len(t.text) {
		switch c := t.text[at]; {
		case c == ' ' || c == '\t' || isBreak(c):
			at++
		case c == '#':
			_, at = t.lineOf(at)
		default:
			return at
		}
	}
	return at
}

// comments lists the comments between two offsets, leaves holding the ranges
// of scalars there, in order.
func (t *editText) comments(from, to int, leaves [][2]int) []string {
	var list []string
	for at := from; at < to; {
		if len(leaves) > 0 && at >= leaves[0][0] {
			at = max(at, leaves[0][1])
			leaves = leaves[1:]
			continue
		}
		if t.text[at] != '#' {
			at++
			continue
		}
		_, end := t.lineOf(at)
		list = append(list, strings.TrimRight(t.text[at:min(end, to)], " \t"))
		at = end
	}
	return list
}

// leaves lists the ranges of the scalars and aliases below n, in order.
func (t *editText) leaves(n *yaml.Node, outer int) [][2]int {
	if n.Kind == yaml.ScalarNode || n.Kind == yaml.AliasNode {
		return [][2]int{{t.start(n), t.end(n, outer)}}
	}
	var list [][2]int
	for _, child := range n.Content {
		list = append(list, t.leaves(child, t.blockColumn(n))...)
	}
	return list
}
