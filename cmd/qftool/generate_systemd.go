package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/generate/platform"
	"github.com/queuefleet/queuefleet/supervisor"
)

// generateSystemd is `qftool generate systemd`.
type generateSystemd struct {
	env     *env
	out     delivery
	systemd platform.Systemd
}

// configureGenerateSystemd declares `generate systemd`.
func configureGenerateSystemd(app *kingpin.Application, e *env) {
	c := &generateSystemd{env: e, out: delivery{env: e}}
	s := &c.systemd
	cmd := group(app, "generate", generateHelp).Command("systemd", "Generate hardened units for the exporter and the supervisor, with limits that fit the configuration.")
	c.out.flags(cmd)
	cmd.Flag("user", "The user that the exporter runs as.").Default("queuefleet").StringVar(&s.User)
	cmd.Flag("supervisor.user", "The user that the supervisor runs as: root, where workers run as several users.").Default("root").StringVar(&s.SupervisorUser)
	cmd.Flag("supervisor.name", "The supervisor's name, which hosts are matched with. Default: all pools count, and the name is the machine's.").StringVar(&s.SupervisorName)
	cmd.Flag("bin.dir", "Where the programs are.").Default("/usr/local/bin").StringVar(&s.BinDir)
	cmd.Flag("state.dir", "Where the supervisor keeps what outlives it.").Default("/var/lib/queuefleet").StringVar(&s.StateDir)
	cmd.Flag("web.config.file", "TLS and users of both programs' web servers.").StringVar(&s.WebConfigFile)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *generateSystemd) run(context.Context) error {
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	s := c.systemd
	if s.ConfigFile, err = filepath.Abs(c.env.configFile); err != nil {
		return err
	}
	if s.SupervisorName != "" {
		s.RunsHere = func(q *configs.Queue) bool { return supervisor.RunsHere(q, s.SupervisorName) }
	}
	units, warnings, err := s.Units(cfg)
	if err != nil {
		return usageError(err.Error())
	}
	for _, warning := range warnings {
		fmt.Fprintf(c.env.stderr, "%s %s\n", c.env.paint(yellow, "warning:"), printable(warning))
	}
	return c.out.deliver(units)
}

// delivery is where generated files go.
type delivery struct {
	env   *env
	dir   string
	force bool
}

func (o *delivery) flags(cmd *kingpin.CmdClause) {
	cmd.Flag("out", "Write the files into this directory. Default: print them.").PlaceHolder("DIR").StringVar(&o.dir)
	cmd.Flag("force", "Overwrite files that were changed by hand.").BoolVar(&o.force)
}

// deliver prints files, or writes them where a directory was given. A file that
// was changed by hand stays, and makes the exit code 1.
func (o *delivery) deliver(files []platform.File) error {
	if o.dir == "" {
		return o.print(files)
	}
	outcomes, err := platform.Write(o.dir, files, o.force)
	if err != nil {
		return err
	}
	if o.env.output == outputJSON {
		err = o.env.printJSON(outcomes)
	}
	edited := 0
	for _, outcome := range outcomes {
		if outcome.Result == platform.Edited {
			edited++
			fmt.Fprintf(o.env.stderr, "%s", outcome.Diff)
		}
		if o.env.output != outputJSON {
			fmt.Fprintf(o.env.stdout, "%-9s  %s\n", outcome.Result, printable(outcome.Path))
		}
	}
	if err == nil && edited > 0 {
		err = fmt.Errorf("%s changed by hand: keep the changes elsewhere and give --force", cmp.Or(map[int]string{1: "1 file was"}[edited], fmt.Sprintf("%d files were", edited)))
	}
	return err
}

func (o *delivery) print(files []platform.File) error {
	if o.env.output == outputJSON {
		texts := map[string]string{}
		for _, f := range files {
			texts[f.Name] = f.Text
		}
		return o.env.printJSON(texts)
	}
	for i, f := range files {
		if len(files) > 1 {
			fmt.Fprintf(o.env.stdout, "%s# %s\n", map[bool]string{true: "\n"}[i > 0], f.Name)
		}
		fmt.Fprint(o.env.stdout, f.Text)
	}
	return nil
}
