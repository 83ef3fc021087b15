package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/mixin"
)

const mixinHelp = "Dashboards, rules, alerts and Alertmanager files."

// mixinRender is `qftool mixin render`.
type mixinRender struct {
	env     *env
	options mixin.Options
	out     string
}

// mixinConfig is `qftool mixin config`.
type mixinConfig struct {
	env     *env
	options mixin.Options
}

// configureMixin declares `mixin render` and `mixin config`.
func configureMixin(app *kingpin.Application, e *env) {
	r := &mixinRender{env: e}
	cmd := group(app, "mixin", mixinHelp).Command("render", "Write the dashboards, Prometheus' rules and alerts, Alertmanager's configuration and templates, and Grafana's provisioning files.")
	cmd.Flag("out", "The directory to write into. What else is there stays.").Required().PlaceHolder("DIR").StringVar(&r.out)
	mixinFlags(cmd, &r.options)
	e.commands[cmd.FullCommand()] = r.run

	c := &mixinConfig{env: e}
	cmd = group(app, "mixin", mixinHelp).Command("config", "Show every key that can be set, explained; with -o json the values that apply.")
	mixinFlags(cmd, &c.options)
	e.commands[cmd.FullCommand()] = c.run
}

func mixinFlags(cmd *kingpin.CmdClause, o *mixin.Options) {
	cmd.Flag("config", "Settings in a file: YAML, JSON or jsonnet, with the keys that `qftool mixin config` shows.").PlaceHolder("FILE").StringVar(&o.ConfigFile)
	cmd.Flag("set", "One setting, such as thresholds.memoryRatio=0.9; the value is JSON or plain text. Repeatable; wins over --config.").PlaceHolder("KEY=VALUE").StringsVar(&o.Set)
}

func (c *mixinRender) run(context.Context) error {
	if c.out == "" {
		return usageError(emptyOut)
	}
	files, err := mixin.Render(c.options)
	if err != nil {
		return mixinError(err)
	}
	written, err := mixin.Write(c.out, files)
	if err != nil {
		return err
	}
	if c.env.output == outputJSON {
		return c.env.printJSON(written)
	}
	changed := 0
	for _, w := range written {
		if w.Changed {
			changed++
			fmt.Fprintln(c.env.stdout, printable(w.Path))
		}
	}
	fmt.Fprintf(c.env.stdout, "%s, %d of them changed\n", count(len(written), "file"), changed)
	return nil
}

func (c *mixinConfig) run(context.Context) error {
	if c.env.output == outputJSON {
		config, err := mixin.Config(c.options)
		if err != nil {
			return mixinError(err)
		}
		return c.env.printJSON(config)
	}
	if c.options.ConfigFile != "" || len(c.options.Set) > 0 {
		return usageError("--config and --set change values, which only -o json shows")
	}
	text, err := mixin.Reference()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.env.stdout, text)
	return err
}

// mixinError makes a mistake on the command line one of usage.
func mixinError(err error) error {
	var assignment *mixin.AssignmentError
	if errors.As(err, &assignment) {
		return usageError(err.Error())
	}
	return err
}
