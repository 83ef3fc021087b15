package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/convert/supervisord"
)

// importSupervisord is `qftool import supervisord`.
type importSupervisord struct {
	env   *env
	flags importFlags
	in    supervisord.Input
}

// configureImportSupervisord declares `import supervisord`.
func configureImportSupervisord(app *kingpin.Application, e *env) {
	c := &importSupervisord{env: e, flags: importFlags{env: e}}
	cmd := group(app, "import", importHelp).Command("supervisord", "Import the programs of supervisord that work queues, with their limits, users and environment.")
	cmd.Arg("path", "supervisord's configuration files, or directories of them.").Required().StringsVar(&c.in.Paths)
	cmd.Flag("connection", "The connection that all of them work on. Default: what the .env of each application says.").StringVar(&c.in.Connection)
	cmd.Flag("application", "The application that all of them belong to. Default: by its name in .env, else by its directory.").StringVar(&c.in.Application)
	cmd.Flag("generic", "Also programs that are no workers of Laravel, which then run as they are.").BoolVar(&c.in.Generic)
	c.flags.declare(cmd)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *importSupervisord) run(ctx context.Context) error {
	if err := c.flags.check(); err != nil {
		return err
	}
	editor, err := configs.OpenDocument(c.flags.out)
	if err != nil {
		return c.flags.mistakes(err)
	}
	for _, known := range editor.Entries(configs.ConnectionEntry) {
		c.in.Known = append(c.in.Known, *known.Connection())
	}
	if c.in.Connection != "" && !slices.ContainsFunc(c.in.Known, func(k configs.Connection) bool { return k.Name == c.in.Connection }) {
		return fmt.Errorf("--connection: %s has no connection %q", c.flags.out, c.in.Connection)
	}
	found, err := supervisord.Convert(c.in)
	if err != nil {
		return err
	}
	c.flags.source, c.flags.warnings = strings.Join(c.in.Paths, ", "), warningLines(found.Warnings)
	if len(found.Queues) == 0 {
		for _, w := range c.flags.warnings {
			fmt.Fprintf(c.env.stderr, "%s: %s\n", c.env.paint(yellow, "warning"), printable(w))
		}
		return fmt.Errorf("%s: %s, of which none can be imported", c.flags.source, count(found.Programs, "program"))
	}
	for _, a := range editor.Entries(configs.ApplicationEntry) {
		keepName(found.Applications, *a.Application())
	}
	var passwords []importedPassword
	for i := range found.Connections {
		if one := &found.Connections[i]; !one.Password.IsZero() {
			passwords = append(passwords, importedPassword{Connection: one.Name, Variable: passwordVariable(one.Name), Value: one.Password})
			one.Password = configs.Secret{}
		}
	}
	for i := range found.Queues {
		// This has them masked in what is printed.
		for _, value := range secretVariables(found.Queues[i].Worker.Environment) {
			passwords = append(passwords, importedPassword{Value: configs.NewSecret(value)})
		}
	}
	if err := c.flags.placeEnvironments(found.Queues, editor.Entries(configs.QueueEntry)); err != nil {
		return err
	}
	entries := &configs.Entries{Connections: found.Connections, Applications: found.Applications, Queues: found.Queues}
	return c.flags.merge(ctx, entries, passwords)
}

// keepName leaves an application that is there its name, primary connection
// and order: supervisord knows nothing of them.
func keepName(imported []configs.Application, there configs.Application) {
	for i := range imported {
		a := &imported[i]
		if a.Slug != there.Slug {
			continue
		}
		a.Name = there.Name
		for n := range a.Connections {
			p := &a.Connections[n]
			p.Primary = p.Primary && len(there.Connections) == 0
			for _, old := range there.Connections {
				if old.Connection == p.Connection {
					*p = old
				}
			}
		}
	}
}
