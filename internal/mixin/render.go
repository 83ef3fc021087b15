// Package mixin renders the mixin that is built into the program: dashboards,
// rules, alerts and Alertmanager's files, as a user wants them.
package mixin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/google/go-jsonnet"

	sources "github.com/queuefleet/queuefleet/mixin"
)

// Options say what is to differ from the mixin as it is built in.
type Options struct {
	ConfigFile string   // settings as YAML, JSON or jsonnet; optional
	Set        []string // key=value, with the key's names joined by dots; these win

	NoDashboards bool // for whom only rules and routes are of interest
}

// File is one file of the mixin.
type File struct {
	Path string // with slashes
	Text string
}

// AssignmentError is a mistake in Options.Set.
type AssignmentError struct{ err error }

func (e *AssignmentError) Error() string { return e.err.Error() }

// Unwrap returns the mistake itself.
func (e *AssignmentError) Unwrap() error { return e.err }

// Render returns the files in the order of their paths. Unknown keys, values of
// the wrong type and what the mixin itself refuses are errors that name the key
// and the place it was given at.
func Render(o Options) ([]File, error) {
	s, err := load(o)
	if err != nil {
		return nil, err
	}
	vm, mixin, err := s.apply()
	if err != nil {
		return nil, err
	}
	vm.StringOutput = true // first, since most mistakes are here and this is fast
	texts, err := vm.EvaluateAnonymousSnippetMulti("mixin", mixin+`
		(import 'lib/compile.libsonnet')(mixin).texts + (import 'lib/provisioning.libsonnet')(mixin)`)
	if err != nil {
		return nil, s.explain(err)
	}
	if !o.NoDashboards {
		vm.StringOutput = false
		dashboards, err := vm.EvaluateAnonymousSnippetMulti("mixin", mixin+"(import 'lib/compile.libsonnet')(mixin).dashboards")
		if err != nil {
			return nil, s.explain(err)
		}
		maps.Copy(texts, dashboards)
	}
	var files []File
	for _, path := range slices.Sorted(maps.Keys(texts)) {
		files = append(files, File{path, texts[path]})
	}
	return files, nil
}

// Reference returns the source of _config, whose comments explain every key.
func Reference() (string, error) {
	text, err := fs.ReadFile(sources.Sources(), "config.libsonnet")
	return string(text), err
}

// Config returns _config as JSON, with the changes of o in it.
func Config(o Options) (json.RawMessage, error) { return evaluate(o, "mixin._config") }

// evaluate returns what an expression about mixin is, as JSON.
func evaluate(o Options, expression string) (json.RawMessage, error) {
	s, err := load(o)
	if err != nil {
		return nil, err
	}
	vm, mixin, err := s.apply()
	if err != nil {
		return nil, err
	}
	text, err := vm.EvaluateAnonymousSnippet("mixin", mixin+expression)
	return json.RawMessage(text), s.explain(err)
}

// apply returns a machine, and the text that binds mixin to the mixin with the
// settings in it.
func (s *settings) apply() (*jsonnet.VM, string, error) {
	var overlay strings.Builder
	err := writeOverlay(&overlay, s.tree)
	return newVM(sources.Sources()), "local mixin = (import 'mixin.libsonnet') + { _config+:: " + overlay.String() + " };\n", err
}

// load reads the settings and holds them to the keys and types of _config.
func load(o Options) (*settings, error) {
	s := &settings{tree: map[string]any{}, set: map[string]string{}}
	var err error
	if s.shape, err = defaults(); err != nil {
		return nil, err
	}
	if o.ConfigFile != "" {
		text, err := os.ReadFile(o.ConfigFile)
		if err != nil {
			return nil, err
		}
		if err := s.read(o.ConfigFile, text); err != nil {
			return nil, err
		}
		if errs := s.shape.check("", s.tree, s.shape.defaults, s.place); len(errs) > 0 {
			return nil, errors.Join(errs...)
		}
	}
	for _, assignment := range o.Set {
		if err := s.assign(assignment); err != nil {
			return nil, &AssignmentError{err}
		}
	}
	if errs := s.shape.check("", s.tree, s.shape.defaults, s.place); len(errs) > 0 {
		return nil, &AssignmentError{errors.Join(errs...)}
	}
	return s, nil
}

// defaults returns what _config is without changes.
func defaults() (shape, error) {
	text, err := newVM(sources.Sources()).EvaluateAnonymousSnippet("mixin", `
		local config = (import 'mixin.libsonnet')._config;
		{ defaults: config, open: config.openKeys }`)
	if err != nil {
		return shape{}, err
	}
	var read struct {
		Defaults map[string]any `json:"defaults"`
		Open     []string       `json:"open"`
	}
	err = json.Unmarshal([]byte(text), &read)
	return shape{read.Defaults, read.Open}, err
}

// explain turns an error of the mixin into one for its user: without a stack,
// and with the place of the key that it names. Any other comes whole.
func (s *settings) explain(err error) error {
	if err == nil {
		return nil
	}
	text, isOurs := strings.CutPrefix(err.Error(), "RUNTIME ERROR: ")
	if !isOurs || !strings.HasPrefix(text, "_config.") {
		return err
	}
	var errs []error
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "\t") { // the stack
			break
		}
		line = strings.TrimPrefix(strings.TrimSpace(line), "_config.")
		key, message, _ := strings.Cut(line, ": ")
		errs = append(errs, fmt.Errorf("%s: %s", s.place(key), message))
	}
	return errors.Join(errs...)
}
