package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/generate/laravel"
	"github.com/queuefleet/queuefleet/internal/generate/php"
)

const generateHelp = "Generate files from the configuration."

// generateLaravel is `qftool generate laravel`.
type generateLaravel struct {
	env                  *env
	application          string
	options              laravel.Options
	out, envFile, format string
	force, check, dryRun bool
	strict               bool
	php                  phpFlags
}

// phpFlags are those of commands that ask PHP.
type phpFlags struct {
	path string
	none bool
}

// configureGenerateLaravel declares `generate laravel`.
func configureGenerateLaravel(app *kingpin.Application, e *env) {
	c := &generateLaravel{env: e}
	cmd := group(app, "generate", generateHelp).Command("laravel", "Generate an application's connections, queues and Horizon options for Laravel.")
	cmd.HelpLong("The files are for the application's own configuration to include. Example:\n\n" +
		"  qftool generate laravel shop --out=config/queuefleet --env-file=/etc/queuefleet/shop.env\n")
	cmd.Arg("application", "Slug of the application.").Required().StringVar(&c.application)
	cmd.Flag("out", "Directory of the files, below the application's config.").Required().PlaceHolder("DIR").StringVar(&c.out)
	cmd.Flag("environment", "Take the connections of this environment. Default: the only one that they have.").StringVar(&c.options.Environment)
	cmd.Flag("env-file", "Write the passwords to this file, of mode 0600, as the variables that the others refer to.").PlaceHolder("FILE").StringVar(&c.envFile)
	cmd.Flag("format", "php: three files to include; json: one for the package queuefleet/laravel.").Default(laravel.FormatPHP).EnumVar(&c.format, laravel.FormatPHP, laravel.FormatJSON)
	cmd.Flag("client", "Redis client of the application: phpredis or predis.").Default(laravel.PhpRedis).EnumVar(&c.options.Client, laravel.PhpRedis, laravel.Predis)
	cmd.Flag("force", "Overwrite files that were changed by hand or not generated.").BoolVar(&c.force)
	cmd.Flag("check", "Write nothing; exit 1 where a file is not as it would be written.").BoolVar(&c.check)
	cmd.Flag("dry-run", "Write nothing; show what would change.").BoolVar(&c.dryRun)
	cmd.Flag("strict", "Treat warnings as mistakes.").BoolVar(&c.strict)
	c.php.declare(cmd)
	e.commands[cmd.FullCommand()] = c.run
}

// emptyOut refuses the current directory for an unset variable of a script.
const emptyOut = "--out: names no directory"

func (f *phpFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("php", "PHP that reads the files back. Default: php, where there is one.").PlaceHolder("PATH").StringVar(&f.path)
	cmd.Flag("no-php", "Do not run PHP.").BoolVar(&f.none)
}

// interpreter finds PHP and makes what runs it. It is nil where PHP is not
// wanted, and the text says why where it is missing.
func (f *phpFlags) interpreter() (p *php.Interpreter, missing string, end func() error, err error) {
	end = func() error { return nil }
	if f.none {
		return nil, "", end, nil
	}
	path, err := php.Find(cmp.Or(f.path, "php"))
	if err != nil && f.path == "" {
		return nil, "there is no php on this machine", end, nil
	}
	if err != nil {
		return nil, "", end, fmt.Errorf("--php: %w", err)
	}
	processes, err := php.NewProcesses()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, "processes are run on Linux only", end, nil
	}
	if err != nil {
		return nil, "", end, err
	}
	return &php.Interpreter{Path: path, Run: processes.Run}, "", processes.Close, nil
}

func (c *generateLaravel) run(ctx context.Context) error {
	if c.out == "" {
		return usageError(emptyOut)
	}
	if c.check && (c.dryRun || c.force) {
		return usageError("--check goes with neither --dry-run nor --force")
	}
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	plan, err := laravel.New(cfg, c.application, c.options)
	if err != nil {
		return c.mistakes(err)
	}
	files, err := plan.Render(laravel.SourceOf(cfg, c.env.configFile), c.format)
	if err != nil {
		return err
	}
	if c.envFile != "" {
		f, err := plan.RenderVariables(c.envFile)
		if err != nil {
			return c.mistakes(err)
		}
		files = append(files, f)
	}
	c.warn(plan.Warnings)
	if c.strict && len(plan.Warnings) > 0 {
		return fmt.Errorf("%s under --strict; nothing is written", count(len(plan.Warnings), "warning"))
	}
	if err := c.verify(ctx, files); err != nil {
		return err
	}
	changes, err := compareAsOwner(c.out, c.envFile, files, c.env.redactor.Mask)
	if err != nil {
		return err
	}
	return c.apply(plan, changes)
}

// mistakes prints a joined error, a line each.
func (c *generateLaravel) mistakes(err error) error {
	list := findings("", err)
	for _, f := range list {
		fmt.Fprintf(c.env.stderr, "qftool: %s\n", printable(c.env.redactor.Mask(f.Text)))
	}
	if len(list) == 0 {
		return err
	}
	return errFound
}

func (c *generateLaravel) warn(warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(c.env.stderr, "%s: %s\n", c.env.paint(yellow, "warning"), printable(w))
	}
}

// verify has PHP read the files before anybody else does.
func (c *generateLaravel) verify(ctx context.Context, files []laravel.File) (err error) {
	if c.format != laravel.FormatPHP {
		return nil
	}
	p, missing, end, err := c.php.interpreter()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if p == nil {
		if missing != "" {
			c.warn([]string{"the files are not verified: " + missing})
		}
		return nil
	}
	return laravel.Verify(ctx, p, files)
}

// generated is what -o json prints.
type generated struct {
	Application string          `json:"application"`
	Environment string          `json:"environment"`
	Changed     bool            `json:"changed"`
	Written     bool            `json:"written"`
	Files       []generatedFile `json:"files"`
	Connections []laravel.Name  `json:"connections"`
	Variables   []string        `json:"variables"` // that the files refer to
	Warnings    []string        `json:"warnings"`
}

type generatedFile struct {
	Path  string        `json:"path"`
	State laravel.State `json:"state"` // before it was written
	Diff  string        `json:"diff,omitempty"`
}

func (c *generateLaravel) apply(plan *laravel.Plan, changes []laravel.Change) error {
	r := generated{Application: c.application, Environment: plan.Environment, Connections: plan.Names(), Variables: []string{}, Warnings: plan.Warnings}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	for _, v := range plan.Variables() {
		r.Variables = append(r.Variables, v.Name)
	}
	for _, change := range changes {
		r.Changed = r.Changed || change.State != laravel.Unchanged
		r.Files = append(r.Files, generatedFile{change.Path, change.State, change.Diff})
	}
	var refused error
	if !c.check && !c.dryRun {
		if refused = laravel.Refused(changes); refused == nil || c.force {
			if err := applyAsOwner(c.envFile, changes); err != nil {
				return err
			}
			refused, r.Written = nil, r.Changed
		}
	}
	if err := c.report(r); err != nil {
		return err
	}
	if refused != nil {
		return c.mistakes(refused)
	}
	if c.check && r.Changed {
		return errFound
	}
	return nil
}

func (c *generateLaravel) report(r generated) error {
	if c.env.output == outputJSON {
		return c.env.printJSON(r)
	}
	for _, f := range r.Files {
		if f.Diff != "" && !(f.State == laravel.Missing && r.Written) {
			fmt.Fprint(c.env.stdout, f.Diff)
		}
	}
	files := table{header: []string{"FILE", "STATE"}}
	for _, f := range r.Files {
		files.add(text(f.Path), text(c.state(f, r.Written)))
	}
	files.write(c.env.stdout, c.env)
	fmt.Fprintln(c.env.stdout)
	names := table{header: []string{"CONNECTION", "REDIS", "QUEUE CONNECTIONS", "QUEUES"}}
	for _, n := range r.Connections {
		names.add(text(n.Connection), text(n.Redis), text(strings.Join(n.QueueConnections, ", ")), text(strings.Join(n.Configurations, ", ")))
	}
	names.write(c.env.stdout, c.env)
	if len(r.Variables) > 0 {
		fmt.Fprintf(c.env.stdout, "\nvariables: %s\n", printable(strings.Join(r.Variables, ", ")))
	}
	return nil
}

// state is what has become of a file, for people.
func (c *generateLaravel) state(f generatedFile, written bool) string {
	switch {
	case written && f.State == laravel.Missing:
		return "created"
	case written && f.State != laravel.Unchanged:
		return "updated"
	default:
		return map[laravel.State]string{
			laravel.Unchanged: "unchanged", laravel.Missing: "missing", laravel.Stale: "stale", laravel.Edited: "changed by hand",
			laravel.Foreign: "not generated", laravel.TooOpen: "readable by others",
		}[f.State]
	}
}
