package configs

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// edit collects changes to the nodes of a text and makes them in the text
// itself, so that everything else stays as it is to the byte. A node is
// changed once in an edit. Beside the text, a copy of the tree is changed; in
// the end what the text has become is read and has to be that copy.
type edit struct {
	t       *editText
	r       renderer
	want    *yaml.Node
	copies  map[*yaml.Node]*yaml.Node
	splices []splice
	pairs   map[*yaml.Node][]*yaml.Node // keys and values to add to mappings
	items   map[*yaml.Node][]*yaml.Node // items to add to sequences
	outer   map[*yaml.Node]int          // column of the block around a node
	order   []*yaml.Node                // of pairs and items
}

// errShape is told where the text has a form that the changes cannot be made
// in.
var errShape = errors.New("is written in a form that cannot be changed by a program; edit it by hand")

func newEdit(t *editText) *edit {
	e := &edit{
		t: t, r: renderer{t.newline, t.step()}, copies: map[*yaml.Node]*yaml.Node{},
		pairs: map[*yaml.Node][]*yaml.Node{}, items: map[*yaml.Node][]*yaml.Node{}, outer: map[*yaml.Node]int{},
	}
	if t.root != nil {
		e.want = e.copyTree(t.root)
		e.noteOuter(t.root, -1)
	}
	return e
}

func (e *edit) copyTree(n *yaml.Node) *yaml.Node {
	if done, ok := e.copies[n]; ok {
		return done
	}
	c := *n
	e.copies[n] = &c
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = e.copyTree(child)
	}
	if n.Alias != nil {
		c.Alias = e.copyTree(n.Alias)
	}
	return &c
}

func (e *edit) noteOuter(n *yaml.Node, outer int) {
	if n.Kind == yaml.AliasNode {
		return
	}
	e.outer[n] = outer
	column := -1
	if n.Style&yaml.FlowStyle == 0 {
		column = e.t.blockColumn(n)
	}
	for _, child := range n.Content {
		e.noteOuter(child, column)
	}
}

func (e *edit) end(n *yaml.Node) int { return e.t.end(n, e.outer[n]) }

func flow(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 }

// own finds a key that a mapping has itself; -1 where it has not.
func own(m *yaml.Node, key string) int {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if k := m.Content[i]; k.Kind == yaml.ScalarNode && k.Value == key && !isMerge(k) {
			return i
		}
	}
	return -1
}

// set gives a key of a mapping a value, adding it where it is missing.
func (e *edit) set(m *yaml.Node, key, value *yaml.Node) error {
	c := e.copies[m]
	i := own(m, key.Value)
	if i < 0 {
		if _, known := e.pairs[m]; !known {
			e.order = append(e.order, m)
		}
		e.pairs[m] = append(e.pairs[m], key, value)
		c.Content = append(c.Content, key, value)
		return nil
	}
	old := m.Content[i+1]
	e.replaceIn(c, e.copies[old], value)
	return e.replace(m, m.Content[i], old, value)
}

func (e *edit) replaceIn(parent, old, value *yaml.Node) {
	for j := range parent.Content {
		if parent.Content[j] == old {
			parent.Content[j] = value
		}
	}
}

// replace puts a value into the place of another.
func (e *edit) replace(m, key, old, value *yaml.Node) error {
	if old.Anchor != "" {
		return errShape // others may refer to it
	}
	from, to := e.t.start(old), e.end(old)
	if flow(m) {
		text := flowText(value)
		if from == to && e.t.text[from-1] != ' ' {
			text = " " + text
		}
		e.splice(from, to, text)
		return nil
	}
	column := e.t.blockColumn(m)
	if oneLine(e.t.text[from:to]) && from < to && e.sameLine(key, old) && old.Kind == yaml.ScalarNode && value.Kind == yaml.ScalarNode && !strings.Contains(value.Value, "\n") {
		e.splice(from, to, scalarText(styledLike(value, old), false))
		return nil
	}
	colon := strings.IndexByte(e.t.text[e.end(key):], ':')
	if colon < 0 {
		return errShape
	}
	after := e.end(key) + colon + 1
	text := e.r.value(value, column)
	_, lineEnd := e.t.lineOf(to)
	if strings.Contains(text, e.r.newline) && !e.t.blank(to, lineEnd) {
		to = lineEnd // a comment behind a value that becomes a block
	}
	if err := e.rescue(key, old, after, to); err != nil {
		return err
	}
	e.splice(after, to, text)
	return nil
}

func oneLine(text string) bool { return !strings.ContainsAny(text, "\n\r") }

func (e *edit) sameLine(a, b *yaml.Node) bool { return a.Line == b.Line }

// styledLike keeps quotes that somebody has chosen.
func styledLike(value, old *yaml.Node) *yaml.Node {
	if value.Style != 0 || value.Tag != "!!str" || old.Tag != "!!str" {
		return value
	}
	styled := *value
	styled.Style = old.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle)
	return &styled
}

// rescue puts the comments of a range that is about to go above its key.
func (e *edit) rescue(key, old *yaml.Node, from, to int) error {
	comments := e.t.comments(from, to, e.t.leaves(old, e.outer[old]))
	if len(comments) == 0 {
		return nil
	}
	start, _ := e.t.lineOf(e.t.start(key))
	at := e.t.start(key)
	if !e.t.blank(start, at) {
		return errShape
	}
	text := ""
	for _, c := range comments {
		text += c + e.r.newline + e.t.text[start:at]
	}
	e.splice(at, at, text)
	return nil
}

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
		text += e.t.text[lineStart:from] + comment + e.r.newline
	}
	e.splice(lineStart, e.t.afterBreak(lineEnd), text)
	return nil
}

// add puts an item at the end of a sequence.
func (e *edit) add(seq, item *yaml.Node) {
	if _, known := e.items[seq]; !known {
		e.order = append(e.order, seq)
	}
	e.items[seq] = append(e.items[seq], item)
	c := e.copies[seq]
	c.Content = append(c.Content, item)
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
		// Nothing is left of the list; [] stands for it.
		e.splice(dash, to, "[]")
		return nil
	}
	to = e.t.afterBreak(to)
	e.splice(from, e.blankLine(from, to), "")
	return nil
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

func (e *edit) splice(from, to int, text string) {
	e.splices = append(e.splices, splice{from, to, text})
}

// text makes all changes and returns what the text has become.
func (e *edit) text() (string, error) {
	for _, n := range e.order {
		if pairs := e.pairs[n]; len(pairs) > 0 {
			e.insertPairs(n, pairs)
		}
		if items := e.items[n]; len(items) > 0 {
			e.insertItems(n, items)
		}
	}
	slices.SortStableFunc(e.splices, func(a, b splice) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	out, err := e.t.apply(e.splices)
	if err != nil {
		return "", errShape
	}
	after, bad := parseText("", out)
	if bad != nil || !sameTree(after.root, e.want) {
		return "", errShape
	}
	return out, nil
}

// sameTree compares what nodes mean to our reader, not how they are written.
func sameTree(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Anchor != b.Anchor || len(a.Content) != len(b.Content) {
		return isNull(a) && isNull(b) && a.Kind == b.Kind
	}
	switch a.Kind {
	case yaml.AliasNode:
		return a.Value == b.Value
	case yaml.ScalarNode:
		return a.Tag == b.Tag && (a.Value == b.Value || a.Tag == "!!null")
	}
	for i := range a.Content {
		if !sameTree(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}
