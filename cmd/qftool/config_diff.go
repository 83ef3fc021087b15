package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

// configDiff is `qftool config diff`.
type configDiff struct {
	env  *env
	a, b string
}

func configureConfigDiff(app *kingpin.Application, e *env) {
	c := &configDiff{env: e}
	cmd := group(app, "config", configHelp).Command("diff", "Compare what two configurations mean: entry by entry, key by key, in any order. Exits with 1 where they differ.")
	cmd.Arg("a", "The one configuration.").Required().StringVar(&c.a)
	cmd.Arg("b", "The other one.").Required().StringVar(&c.b)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *configDiff) run(context.Context) error {
	var both [2]*configs.Config
	for i, file := range []string{c.a, c.b} {
		cfg, err := c.env.loadOffline(file)
		if err != nil {
			return err
		}
		both[i] = cfg
	}
	list := configs.Diff(both[0], both[1])
	if c.env.output == outputJSON {
		if err := c.env.printJSON(append([]configs.Difference{}, list...)); err != nil {
			return err
		}
	} else {
		for _, d := range list {
			st := map[byte]style{'+': green, '-': red, '~': yellow}[d.String()[0]]
			fmt.Fprintln(c.env.stdout, c.env.paint(st, printable(strings.ReplaceAll(d.String(), "\n", "; "))))
		}
		fmt.Fprintln(c.env.stderr, count(len(list), "difference"))
	}
	if len(list) > 0 {
		return errFound
	}
	return nil
}

// configShow is `qftool config show`.
type configShow struct {
	env       *env
	name      string
	effective bool
}

func configureConfigShow(app *kingpin.Application, e *env) {
	c := &configShow{env: e}
	cmd := group(app, "config", configHelp).Command("show", "Show the configuration, or the entries of a name, as one file. Secrets are masked.")
	cmd.Flag("effective", "Show every key with the value that is in force, not only what differs from the built-in defaults.").BoolVar(&c.effective)
	cmd.Arg("name", "The name of a connection, an application or a queue configuration. Default: all.").StringVar(&c.name)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *configShow) run(context.Context) error {
	cfg, err := c.env.loadOffline(c.env.configFile)
	if err != nil {
		return err
	}
	text, err := c.text(cfg)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return fmt.Errorf("nothing is named %q%s", c.name, c.near(cfg))
	}
	if c.env.output == outputJSON {
		d, err := configs.ReadDocument(c.env.configFile, text)
		if err != nil {
			return err
		}
		return c.env.printJSON(d.Value)
	}
	_, err = c.env.stdout.Write(text)
	return err
}

func (c *configShow) text(cfg *configs.Config) ([]byte, error) {
	if c.effective && c.name == "" {
		return cfg.MaskedYAML()
	}
	if c.effective {
		return cfg.MaskedEntriesYAML(c.name)
	}
	e, _, err := cfg.Export(configs.ExportOptions{Secrets: configs.SecretsMask, Directory: "/"})
	if err != nil {
		return nil, err
	}
	if c.name != "" && !e.Only(c.name) {
		return nil, nil
	}
	return e.YAML()
}

func (c *configShow) near(cfg *configs.Config) string {
	var names []string
	for i := range cfg.Connections {
		names = append(names, cfg.Connections[i].Name)
	}
	for i := range cfg.Applications {
		names = append(names, cfg.Applications[i].Slug)
	}
	for i := range cfg.Queues {
		names = append(names, cfg.Queues[i].Name)
	}
	if near := configs.Nearest(c.name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
