package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// style is a colour of the terminal.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// paint colours text where colours are wanted.
func (e *env) paint(s style, text string) string {
	if !e.color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// cell is one field of a table.
type cell struct {
	text  string
	style style
	right bool // numbers stand at the right
}

func text(s string) cell                  { return cell{text: s} }
func styled(st style, s string) cell      { return cell{text: s, style: st} }
func number(format string, v ...any) cell { return cell{text: fmt.Sprintf(format, v...), right: true} }

// unknown is the cell of a value that cannot be known.
func unknown() cell { return cell{text: "-", right: true, style: dim} }

// table is a list of rows under a header. Its columns are as wide as their
// widest cell; colours do not count.
type table struct {
	header []string
	rows   [][]cell
}

func (t *table) add(row ...cell) { t.rows = append(t.rows, row) }

// write prints the table. Text of other people cannot move the cursor: what
// is not printable is replaced.
func (t *table) write(w io.Writer, e *env) {
	widths := make([]int, len(t.header))
	for i, h := range t.header {
		widths[i] = utf8.RuneCountInString(h)
	}
	for _, row := range t.rows {
		for i := range row {
			row[i].text = printable(row[i].text)
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].text))
		}
	}
	header := make([]cell, len(t.header))
	for i, h := range t.header {
		header[i] = cell{text: h, style: bold, right: len(t.rows) > 0 && t.rows[0][i].right}
	}
	writeRow(w, e, header, widths)
	for _, row := range t.rows {
		writeRow(w, e, row, widths)
	}
}

func writeRow(w io.Writer, e *env, row []cell, widths []int) {
	var b strings.Builder
	for i, c := range row {
		if i > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text))
		switch {
		case c.right:
			b.WriteString(pad + e.paint(c.style, c.text))
		case i == len(row)-1:
			b.WriteString(e.paint(c.style, c.text))
		default:
			b.WriteString(e.paint(c.style, c.text) + pad)
		}
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
}

// printable replaces control characters, so that neither a configuration nor
// a server's error text can send escape sequences to the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, s)
}

// count writes a number with its noun: 1 mistake, 2 mistakes.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
