package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// finding is a mistake or a warning with the place that it is about.
type finding struct {
	File string `json:"file"`
	Line int    `json:"line"` // 0 where no line is to blame
	Path string `json:"path"`
	Text string `json:"text"`
}

func newFinding(p configs.Position, text string) finding {
	return finding{File: p.File, Line: p.Line, Path: p.Path, Text: text}
}

// findings takes a joined error apart. file stands in where an error names none.
func findings(file string, err error) []finding {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var list []finding
		for _, e := range many.Unwrap() {
			list = append(list, findings(file, e)...)
		}
		return list
	}
	var e *configs.Error
	if !errors.As(err, &e) {
		return []finding{{File: file, Text: err.Error()}}
	}
	f := newFinding(e.Position, e.Text)
	if f.File == "" {
		f.File = file
	}
	return []finding{f}
}

// printer shows findings the way a compiler does. It reads each source file once.
type printer struct {
	e         *env
	w         io.Writer
	excerpter *excerpter
	sources   map[string][]string
}

func newPrinter(e *env, w io.Writer) *printer {
	return &printer{e: e, w: w, excerpter: newExcerpter(), sources: map[string][]string{}}
}

// print writes one finding, its source line and a mark under the key. kind is
// empty for a mistake.
func (p *printer) print(f finding, kind string, st style) {
	place := f.File
	if f.Line > 0 {
		place += ":" + strconv.Itoa(f.Line)
	}
	fmt.Fprint(p.w, p.e.paint(bold, printable(place)), ": ")
	if kind != "" {
		fmt.Fprint(p.w, p.e.paint(st, kind), ": ")
	}
	if f.Path != "" {
		fmt.Fprint(p.w, printable(f.Path), ": ")
	}
	fmt.Fprintln(p.w, printable(strings.ReplaceAll(f.Text, "\n", "; ")))
	p.printSource(f, st)
}

func (p *printer) printSource(f finding, st style) {
	lines := p.source(f.File)
	if f.Line < 1 || f.Line > len(lines) {
		return
	}
	shown := p.excerpter.line(lines, f.Line-1)
	if shown == "" {
		return
	}
	margin := strconv.Itoa(f.Line)
	column, width := underline(shown, f.Path)
	fmt.Fprintf(p.w, "  %s %s\n", p.e.paint(dim, margin+" |"), shown)
	fmt.Fprintf(p.w, "  %s %s%s\n", p.e.paint(dim, strings.Repeat(" ", len(margin))+" |"),
		strings.Repeat(" ", column), p.e.paint(st, strings.Repeat("^", width)))
}

// maxSource is the size up to which a file is read only to show a line of it.
const maxSource = 8 << 20

// source returns the lines of a file, none where it cannot be read: the
// finding itself says then what is wrong with the file.
func (p *printer) source(file string) []string {
	if lines, ok := p.sources[file]; ok {
		return lines
	}
	var lines []string
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() <= maxSource {
		if text, err := os.ReadFile(file); err == nil {
			lines = strings.Split(string(text), "\n")
		}
	}
	p.sources[file] = lines
	return lines
}

// loadConfig loads the fleet's configuration for a command that works with
// it. Mistakes are printed to stderr, all of them.
func (e *env) loadConfig() (*configs.Config, error) {
	c, err := configs.Load(e.configFile)
	list := findings(e.configFile, err)
	if c != nil {
		list = append(list, fragmentFindings(c)...)
	}
	if len(list) > 0 {
		p := newPrinter(e, e.stderr)
		for _, f := range list {
			p.print(f, "", red)
		}
	}
	if err != nil {
		fmt.Fprintf(e.stderr, "qftool: %s in %s\n", count(len(list), "mistake"), e.configFile)
		return nil, errFound
	}
	e.redactor.Set(c.Secrets())
	return c, nil
}

// fragmentFindings lists what is wrong with included files: one broken
// fragment does not stop the rest of the fleet, but it is a mistake.
func fragmentFindings(c *configs.Config) []finding {
	var list []finding
	for _, f := range c.Fragments() {
		if !f.OK {
			list = append(list, findings(f.File, f.Err)...)
		}
	}
	return list
}
