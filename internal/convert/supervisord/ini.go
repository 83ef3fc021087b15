package supervisord

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/ini.v1"

	"github.com/queuefleet/queuefleet/configs"
)

// section is a [program:x] with its options and where each stands.
type section struct {
	name    string // without program:
	options map[string]option
	at      configs.Position
}

type option struct {
	value string
	at    configs.Position
}

const (
	maxFile  = 1 << 20
	maxFiles = 1000
)

// files reads configuration files of supervisord with what they include.
type files struct {
	programs []section
	warnings []configs.Warning
	seen     map[string]bool
}

func (f *files) warn(at configs.Position, format string, args ...any) {
	f.warnings = append(f.warnings, configs.Warning{Position: at, Text: fmt.Sprintf(format, args...)})
}

// read reads one file. deep: its [include] counts, which supervisord itself
// takes only of the first file.
func (f *files) read(path string, deep bool) error {
	abs, err := filepath.Abs(path)
	if err != nil || f.seen[abs] {
		return err
	}
	if f.seen[abs] = true; len(f.seen) > maxFiles {
		return fmt.Errorf("%s: more than %d files", path, maxFiles)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return f.directory(path)
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		return fmt.Errorf("%s is not a file of at most %d KiB", path, maxFile>>10)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := optionLines(string(raw))
	loaded, err := ini.LoadSources(ini.LoadOptions{
		AllowPythonMultilineValues: true, SpaceBeforeInlineComment: true, IgnoreContinuation: true,
		KeyValueDelimiters: "=:", PreserveSurroundedQuote: true, UnescapeValueDoubleQuotes: false, SkipUnrecognizableLines: false, AllowBooleanKeys: true,
	}, raw)
	if err != nil {
		// The parser's text may quote the line, and with it a password.
		return &configs.Error{Position: configs.Position{File: path}, Text: "is not an INI file as supervisord reads one"}
	}
	for _, s := range loaded.Sections() {
		kind, name, _ := strings.Cut(s.Name(), ":")
		at := configs.Position{File: path, Line: lines[s.Name()]}
		switch kind {
		case "program":
			f.programs = append(f.programs, program(path, name, s, lines))
		case "include":
			if deep {
				if err := f.include(path, s.Key("files").Value()); err != nil {
					return err
				}
			} else {
				f.warn(at, "[include] of a file that is included itself does not count")
			}
		case "fcgi-program", "eventlistener":
			f.warn(at, "[%s] is not a worker and is left out", s.Name())
		}
	}
	return nil
}

func program(path, name string, s *ini.Section, lines map[string]int) section {
	p := section{name: name, options: map[string]option{}, at: configs.Position{File: path, Line: lines[s.Name()], Path: s.Name()}}
	for _, key := range s.Keys() {
		at := configs.Position{File: path, Line: lines[s.Name()+"\x00"+key.Name()], Path: s.Name() + "." + key.Name()}
		p.options[key.Name()] = option{strings.TrimSpace(key.Value()), at}
	}
	return p
}

// directory reads the .conf and .ini files of a directory.
func (f *files) directory(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); (ext == ".conf" || ext == ".ini") && !e.IsDir() {
			if err := f.read(filepath.Join(dir, e.Name()), false); err != nil {
				return err
			}
		}
	}
	return nil
}

// include reads the files that [include] names.
func (f *files) include(from, patterns string) error {
	for _, pattern := range strings.Fields(patterns) {
		pattern = strings.ReplaceAll(pattern, "%(here)s", filepath.Dir(from))
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(from), pattern)
		}
		found, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("%s: include.files: %w", from, errors.New("is not a pattern"))
		}
		slices.Sort(found)
		if len(found) == 0 {
			f.warn(configs.Position{File: from, Path: "include.files"}, "a pattern names no file that is there")
		}
		for _, one := range found {
			if err := f.read(one, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// optionLines finds where sections and their options stand, which the parser
// does not tell: by section, and by section, NUL and option.
func optionLines(text string) map[string]int {
	lines, current, n := map[string]int{}, "", 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		n++
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.ContainsAny(trimmed[:1], "#;") || strings.ContainsAny(line[:1], " \t"):
		case strings.HasPrefix(trimmed, "[") && strings.Contains(trimmed, "]"):
			current = trimmed[1:strings.IndexByte(trimmed, ']')]
			lines[current] = n
		default:
			if at := strings.IndexAny(trimmed, "=:"); at > 0 {
				lines[current+"\x00"+strings.TrimSpace(trimmed[:at])] = n
			}
		}
	}
	return lines
}
