package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"
)

// checkWebConfig is `qftool check web-config`.
type checkWebConfig struct {
	env   *env
	files []string
}

// configureCheckWebConfig declares `check web-config`.
func configureCheckWebConfig(app *kingpin.Application, e *env) {
	c := &checkWebConfig{env: e}
	cmd := group(app, "check", checkHelp).Command("web-config", "Check files for --web.config.file: TLS and basic authentication.")
	cmd.Arg("file", "Files to check.").Required().StringsVar(&c.files)
	e.commands[cmd.FullCommand()] = c.run
}

// quoted is what a YAML error repeats of the file: it may be a password.
var quoted = regexp.MustCompile("`[^`]*`")

// webReport is the result for one file.
type webReport struct {
	File  string `json:"file"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func (c *checkWebConfig) run(context.Context) error {
	ok := true
	reports := make([]webReport, 0, len(c.files))
	for _, file := range c.files {
		r := webReport{File: file, OK: true}
		if err := web.Validate(file); err != nil {
			r.OK, r.Error = false, printable(quoted.ReplaceAllString(err.Error(), hidden))
		}
		ok = ok && r.OK
		reports = append(reports, r)
	}
	if err := c.print(ok, reports); err != nil {
		return err
	}
	if !ok {
		return errFound
	}
	return nil
}

func (c *checkWebConfig) print(ok bool, reports []webReport) error {
	if c.env.output == outputJSON {
		return c.env.printJSON(map[string]any{"ok": ok, "files": reports})
	}
	for _, r := range reports {
		state := c.env.paint(green, "ok")
		if !r.OK {
			state = c.env.paint(red, r.Error)
		}
		fmt.Fprintf(c.env.stdout, "%s: %s\n", c.env.paint(bold, printable(r.File)), state)
	}
	return nil
}
