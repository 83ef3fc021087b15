package main

import (
	"context"
	"regexp"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/convert/redisexporter"
)

// importRedisExporter is `qftool import redis-exporter`.
type importRedisExporter struct {
	env   *env
	flags importFlags
	in    redisexporter.Input
}

// configureImportRedisExporter declares `import redis-exporter`.
func configureImportRedisExporter(app *kingpin.Application, e *env) {
	c := &importRedisExporter{env: e, flags: importFlags{env: e}}
	cmd := group(app, "import", importHelp).Command("redis-exporter", "Import the servers that redis_exporter looks at: from its flags, environment and password file, and from the targets that Prometheus gives it.")
	cmd.Flag("flags", "Its command line, in quotes.").PlaceHolder("'redis_exporter …'").StringVar(&c.in.Flags)
	cmd.Flag("unit", "Its systemd unit.").PlaceHolder("FILE").StringVar(&c.in.Unit)
	cmd.Flag("env", "A file with its environment, REDIS_ADDR and its kin.").PlaceHolder("FILE").StringVar(&c.in.EnvironmentFile)
	cmd.Flag("password-file", "Its JSON file of passwords by address.").PlaceHolder("FILE").StringVar(&c.in.PasswordFile)
	cmd.Flag("prometheus", "A Prometheus configuration with targets for /scrape. Repeatable.").PlaceHolder("FILE").StringsVar(&c.in.Prometheus)
	c.flags.declare(cmd)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *importRedisExporter) run(ctx context.Context) error {
	if err := c.flags.check(); err != nil {
		return err
	}
	var sources []string
	for _, s := range append([]string{c.in.Unit, c.in.EnvironmentFile, c.in.PasswordFile}, c.in.Prometheus...) {
		if s != "" {
			sources = append(sources, s)
		}
	}
	if len(sources) == 0 && c.in.Flags == "" {
		return usageError("nothing to import: give --flags, --unit, --env, --password-file or --prometheus")
	}
	editor, err := configs.OpenDocument(c.flags.out)
	if err != nil {
		return c.flags.mistakes(err)
	}
	for _, known := range editor.Entries(configs.ConnectionEntry) {
		c.in.Known = append(c.in.Known, *known.Connection())
	}
	connections, warnings, err := redisexporter.Convert(c.in)
	if err != nil {
		return err
	}
	c.flags.source, c.flags.warnings = strings.Join(append(sources, "redis_exporter"), ", "), warningLines(warnings)
	var passwords []importedPassword
	for i := range connections {
		if one := &connections[i]; !one.Password.IsZero() {
			passwords = append(passwords, importedPassword{Connection: one.Name, Variable: passwordVariable(one.Name), Value: one.Password})
			one.Password = configs.Secret{}
		}
	}
	return c.flags.merge(ctx, &configs.Entries{Connections: connections}, passwords)
}

// warningLines writes warnings as file:line: text.
func warningLines(warnings []configs.Warning) []string {
	lines := []string{}
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	return lines
}

var notInVariable = regexp.MustCompile(`[^A-Z0-9]+`)

// passwordVariable names a variable that can hold a connection's password.
func passwordVariable(connection string) string {
	return "QUEUEFLEET_" + notInVariable.ReplaceAllString(strings.ToUpper(connection), "_") + "_PASSWORD"
}
