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
		t.noteOuter(e.outer, t.root, -1)
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

// noteOuter notes the column of the block around each node.
func (t *editText) noteOuter(outer map[*yaml.Node]int, n *yaml.Node, around int) {
	if n.Kind == yaml.AliasNode {
		return
	}
	outer[n] = around
	column := -1
	if n.Style&yaml.FlowStyle == 0 && n.Kind != yaml.ScalarNode {
		column = t.blockColumn(n)
	}
	for _, child := range n.Content {
		t.noteOuter(outer, child, column)
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

// add puts an item at the end of a sequence.
func (e *edit) add(seq, item *yaml.Node) {
	if _, known := e.items[seq]; !known {
		e.order = append(e.order, seq)
	}
	e.items[seq] = append(e.items[seq], item)
	c := e.copies[seq]
	c.Content = append(c.Content, item)
}

func (e *edit) splice(from, to int, text string) {
	e.splices = append(e.splices, splice{from, to, text})
}

// make makes all changes and returns what the text has become.
func (e *edit) make() (*editText, error) {
	// What is added within something comes before what is added behind it.
	slices.SortStableFunc(e.order, func(a, b *yaml.Node) int { return cmp.Compare(e.t.start(b), e.t.start(a)) })
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
		return nil, errShape
	}
	after, bad := parseText("", out)
	if bad != nil || !sameTree(after.root, e.want) {
		return nil, errShape
	}
	return after, nil
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
