package configs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// version is a version of a fragment that was in force: its text, what the
// files and variables it refers to held, and under which limits.
type version struct {
	text   string
	inputs map[string]string
	limits Include
}

// stage says which version of a fragment is in force. A stage that has a
// mistake gives way to the next.
type stage int

const (
	stageNew      stage = iota // the file as it is now
	stageLast                  // the last good text; what it refers to read anew where that works
	stageRecorded              // the last good text with what it referred to then
	stageSalvaged              // that without the entries that do not fit any more
	stageNone                  // nothing of it
)

// fragment is an included file on its way into force.
type fragment struct {
	file   string
	limits *Include
	last   *version // nil: it was not in force before
	stage  stage
	made   [stageNone]*source  // stages that are without mistakes of their own
	errs   []*Error            // why the file as it is now is not in force
	why    [stageNone][]*Error // why a stage that is right by itself did not fit
}

// inForce is the source that counts, nil where there is none.
func (f *fragment) inForce() *source {
	if f.stage == stageNone {
		return nil
	}
	return f.made[f.stage]
}

// settled reports whether the version is one that other fragments may rely
// on: what was in force before goes before what is new.
func (f *fragment) settled() bool {
	return f.stage != stageNew || f.last != nil && f.last.text == f.made[stageNew].text
}

// fragments finds the files of all includes. A file that several includes
// name belongs to the first.
func (l *loader) fragments() []*fragment {
	var list []*fragment
	taken := map[string]string{}
	for i := range l.main.head.Include {
		inc := &l.main.head.Include[i]
		key := fmt.Sprintf("include[%d].path", i)
		if inc.Path == "" {
			continue // said by checkInclude
		}
		for _, file := range l.expand(key, inc.Path) {
			if first, twice := taken[file]; twice {
				l.main.warn(l.main.pos(key), "%s belongs to %s already", file, first)
				continue
			}
			taken[file] = key
			list = append(list, &fragment{file: file, limits: inc, last: l.last[file]})
		}
	}
	slices.SortFunc(list, func(a, b *fragment) int { return strings.Compare(a.file, b.file) })
	return list
}

// expand lists the files that an include names.
func (l *loader) expand(key, pattern string) []string {
	pattern = includePattern(l.main.dir, pattern)
	files, globErr := glob(pattern)
	files = l.withUnsaved(pattern, files)
	l.patterns, l.matches = append(l.patterns, pattern), append(l.matches, files...)
	if literal, ok := literalPath(pattern); ok {
		_, err := os.Stat(literal)
		if _, unsaved := l.unsaved[literal]; err != nil && !unsaved && l.last[literal] == nil {
			l.main.problem(l.main.line(key), key, "%s: %v", literal, plainError(err))
			return nil
		}
		return []string{literal}
	}
	if err := readableDir(pattern); err != nil {
		l.main.problem(l.main.line(key), key, "%v", err)
		return nil
	}
	if globErr != nil {
		l.main.problem(l.main.line(key), key, "is no valid pattern (* ? [a-z] and \\ to escape)")
		return nil
	}
	files = slices.DeleteFunc(files, func(file string) bool {
		if !sameFile(file, l.path) {
			return false
		}
		l.main.warn(l.main.pos(key), "matches the main file itself, which is left out")
		return true
	})
	if len(files) == 0 {
		l.main.warn(l.main.pos(key), "matches no file")
	}
	return files
}

// glob lists what a pattern matches, without what a leading dot hides unless
// the pattern has one, too: files that are being written, and those of editors,
// are no part of the configuration.
func glob(pattern string) ([]string, error) {
	files, err := filepath.Glob(pattern)
	if !strings.HasPrefix(filepath.Base(pattern), ".") {
		files = slices.DeleteFunc(files, func(file string) bool { return strings.HasPrefix(filepath.Base(file), ".") })
	}
	return files, err
}

// includePattern makes a pattern relative to where the program runs. The
// directory is no part of the pattern, whatever characters it has.
func includePattern(dir, pattern string) string {
	if filepath.IsAbs(pattern) {
		return filepath.Clean(pattern)
	}
	escape := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)
	return filepath.Join(escape.Replace(dir), pattern)
}

// literalPath returns the one file that a pattern without wildcards names.
func literalPath(pattern string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.IndexByte("*?[", c) >= 0:
			return "", false
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteByte(pattern[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// readableDir refuses a pattern below a directory that exists and cannot be
// read: globbing would find nothing there and every fragment would go.
func readableDir(pattern string) error {
	dir := pattern
	for {
		if dir = filepath.Dir(dir); dir == "." || dir == "/" {
			break
		}
		if literal, ok := literalPath(dir); ok {
			dir = literal
			break
		}
	}
	f, err := os.Open(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err == nil {
		defer f.Close() //nolint:errcheck // read only
		if _, err = f.ReadDir(1); err != nil && errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", dir, plainError(err))
	}
	return nil
}

func sameFile(a, b string) bool {
	ai, aerr := os.Stat(a)
	bi, berr := os.Stat(b)
	return aerr == nil && berr == nil && os.SameFile(ai, bi)
}

// make builds a stage of the fragment. It reports whether the stage has no
// mistake of its own; cross-checks come later.
func (l *loader) make(f *fragment, st stage) bool {
	var s *source
	switch st {
	case stageNew:
		got := l.reader.file(f.file, "", maxFragmentBytes)
		s = l.fragmentSource(f, got.text)
		s.open = got.mode.Perm()&0o044 != 0
		if got.err != nil {
			s.problem(0, "", "%v", got.err)
			s.broken = true
		}
	case stageSalvaged:
		if f.last == nil {
			return false
		}
		rest := *f.made[stageRecorded]
		f.made[st] = &rest
		return rest.leaveOut(rest.errs)
	default:
		if f.last == nil {
			return false
		}
		s = l.fragmentSource(f, f.last.text)
		if reflect.DeepEqual(f.last.limits, *f.limits) {
			s.inputs.last = f.last.inputs
		}
		s.inputs.only = st != stageLast
	}
	if !s.broken {
		l.decode(s, maxFragmentBytes)
	}
	if !s.broken {
		l.prepare(s)
	}
	f.made[st] = s
	return len(s.errs) == 0
}

func (l *loader) fragmentSource(f *fragment, text string) *source {
	s := newSource(f.file, text)
	s.mainFile, s.defaults, s.limits = l.main.file, l.main.defaults, f.limits
	s.inputs = newInputs(l.reader, f.limits.SecretDir)
	return s
}

// leaveOut drops the entries that have mistakes. It reports whether anything
// is left; a mistake outside the entries takes the whole fragment.
func (s *source) leaveOut(errs []*Error) bool {
	if s.broken {
		return false
	}
	if s.dropped == nil {
		s.dropped = map[string]bool{}
	}
	for _, e := range errs {
		if e.entry == "" {
			return false
		}
		s.dropped[e.entry] = true
	}
	s.errs = nil
	return len(s.dropped) < len(s.connections)+len(s.applications)+len(s.queues)
}

// lost reports whether the fragment has an entry of this name that is left
// out: nothing of it may then fall to another file's entry of the same name.
func (s *source) lost(kind, name string) bool {
	if s.dropped == nil {
		return false
	}
	switch kind {
	case kindConnection:
		return slices.ContainsFunc(s.connections, func(c Connection) bool { return c.Name == name })
	default:
		return slices.ContainsFunc(s.applications, func(a Application) bool { return a.Slug == name })
	}
}
