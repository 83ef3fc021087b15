package configs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxMistakes bounds what one Load reports; beyond it mistakes are counted.
const maxMistakes = 1000

// Error is one mistake in a configuration. Load joins as many of them as it
// finds; errors.As gives the first.
type Error struct {
	Position
	Text string

	entry string // connections[2]: whose mistake it is, also where Position is that of an inherited key
	cause cause
}

// cause is what a mistake has to do with other files: who has taken the name,
// or which name is missing.
type cause struct {
	holder     *source
	kind, name string
}

// Error writes file:line: key.path: text, as compilers do.
func (e *Error) Error() string { return e.Position.String() + ": " + e.Text }

// String writes file:line: key.path, without what is not known.
func (p Position) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Path != "" {
		b.WriteString(": ")
		b.WriteString(p.Path)
	}
	return b.String()
}

// String writes the warning like an Error.
func (w Warning) String() string { return w.Position.String() + ": " + w.Text }

// joinErrors sorts the mistakes of each file by line, leaves out repetitions
// and joins them. The order of the files is the order of their first mistake.
func joinErrors(list []*Error) error {
	rank := map[string]int{}
	for _, e := range list {
		if _, ok := rank[e.File]; !ok {
			rank[e.File] = len(rank)
		}
	}
	slices.SortStableFunc(list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(rank[a.File], rank[b.File]), cmp.Compare(a.Line, b.Line))
	})
	seen := make(map[Error]bool, len(list))
	list = slices.DeleteFunc(list, func(e *Error) bool {
		key := Error{Position: e.Position, Text: e.Text}
		twice := seen[key]
		seen[key] = true
		return twice
	})

	var errs []error
	for i, e := range list {
		if i == maxMistakes {
			errs = append(errs, fmt.Errorf("and %d more mistakes", len(list)-i))
			break
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// nearest returns the candidate that text was probably meant to be, or "".
func nearest(text string, candidates []string) string {
	best, limit := "", min(1+len(text)/4, len(text)-1)
	for _, c := range candidates {
		if abs(len(c)-len(text)) > limit {
			continue
		}
		if d := distance(text, c); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// distance counts the edits between two texts, a swap of neighbours being one.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func abs(n int) int { return max(n, -n) }

// didYouMean is the end of a message about an unknown name, or "".
func didYouMean(text string, candidates []string) string {
	if near := nearest(text, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
