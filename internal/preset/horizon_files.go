package preset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/queuefleet/queuefleet/internal/atomicfile"
	generate "github.com/queuefleet/queuefleet/internal/generate/laravel"
	"github.com/queuefleet/queuefleet/internal/generate/php"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// FilesVariable tells a Horizon which files it was started with, by their
// hashes. So a process with other files is another one.
const FilesVariable = "QUEUEFLEET_FILES"

// Files are what a process reads beside its command line, made anew from the
// configuration and not yet on the disk.
type Files struct {
	Warnings []string // what they cannot say

	dir       string
	variables map[string]string // that they refer to, and FilesVariable
	files     []generate.File
	php       string // "" = there is none
}

// layHorizon makes the files of an application's Horizon; nil without
// worker.generate.
func layHorizon(in Input) (*Files, error) {
	w := in.Queue.Worker
	if w.Generate == "" {
		return nil, nil
	}
	if other := alsoGenerates(in); other != "" {
		return nil, &Error{ReasonHorizonFiles, fmt.Sprintf("worker.generate: application %s generates into %s, too", other, w.Generate)}
	}
	plan, err := generate.New(in.Config, in.App.Slug, generate.Options{Environment: environmentOf(in), Client: w.Environment["REDIS_CLIENT"]})
	if err != nil {
		return nil, badFiles(err)
	}
	source := generate.Source{Files: []string{"queuefleet_supervisor"}, Hash: in.Config.Hash()}
	if files := in.Config.Files(); len(files) > 0 {
		source = generate.SourceOf(in.Config, files[0])
	}
	f := &Files{Warnings: plan.Warnings, dir: w.Generate, variables: map[string]string{}}
	if f.files, err = plan.Render(source, generate.FormatPHP); err != nil {
		return nil, badFiles(err)
	}
	for _, v := range plan.Variables() {
		f.variables[v.Name] = v.Value.Reveal()
	}
	var contents []string
	for i := range f.files {
		contents = append(contents, f.files[i].Content())
	}
	f.variables[FilesVariable] = strings.Join(contents, " ")
	return f, nil
}

// alsoGenerates returns another application whose files would be in the same
// place, "" = none.
func alsoGenerates(in Input) string {
	for i := range in.Config.Queues {
		q := &in.Config.Queues[i]
		if q.Application != in.App.Slug && q.Worker != nil && q.Worker.Generate == in.Queue.Worker.Generate && in.Config.QueueWatched(q) {
			return q.Application
		}
	}
	return ""
}

// environmentOf is that of the connection that the application calls its
// default, where its connections are of several.
func environmentOf(in Input) string {
	c, err := mainConnection(in)
	if err != nil || c == nil {
		return ""
	}
	return c.Environment
}

// badFiles explains in one line.
func badFiles(err error) *Error {
	return &Error{ReasonHorizonFiles, strings.ReplaceAll(err.Error(), "\n", "; ")}
}

// Stamp stands for the content of the files.
func (f *Files) Stamp() string { return f.variables[FilesVariable] }

// Put brings the files to the disk, with the rights of the user that s runs as,
// where they differ from what is there: PHP checks and reads them first. undo
// brings back what was there before; it is nil where nothing was changed. The
// error is an *Error, and then nothing has changed.
func (f *Files) Put(ctx context.Context, run Runner, s *proc.Spec) (undo func() error, err error) {
	var before []former
	err = proc.WithFilesOf(s.User, func() error {
		changes, err := generate.Compare(f.dir, f.files, func(text string) string { return text })
		if err != nil {
			return err
		}
		if before, err = formerOf(changes); err != nil || len(before) == 0 {
			return err
		}
		if err := generate.Refused(changes); err != nil {
			return err
		}
		if err := f.verify(ctx, run, s); err != nil {
			return err
		}
		if err := generate.Apply(changes); err != nil {
			return errors.Join(err, restore(before))
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, badFiles(err)
	case len(before) == 0:
		return nil, nil
	}
	return func() error {
		return proc.WithFilesOf(s.User, func() error { return restore(before) })
	}, nil
}

// former is what a file held; nil = there was none.
type former struct {
	path string
	text []byte
}

// formerOf reads what is about to change.
func formerOf(changes []generate.Change) ([]former, error) {
	var all []former
	for _, c := range changes {
		if c.State == generate.Unchanged {
			continue
		}
		text, err := atomicfile.Read(c.Path, generate.MaxFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		all = append(all, former{c.Path, text})
	}
	return all, nil
}

func restore(before []former) error {
	var errs []error
	for _, f := range before {
		if f.text == nil {
			if err := os.Remove(f.path); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
			continue
		}
		errs = append(errs, atomicfile.Write(f.path, f.text, 0o644))
	}
	return errors.Join(errs...)
}

// verify has PHP read the files, if there is one where the process would look
// for it.
func (f *Files) verify(ctx context.Context, run Runner, s *proc.Spec) error {
	path, ok := interpreter(s)
	if !ok {
		f.Warnings = append(f.Warnings, "the files were not checked: there is no PHP where the worker would look for it")
		return nil
	}
	return generate.Verify(ctx, &php.Interpreter{Path: path, Run: php.Runner(run), User: s.User}, f.files)
}

// interpreter finds the PHP that a process runs: its program, where that is
// one, or else what its PATH has.
func interpreter(s *proc.Spec) (path string, ok bool) {
	if strings.HasPrefix(filepath.Base(s.Path), "php") {
		return s.Path, true
	}
	search, _ := s.Env.Lookup("PATH")
	path, err := proc.LookPath("php", s.Dir, search)
	return path, err == nil
}
