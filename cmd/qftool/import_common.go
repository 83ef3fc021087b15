package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

const importHelp = "Import what other programs are configured with."

// Where imported passwords can go.
const (
	secretsFile = "file"
	secretsEnv  = "env"
	secretsAge  = "age"
)

// importFlags are what all imports have in common.
type importFlags struct {
	env            *env
	out, fragment  string
	secrets        string
	secretsDir     string
	recipients     []string
	recipientsFile string
	onConflict     string
	dryRun, yes    bool
	auditFile      string
	command        string // whose flags these are
	sealer         []age.Recipient
	source         string // what is imported, for messages
	warnings       []string
	files          []secretPlace // beside those of connections' passwords
}

func (f *importFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("out", "Configuration to import into. Default: --config.file. A new one is made where there is none.").PlaceHolder("FILE").StringVar(&f.out)
	cmd.Flag("fragment", "Put new entries into this file, which the configuration includes.").PlaceHolder("FILE").StringVar(&f.fragment)
	cmd.Flag("secrets", "Where passwords go: file (one each, of mode 0600), env (variables that the programs find), age (encrypted). Never into the configuration in clear.").
		Default(secretsFile).EnumVar(&f.secrets, secretsFile, secretsEnv, secretsAge)
	cmd.Flag("secrets-dir", "Directory of the files of passwords. Default: secrets, beside the configuration.").PlaceHolder("DIR").StringVar(&f.secretsDir)
	cmd.Flag("recipient", "Who can decrypt, with --secrets=age. Repeatable.").Short('r').StringsVar(&f.recipients)
	cmd.Flag("recipients-file", "A file with one recipient a line.").StringVar(&f.recipientsFile)
	cmd.Flag("on-conflict", "What becomes of values that differ from those in the configuration: replace, keep or fail.").
		Default(string(configs.ConflictReplace)).EnumVar(&f.onConflict, string(configs.ConflictReplace), string(configs.ConflictKeep), string(configs.ConflictFail))
	cmd.Flag("dry-run", "Show what would change and write nothing.").BoolVar(&f.dryRun)
	cmd.Flag("yes", "Write without asking.").Short('y').BoolVar(&f.yes)
	cmd.Flag("audit.file", "Where a line about each entry goes that changes. Default: the configuration's name with .audit.log.").PlaceHolder("FILE").StringVar(&f.auditFile)
	f.command = cmd.FullCommand()
}

// check refuses combinations before anything is looked at.
func (f *importFlags) check() error {
	if f.out == "" {
		f.out = f.env.configFile
	}
	if err := checkAudit(f.auditFile, f.out); err != nil {
		return err
	}
	if f.secrets != secretsAge {
		if len(f.recipients) > 0 || f.recipientsFile != "" {
			return usageError("--recipient and --recipients-file go with --secrets=age")
		}
		return nil
	}
	var err error
	f.sealer, err = (&encrypt{recipients: f.recipients, recipientsFile: f.recipientsFile}).parseRecipients()
	return err
}

// importedPassword is a password of a connection that is imported.
type importedPassword struct {
	Connection string
	Sentinel   bool
	Variable   string // that may hold it
	Value      configs.Secret
}

// imported is what an import prints with -o json.
type imported struct {
	Source   string           `json:"source"`
	File     string           `json:"file"`
	Written  bool             `json:"written"`
	Changes  []configs.Change `json:"changes"`
	Secrets  []string         `json:"secrets"` // files written, or variables needed
	Warnings []string         `json:"warnings"`
}

// merge brings entries into the configuration: shows the difference, asks, and
// writes.
func (f *importFlags) merge(ctx context.Context, e *configs.Entries, passwords []importedPassword) error {
	f.learn(passwords)
	places, err := f.placePasswords(e, passwords)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(filepath.Dir(f.out))
	if err != nil {
		return err
	}
	places = append(places, f.files...)
	e.AllOptions, e.Directory = true, dir
	text, err := e.YAML()
	if err != nil {
		return err
	}
	editor, err := configs.OpenDocument(f.out)
	if err != nil {
		return f.mistakes(err)
	}
	r := imported{Source: f.source, File: f.out, Secrets: []string{}, Warnings: f.warnings, Changes: []configs.Change{}}
	changes, err := editor.Merge(text, configs.MergeOptions{Source: f.source, Directory: dir, OnConflict: configs.OnConflict(f.onConflict), File: f.fragment})
	r.Changes = append(r.Changes, changes...)
	for _, w := range f.warnings {
		fmt.Fprintf(f.env.stderr, "%s: %s\n", f.env.paint(yellow, "warning"), printable(f.env.redactor.Mask(w)))
	}
	if err != nil {
		return f.refused(r, err)
	}
	for _, p := range places {
		r.Secrets = append(r.Secrets, p.name())
	}
	nothing := editor.Diff() == "" && len(places) == 0
	write, err := f.agreed(ctx, editor, places)
	if err != nil {
		return err
	}
	if write {
		if err := f.write(editor, places, r.Changes); err != nil {
			return f.mistakes(err)
		}
		r.Written = true
	}
	return f.report(r, nothing)
}

// learn has every password masked in whatever is printed.
func (f *importFlags) learn(passwords []importedPassword) {
	known := make([]string, 0, len(passwords))
	for _, p := range passwords {
		known = append(known, p.Value.Reveal())
	}
	if old, err := configs.Load(f.out); err == nil {
		known = append(known, old.Secrets()...)
	}
	f.env.redactor.Set(known)
}

// refused tells of a merge that fails: of conflicts all of them.
func (f *importFlags) refused(r imported, err error) error {
	if !errors.Is(err, configs.ErrConflict) {
		return f.mistakes(err)
	}
	if f.env.output == outputJSON {
		if err := f.env.printJSON(r); err != nil {
			return err
		}
		return errFound
	}
	for _, c := range r.Changes {
		if c.Action == configs.ActionConflict {
			fmt.Fprintln(f.env.stdout, printable(f.env.redactor.Mask(c.String())))
		}
	}
	return fmt.Errorf("%w; nothing is written: give --on-conflict=replace or keep", err)
}

// mistakes prints a joined error, a line each.
func (f *importFlags) mistakes(err error) error {
	for _, one := range findings(f.out, err) {
		place := configs.Position{File: one.File, Line: one.Line, Path: one.Path}.String()
		if place != "" {
			place += ": "
		}
		fmt.Fprintf(f.env.stderr, "qftool: %s\n", printable(f.env.redactor.Mask(place+one.Text)))
	}
	return errFound
}

// agreed shows the difference and asks whether to write it.
func (f *importFlags) agreed(ctx context.Context, editor *configs.Editor, places []secretPlace) (bool, error) {
	diff := editor.Diff()
	if diff == "" && len(places) == 0 {
		return false, nil
	}
	if f.env.output != outputJSON {
		for line := range strings.Lines(f.env.redactor.Mask(diff)) {
			fmt.Fprintln(f.env.stdout, printable(strings.TrimSuffix(line, "\n")))
		}
	}
	_, err := os.Stat(f.out)
	fresh := errors.Is(err, fs.ErrNotExist)
	switch {
	case f.dryRun:
		return false, nil
	case f.yes || fresh:
		return true, nil
	case !isTerminal(f.env.stdin):
		return false, usageError("this is no terminal to ask on: give --yes to write, or --dry-run")
	}
	return f.env.confirm(ctx, "Write this to "+f.out+"?")
}

// confirm asks a question on the terminal, whose answer is no unless somebody
// says yes.
func (e *env) confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(e.stderr, "%s [y/N] ", printable(question))
	answers := make(chan string, 1)
	go func() { // ends with the program: a terminal cannot be asked no longer
		line, _ := bufio.NewReader(e.stdin).ReadString('\n')
		answers <- line
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case line := <-answers:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return true, nil
		default:
			return false, nil
		}
	}
}

// write brings passwords and configuration to the disk. What was new is taken
// away again where the configuration cannot be written.
func (f *importFlags) write(editor *configs.Editor, places []secretPlace, changes []configs.Change) (err error) {
	if err := os.MkdirAll(filepath.Dir(f.out), 0o755); err != nil {
		return err
	}
	var undo []func() error
	defer func() {
		for i := len(undo) - 1; i >= 0 && err != nil; i-- {
			err = errors.Join(err, undo[i]())
		}
	}()
	for _, p := range places {
		back, failed := p.put()
		if failed != nil {
			return failed
		}
		undo = append(undo, back)
	}
	log := newAuditLog(f.auditFile, f.out, f.command)
	return log.save(editor, located(editor, grouped(changes, configs.OnConflict(f.onConflict))))
}

func (f *importFlags) report(r imported, nothing bool) error {
	if f.env.output == outputJSON {
		return f.env.printJSON(r)
	}
	switch {
	case nothing:
		fmt.Fprintf(f.env.stderr, "%s: nothing to change\n", printable(r.File))
	case r.Written:
		fmt.Fprintf(f.env.stderr, "%s: written\n", printable(r.File))
	case !f.dryRun:
		fmt.Fprintf(f.env.stderr, "%s: nothing is written\n", printable(r.File))
	}
	if len(r.Secrets) == 0 {
		return nil
	}
	what := "passwords in"
	if f.secrets == secretsEnv {
		what = "the programs must find these variables:"
	}
	fmt.Fprintf(f.env.stderr, "%s %s\n", what, printable(strings.Join(r.Secrets, ", ")))
	return nil
}
