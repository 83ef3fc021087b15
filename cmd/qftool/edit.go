package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/configs"
)

// change is one entry that a command changes.
type change struct {
	Action string            `json:"action"`
	Kind   configs.EntryKind `json:"kind,omitempty"`
	Name   string            `json:"name,omitempty"`
	Keys   []string          `json:"keys,omitempty"`
	File   string            `json:"file"`
	Line   int               `json:"line,omitempty"` // 0: it is gone
}

// editing is what all commands that change the configuration have in common.
type editing struct {
	env       *env
	command   string
	dryRun    bool
	yes       bool
	noTest    bool
	tests     bool // the command has connections to test
	auditFile string
	reload    reloadFlags

	prompt   *prompt
	settings []configs.Setting // by the command line, or asked for
}

// editReport is what -o json prints.
type editReport struct {
	Changes []change               `json:"changes"`
	Written bool                   `json:"written"`
	Diff    string                 `json:"diff"`
	Tests   []collector.TestResult `json:"tests,omitempty"`
	Reloads []reloadReport         `json:"reloads,omitempty"`
}

func newEditing(e *env, command string) *editing {
	return &editing{env: e, command: command, prompt: newPrompt(e)}
}

func (x *editing) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("dry-run", "Show what would change and change nothing.").BoolVar(&x.dryRun)
	cmd.Flag("yes", "Do not ask.").Short('y').BoolVar(&x.yes)
	cmd.Flag("audit.file", "Where a line about each edit goes. Default: the configuration's name with .audit.log.").PlaceHolder("FILE").StringVar(&x.auditFile)
	x.reload.declare(cmd)
}

func (x *editing) declareTest(cmd *kingpin.CmdClause) {
	x.tests = true
	cmd.Flag("no-test", "Write without having reached the connection.").BoolVar(&x.noTest)
}

// interactive reports whether somebody is there to be asked.
func (x *editing) interactive() bool {
	return !x.yes && x.env.output != outputJSON && isTerminal(x.env.stdin)
}

// attempts is how often an edit is made anew where somebody else has written
// in the meantime.
const attempts = 20

// run makes an edit. plan changes an open configuration, and is called again
// where the files have changed meanwhile.
func (x *editing) run(ctx context.Context, plan func(d *configs.Editor) ([]change, error)) error {
	if err := errors.Join(x.reload.check(), checkAudit(x.auditFile, x.env.configFile)); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		d, err := configs.OpenDocument(x.env.configFile)
		if err != nil {
			return x.refuse(err)
		}
		changes, err := plan(d)
		if err != nil {
			return x.refuse(err)
		}
		again, err := x.finish(ctx, d, changes)
		if again && attempt < attempts && !x.interactive() {
			continue
		}
		return err
	}
}

// finish checks, tests, shows, asks, writes and reloads. It reports whether
// the edit can be made again.
func (x *editing) finish(ctx context.Context, d *configs.Editor, changes []change) (again bool, err error) {
	report := editReport{Changes: located(d, changes), Diff: d.Diff()}
	if len(d.Changed()) == 0 {
		if x.env.output == outputJSON {
			report.Changes = []change{}
			return false, x.env.printJSON(report)
		}
		fmt.Fprintln(x.env.stderr, "nothing to change: it is like that already")
		return false, nil
	}
	cfg, err := d.Check()
	if err != nil {
		return false, x.refuse(err)
	}
	x.env.redactor.Set(cfg.Secrets())
	if report.Tests, err = x.test(ctx, cfg, changes); err != nil {
		return false, err
	}
	if x.dryRun || x.interactive() {
		if x.env.output != outputJSON {
			fmt.Fprint(x.env.stdout, x.paintDiff(report.Diff))
		}
		if x.dryRun {
			return false, x.tell(report)
		}
		if ok, err := x.prompt.yes(ctx, "Write this?"); err != nil || !ok {
			if err == nil {
				err = errors.New("nothing was changed")
			}
			return false, err
		}
	}
	log := newAuditLog(x.auditFile, x.env.configFile, x.command)
	if err := log.save(d, report.Changes); err != nil {
		return errors.Is(err, configs.ErrStale), x.refuse(err)
	}
	report.Written = true
	report.Reloads, err = x.reload.all(ctx)
	return false, errors.Join(x.tell(report), err)
}

// located adds where the entries stand now.
func located(d *configs.Editor, changes []change) []change {
	list := slices.Clone(changes)
	for i, c := range list {
		if e, ok := d.Find(c.Kind, c.Name); ok {
			list[i].File, list[i].Line = e.File, e.Line
		}
	}
	return list
}

// reaching are the keys that decide whether a connection can be reached.
var reaching = []string{"address", "sentinel", "cluster", "username", "password", "password_file", "password_env", "password_age", "database", "tls", "options", "active", "deleted_at"}

// test tries the connections that the edit concerns.
func (x *editing) test(ctx context.Context, cfg *configs.Config, changes []change) ([]collector.TestResult, error) {
	if !x.tests || x.noTest {
		return nil, nil
	}
	var chosen []*configs.Connection
	for _, c := range changes {
		conn, ok := cfg.Connection(c.Name)
		concerned := c.Action == "add" || slices.ContainsFunc(c.Keys, func(key string) bool {
			top, _, _ := strings.Cut(key, ".")
			return slices.Contains(reaching, top)
		})
		if c.Kind == configs.ConnectionEntry && ok && conn.Probed() && concerned {
			chosen = append(chosen, conn)
		}
	}
	tester := &connectionsTest{env: x.env, concurrency: brisk}
	results := tester.test(ctx, cfg, chosen)
	failed := false
	for i := range results {
		if r := &results[i]; !r.OK {
			failed = true
			fmt.Fprintf(x.env.stderr, "qftool: connection %s: cannot be reached (%s): %s\n", printable(r.Name), r.Reason, printable(r.Error))
		}
	}
	if failed {
		fmt.Fprintln(x.env.stderr, "qftool: nothing was written; --no-test writes without trying")
		return results, errFound
	}
	return results, nil
}

// refuse prints mistakes of the configuration as it would become. The lines
// are those of the new text, so no source is shown with them.
func (x *editing) refuse(err error) error {
	var bad *configs.Error
	if !errors.As(err, &bad) {
		return err
	}
	list := findings(x.env.configFile, err)
	for _, f := range list {
		place := f.File
		if f.Line > 0 {
			place = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if f.Path != "" {
			place += ": " + f.Path
		}
		fmt.Fprintf(x.env.stderr, "%s: %s\n", printable(place), printable(strings.ReplaceAll(f.Text, "\n", "; ")))
	}
	fmt.Fprintf(x.env.stderr, "qftool: nothing was written: %s\n", count(len(list), "mistake"))
	return errFound
}

// tell says what was done.
func (x *editing) tell(r editReport) error {
	if x.env.output == outputJSON {
		return x.env.printJSON(r)
	}
	for _, c := range r.Changes {
		place := c.File
		if c.Line > 0 {
			place = fmt.Sprintf("%s:%d", c.File, c.Line)
		}
		what, keys := strings.TrimSpace(fmt.Sprintf("%s %s", c.Kind, c.Name)), strings.Join(c.Keys, ", ")
		switch {
		case what == "": // what stands outside of all entries
			what = keys
		case keys != "":
			what += " (" + keys + ")"
		}
		done := c.Action
		if !r.Written {
			done = "would " + done
		}
		fmt.Fprintf(x.env.stderr, "%s %s in %s\n", done, printable(what), printable(place))
	}
	for _, one := range r.Reloads {
		if one.OK {
			fmt.Fprintf(x.env.stderr, "%s: %s\n", printable(one.Target), printable(one.Answer))
		}
	}
	return nil
}

// paintDiff colours a diff.
func (x *editing) paintDiff(diff string) string {
	var b strings.Builder
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		st := plain
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
			st = bold
		case strings.HasPrefix(line, "+"):
			st = green
		case strings.HasPrefix(line, "-"):
			st = red
		case strings.HasPrefix(line, "@@"):
			st = dim
		}
		b.WriteString(x.env.paint(st, printableTabs(line)) + "\n")
	}
	return b.String()
}

// printableTabs is printable for a line of a file, whose tabs are no danger.
func printableTabs(s string) string {
	parts := strings.Split(s, "\t")
	for i := range parts {
		parts[i] = printable(parts[i])
	}
	return strings.Join(parts, "\t")
}
