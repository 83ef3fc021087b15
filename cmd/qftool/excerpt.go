package main

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

const (
	hidden        = "<hidden>"
	maxLineLength = 160 // runes of a source line that are shown
)

// keyPattern finds the keys on a line, quoted or not, in block and flow style.
var keyPattern = regexp.MustCompile(`(?:^|[\s{,])(["']?)([A-Za-z_][A-Za-z0-9_.-]*)(["']?)\s*:(?:\s|$)`)

// excerpter shows lines of a configuration without what might be a secret.
//
// It shows what it knows to be harmless, not all but what it knows to be
// secret: a mistyped `passwrod: …` must not print its value either. A line is
// shown up to the first key that is not harmless, and not at all below one.
type excerpter struct {
	harmless map[string]bool // keys whose values may be shown
	lists    map[string]bool // those of them that hold a list of plain texts

	of      []string // the lines that parents is about
	parents []int
}

// newExcerpter learns the keys from the configuration's own types.
func newExcerpter() *excerpter {
	x := &excerpter{harmless: map[string]bool{}, lists: map[string]bool{}}
	// Free text and what ends up in a worker's argv or environment may hold anything.
	secret := map[string]bool{
		"notes": true, "description": true, "metadata": true, "labels": true, "command": true, "environment": true, "password_age": true,
	}
	x.learn(reflect.TypeFor[configs.Config](), secret)
	for key := range secret {
		delete(x.harmless, key)
		delete(x.lists, key)
	}
	return x
}

// learn walks through the keys of t and adds to secret those that hold one anywhere.
func (x *excerpter) learn(t reflect.Type, secret map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		x.learn(t.Elem(), secret)
	case reflect.Struct:
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case name == "" || name == "-":
			case f.Type == reflect.TypeFor[configs.Secret]():
				secret[name] = true
			default:
				x.harmless[name] = true
				x.lists[name] = f.Type == reflect.TypeFor[[]string]()
				x.learn(f.Type, secret)
			}
		}
	default:
	}
}

// line returns lines[i] fit to be shown, tabs made blanks and comments removed.
func (x *excerpter) line(lines []string, i int) string {
	raw := strings.ReplaceAll(strings.TrimRight(lines[i], " \t\r"), "\t", " ")
	indent := indentation(raw)
	if cut := strings.Index(raw+" ", " #"); cut >= 0 {
		raw = strings.TrimRight(raw[:cut], " ")
	}
	switch {
	case raw == "" || strings.HasPrefix(strings.TrimSpace(raw), "#"):
		return ""
	case !x.ancestorsHarmless(lines, i):
		return raw[:indent] + hidden
	}
	keys := keyPattern.FindAllStringSubmatchIndex(raw, -1)
	if len(keys) == 0 {
		return x.item(lines, i, raw)
	}
	shown := raw
	for _, k := range keys {
		colon := k[7] + strings.Index(raw[k[7]:], ":")
		if !x.harmless[raw[k[4]:k[5]]] && strings.TrimSpace(raw[colon+1:]) != "" {
			shown = raw[:colon+1] + " " + hidden
			break
		}
	}
	if strings.Contains(shown, "@") { // user:password@host
		colon := keys[0][7] + strings.Index(raw[keys[0][7]:], ":")
		shown = raw[:colon+1] + " " + hidden
	}
	return shorten(printable(shown))
}

// item shows a line without a key: a plain list item, if its list is harmless.
func (x *excerpter) item(lines []string, i int, raw string) string {
	indent := indentation(raw)
	parent := x.parent(lines, i)
	isItem := strings.HasPrefix(raw[indent:], "- ") && parent >= 0 && x.lists[firstKey(lines[parent])]
	if !isItem || strings.Contains(raw, "@") {
		return raw[:indent] + hidden
	}
	return shorten(printable(raw))
}

// ancestorsHarmless reports whether every key above line i is harmless.
func (x *excerpter) ancestorsHarmless(lines []string, i int) bool {
	for p := x.parent(lines, i); p >= 0; p = x.parent(lines, p) {
		if key := firstKey(lines[p]); key != "" && !x.harmless[key] {
			return false
		}
	}
	return true
}

// parent returns the line that line i is nested in, or -1. It remembers those
// of the file that it was asked about last, since thousands of mistakes may be
// in one.
func (x *excerpter) parent(lines []string, i int) int {
	if len(x.of) != len(lines) || &x.of[0] != &lines[0] {
		x.of, x.parents = lines, parentLines(lines)
	}
	return x.parents[i]
}

// parentLines returns for each line the one that it is nested in, or -1. The
// items of a list may stand at the indentation of their key.
func parentLines(lines []string) []int {
	type around struct {
		line, indent int
		item         bool
	}
	var open []around // that what follows may be nested in, outermost first
	parents := make([]int, len(lines))
	for i, line := range lines {
		at := around{i, indentation(line), false}
		trimmed := strings.TrimSpace(line)
		at.item = strings.HasPrefix(trimmed, "-")
		parents[i] = -1
		for j := len(open) - 1; j >= 0; j-- {
			if o := open[j]; o.indent < at.indent || at.item && o.indent == at.indent && !o.item {
				parents[i] = o.line
				break
			}
		}
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		for n := len(open) - 1; n >= 0 && (open[n].indent > at.indent || open[n].indent == at.indent && (open[n].item || !at.item)); n-- {
			open = open[:n]
		}
		open = append(open, at)
	}
	return parents
}

func firstKey(line string) string {
	m := keyPattern.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	return m[2]
}

func indentation(line string) int {
	return len(line) - len(strings.TrimLeft(line, " \t"))
}

// underline returns the column (in runes) and width of what path names in a
// shown line: its last key, else all of the line.
func underline(shown, path string) (column, width int) {
	key := path[strings.LastIndex(path, ".")+1:]
	key, _, _ = strings.Cut(key, "[")
	for _, k := range keyPattern.FindAllStringSubmatchIndex(shown, -1) {
		if key != "" && shown[k[4]:k[5]] == key {
			return len([]rune(shown[:k[4]])), len([]rune(key))
		}
	}
	trimmed := strings.TrimLeft(shown, " -")
	return len([]rune(shown)) - len([]rune(trimmed)), max(1, len([]rune(trimmed)))
}

func shorten(s string) string {
	if r := []rune(s); len(r) > maxLineLength {
		return string(r[:maxLineLength-1]) + "…"
	}
	return s
}
