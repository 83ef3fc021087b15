package configs

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// unset takes a key out of a mapping that has others.
func (e *edit) unset(m *yaml.Node, name string) error {
	i := own(m, name)
	if i < 0 {
		return nil
	}
	key, old := m.Content[i], m.Content[i+1]
	c := e.copies[m]
	c.Content = slices.DeleteFunc(c.Content, func(n *yaml.Node) bool { return n == e.copies[key] || n == e.copies[old] })
	if old.Anchor != "" || len(m.Content) == 2 && !flow(m) {
		return errShape
	}
	from, to := e.t.start(key), e.end(old)
	if flow(m) {
		switch {
		case i+2 < len(m.Content):
			to = e.t.start(m.Content[i+2])
		case i > 0:
			from = e.end(m.Content[i-1])
		}
		if len(e.t.comments(from, to, [][2]int{{e.t.start(key), e.end(old)}})) > 0 {
			return errShape
		}
		e.splice(from, to, "")
		return nil
	}
	lineStart, _ := e.t.lineOf(from)
	_, lineEnd := e.t.lineOf(to)
	comments := e.t.comments(from, lineEnd, append([][2]int{{e.t.start(key), e.end(key)}}, e.t.leaves(old, e.outer[old])...))
	if !e.t.blank(lineStart, from) { // the first key of an item, behind its dash
		if len(comments) > 0 || i+2 >= len(m.Content) {
			return errShape
		}
		e.splice(from, e.t.start(m.Content[i+2]), "")
		return nil
	}
	text := ""
	for _, comment := range comments {
		text += e.r.newline + e.t.text[lineStart:from] + comment
	}
	if lineStart == e.t.lines[0] {
		e.splice(lineStart, e.t.afterBreak(lineEnd), strings.TrimPrefix(text+e.r.newline, e.r.newline))
		return nil
	}
	// The line break before goes, so that what is added behind finds its place.
	e.splice(e.t.beforeBreak(lineStart), lineEnd, text)
	return nil
}

// remove takes an item out of a sequence, with the comments within it.
func (e *edit) remove(seq *yaml.Node, i int) error {
	item := seq.Content[i]
	c := e.copies[seq]
	c.Content = slices.DeleteFunc(c.Content, func(n *yaml.Node) bool { return n == e.copies[item] })
	if flow(seq) {
		from, to := e.t.start(item), e.end(item)
		switch {
		case i+1 < len(seq.Content):
			to = e.t.start(seq.Content[i+1])
		case i > 0:
			from = e.end(seq.Content[i-1])
		}
		e.splice(from, to, "")
		return nil
	}
	dash := e.t.dash(seq, i)
	from, _ := e.t.lineOf(dash)
	if !e.t.blank(from, dash) {
		return errShape
	}
	_, to := e.t.lineOf(e.end(item))
	to = e.withComments(to, e.t.column(dash)+1)
	if len(seq.Content) == 1 {
		e.empty(seq, dash, to)
		return nil
	}
	to = e.t.afterBreak(to)
	e.splice(from, e.blankLine(from, to), "")
	return nil
}

// empty writes [] where nothing is left of a list, behind its key where there
// is nothing between.
func (e *edit) empty(seq *yaml.Node, dash, to int) {
	before := strings.TrimRight(e.t.text[:dash], " \t\r\n")
	if strings.HasSuffix(before, ":") {
		e.splice(len(before), to, " []")
		return
	}
	text := "[]"
	if e.outer[seq] == e.t.column(dash) {
		text = e.r.indent(e.r.step) + text
	}
	e.splice(dash, to, text)
}

// blankLine extends a range of whole lines over a blank line behind it where
// there is one before it as well.
func (e *edit) blankLine(from, to int) int {
	if from == 0 {
		return to
	}
	_, before := e.t.indent(from - 1)
	_, end := e.t.lineOf(to)
	if _, behind := e.t.indent(to); before || behind || to >= len(e.t.text) {
		return to
	}
	return e.t.afterBreak(end)
}

// withComments extends the end of a line over the comments below it that are
// indented at least to a column.
func (e *edit) withComments(end, column int) int {
	for next := end; next < len(e.t.text); {
		start := e.t.afterBreak(next)
		if start >= len(e.t.text) {
			break
		}
		_, lineEnd := e.t.lineOf(start)
		indent, more := e.t.indent(start)
		if more && (e.t.text[start+indent] != '#' || indent < column) {
			break
		}
		if more {
			end = lineEnd
		}
		if lineEnd == next {
			break
		}
		next = lineEnd
	}
	return end
}
