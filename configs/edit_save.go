package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/queuefleet/queuefleet/internal/atomicfile"
)

// ErrStale is told where a file has been changed by somebody else since it was
// opened.
var ErrStale = errors.New("has been changed by somebody else in the meantime; nothing was written, try again")

// Save checks the whole configuration with the changes in it, as a program
// would load it, and writes the files that have changed. Where a mistake is
// found, or where a file is not any more what was opened, nothing is written.
// A mistake that another file had before is none of this change's and is left
// to those who load the configuration. It returns what is then in force.
func (d *Editor) Save() (*Config, error) {
	return d.SaveAfter(func(before, after *Config) error { return nil })
}

// SaveAfter is Save, with a last step before anything is written: it is told
// what is in force before and after, nil where that is not known, and where it
// fails nothing is written. Nobody else saves meanwhile.
func (d *Editor) SaveAfter(last func(before, after *Config) error) (*Config, error) {
	if _, err := os.Stat(filepath.Dir(d.path)); err != nil {
		return nil, err
	}
	unlock, err := atomicfile.Lock(d.path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, f := range d.files {
		now, err := os.ReadFile(f.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && f.changed() {
			return nil, err
		}
		if f.broken == nil && (string(now) != f.was.text || (err == nil) != f.exists) {
			return nil, fmt.Errorf("%s %w", f.path, ErrStale)
		}
	}
	cfg, err := d.Check()
	if err != nil {
		return nil, err
	}
	before, err := d.load(nil)
	if err != nil {
		before = nil // it had mistakes, perhaps those that are mended now
	}
	if err := last(before, cfg); err != nil {
		return nil, err
	}
	for _, f := range d.files {
		if !f.changed() {
			continue
		}
		if err := atomicfile.Write(f.path, []byte(f.t.text), 0o640); err != nil {
			return nil, err
		}
		f.was, f.exists = f.t, true
	}
	return cfg, nil
}

// Check loads the configuration with the changes in it and writes nothing.
func (d *Editor) Check() (*Config, error) {
	if d.checked != nil {
		return d.checked, nil
	}
	cfg, err := d.load(d.unsaved())
	if err == nil {
		d.checked = cfg
		return cfg, nil
	}
	before := map[string]bool{}
	if _, old := d.load(nil); old != nil {
		for _, e := range mistakes(old) {
			before[e.File+"\x00"+e.Path+"\x00"+e.Text] = true
		}
	}
	touched := d.Changed()
	for _, e := range mistakes(err) {
		if !before[e.File+"\x00"+e.Path+"\x00"+e.Text] || slices.Contains(touched, e.File) || e.File == d.path {
			return nil, err
		}
	}
	return d.loadWith(d.unsaved(), map[string]*version{})
}

func (d *Editor) load(unsaved map[string]string) (*Config, error) { return d.loadWith(unsaved, nil) }

// loadWith loads the files with texts that are not saved yet. With fragments
// that were in force before, be it none, broken ones are left out.
func (d *Editor) loadWith(unsaved map[string]string, last map[string]*version) (*Config, error) {
	l := newLoader(d.path, last)
	defer l.reader.close()
	l.unsaved = unsaved
	for file, text := range unsaved {
		limit := maxFragmentBytes
		if file == d.path {
			limit = maxFileBytes
		}
		mode := fs.FileMode(0o640)
		if info, err := os.Stat(file); err == nil {
			mode = info.Mode()
		}
		l.reader.read[asked{file, "", limit}] = &fileRead{text: text, mode: mode}
	}
	return l.load()
}

// mistakes takes a joined error apart.
func mistakes(err error) []*Error {
	var list []*Error
	if many, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the join itself is meant
		for _, one := range many.Unwrap() {
			list = append(list, mistakes(one)...)
		}
		return list
	}
	var e *Error
	if errors.As(err, &e) {
		list = append(list, e)
	}
	return list
}
