package configs

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// insertPairs adds keys at the end of a mapping.
func (e *edit) insertPairs(m *yaml.Node, pairs []*yaml.Node) {
	if flow(m) {
		texts := make([]string, 0, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			texts = append(texts, scalarText(pairs[i], true)+": "+flowText(pairs[i+1]))
		}
		e.insertFlow(m, texts)
		return
	}
	column := e.t.blockColumn(m)
	if column == 0 && m == e.t.root {
		e.insertTop(pairs)
		return
	}
	_, end := e.t.lineOf(e.end(m))
	end = e.withComments(end, column)
	text := ""
	for i := 0; i+1 < len(pairs); i += 2 {
		text += e.r.newline + e.r.indent(column) + e.r.pair(pairs[i], pairs[i+1], column)
	}
	e.splice(end, end, text)
}

// insertTop adds keys at the end of the file, behind a blank line.
func (e *edit) insertTop(pairs []*yaml.Node) {
	var b strings.Builder
	body := strings.TrimRight(e.t.text, " \t\r\n")
	if len(body) == len(e.t.text) {
		b.WriteString(e.r.newline)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(e.r.newline + e.r.pair(pairs[i], pairs[i+1], 0) + e.r.newline)
	}
	at := len(e.t.text)
	e.splice(at, at, b.String())
}

// insertItems adds items at the end of a sequence.
func (e *edit) insertItems(seq *yaml.Node, items []*yaml.Node) {
	if flow(seq) && !(len(seq.Content) == 0 && e.outer[seq] >= 0) {
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = flowText(item)
		}
		e.insertFlow(seq, texts)
		return
	}
	if len(seq.Content) == 0 {
		e.fillEmpty(seq, items)
		return
	}
	last := len(seq.Content) - 1
	dash := e.t.dash(seq, last)
	column := e.t.column(dash)
	_, end := e.t.lineOf(e.end(seq.Content[last]))
	// Comments that are indented like the dashes belong to the list, but where
	// the dashes stand at the column of the key they may be about the next key.
	inner := column
	if e.outer[seq] == column {
		inner++
	}
	end = e.withComments(end, inner)
	between := e.r.newline
	if last > 0 && e.apart(seq, last) {
		between += e.r.newline
	}
	var b strings.Builder
	for _, item := range items {
		b.WriteString(between + e.r.indent(column) + e.r.item(likeSiblings(item, seq.Content[last]), column))
	}
	e.splice(end, end, b.String())
}

// fillEmpty turns [] into a block.
func (e *edit) fillEmpty(seq *yaml.Node, items []*yaml.Node) {
	from, to := e.t.start(seq), e.end(seq)
	for from > 0 && (e.t.text[from-1] == ' ' || e.t.text[from-1] == '\t') {
		from--
	}
	column := e.outer[seq] + e.r.step
	text := ""
	for _, item := range items {
		text += e.r.newline + e.r.indent(column) + e.r.item(item, column)
	}
	_, lineEnd := e.t.lineOf(to)
	e.splice(from, to, "")
	e.splice(lineEnd, lineEnd, text)
}

// apart reports whether a blank line stands before an item.
func (e *edit) apart(seq *yaml.Node, i int) bool {
	from, to := e.end(seq.Content[i-1]), e.t.dash(seq, i)
	blank := 0
	for at := from; at < to; {
		start, end := e.t.lineOf(at)
		if start >= from && e.t.blank(start, end) {
			blank++
		}
		if at = e.t.afterBreak(end); at == end {
			break
		}
	}
	return blank > 0
}

// likeSiblings writes a small entry on one line where its neighbour is.
func likeSiblings(item, neighbour *yaml.Node) *yaml.Node {
	if item.Kind != yaml.MappingNode || !flow(neighbour) || hasComments(item) || strings.Contains(flowText(item), `\n`) {
		return item
	}
	styled := *item
	styled.Style |= yaml.FlowStyle
	return &styled
}

// insertFlow adds texts at the end of what stands in brackets, on lines of
// their own where the last one has a line of its own.
func (e *edit) insertFlow(n *yaml.Node, texts []string) {
	if len(n.Content) == 0 {
		at := e.end(n) - 1
		e.splice(at, at, strings.Join(texts, ", "))
		return
	}
	last := n.Content[len(n.Content)-1]
	first := last
	if n.Kind == yaml.MappingNode {
		first = n.Content[len(n.Content)-2]
	}
	at := e.end(last)
	start, _ := e.t.lineOf(e.t.start(first))
	comma := e.t.skipGap(at)
	hasComma := comma < len(e.t.text) && e.t.text[comma] == ','
	if !e.t.blank(start, e.t.start(first)) {
		if hasComma {
			e.splice(comma+1, comma+1, " "+strings.Join(texts, ", "))
			return
		}
		e.splice(at, at, ", "+strings.Join(texts, ", "))
		return
	}
	lead := e.r.newline + e.t.text[start:e.t.start(first)]
	if hasComma {
		_, end := e.t.lineOf(comma)
		if rest := strings.TrimSpace(e.t.text[comma+1 : end]); rest != "" && rest[0] != '#' {
			end = comma + 1
		}
		e.splice(end, end, lead+strings.Join(texts, ","+lead)+",")
		return
	}
	e.splice(at, at, ",")
	_, end := e.t.lineOf(at)
	if rest := strings.TrimSpace(e.t.text[at:end]); rest != "" && rest[0] != '#' {
		end = at
	}
	e.splice(end, end, lead+strings.Join(texts, ","+lead))
}
