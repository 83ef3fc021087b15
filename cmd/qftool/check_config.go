package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

const checkHelp = "Check configuration files."

// checkConfig is `qftool check config`.
type checkConfig struct {
	env    *env
	files  []string
	strict bool
}

// configureCheckConfig declares `check config`.
func configureCheckConfig(app *kingpin.Application, e *env) {
	c := &checkConfig{env: e}
	cmd := group(app, "check", checkHelp).Command("config", "Check configuration files and everything they refer to, and report every mistake at once.")
	cmd.Flag("strict", "Treat warnings as mistakes.").BoolVar(&c.strict)
	cmd.Arg("file", "Files to check. Default: --config.file.").StringsVar(&c.files)
	e.commands[cmd.FullCommand()] = c.run
}

// fileReport is the result for one file.
type fileReport struct {
	File         string    `json:"file"`
	OK           bool      `json:"ok"`
	Connections  int       `json:"connections"`
	Applications int       `json:"applications"`
	Queues       int       `json:"queues"`
	Mistakes     []finding `json:"mistakes"`
	Warnings     []finding `json:"warnings"`
}

// checkReport is what -o json prints.
type checkReport struct {
	OK    bool         `json:"ok"`
	Files []fileReport `json:"files"`
}

func (c *checkConfig) run(context.Context) error {
	if len(c.files) == 0 {
		c.files = []string{c.env.configFile}
	}
	report := checkReport{OK: true}
	for _, file := range c.files {
		r := checkFile(file, c.strict)
		report.OK = report.OK && r.OK
		report.Files = append(report.Files, r)
	}
	if c.env.output == outputJSON {
		if err := c.env.printJSON(report); err != nil {
			return err
		}
	} else {
		c.print(report)
	}
	if !report.OK {
		return errFound
	}
	return nil
}

// checkFile loads one file and reports what is wrong with it.
func checkFile(file string, strict bool) fileReport {
	r := fileReport{File: file, Mistakes: []finding{}, Warnings: []finding{}}
	c, err := configs.Load(file)
	r.Mistakes = append(r.Mistakes, findings(file, err)...)
	if c != nil {
		r.Mistakes = append(r.Mistakes, fragmentFindings(c)...)
		r.Connections, r.Applications, r.Queues = len(c.Connections), len(c.Applications), len(c.Queues)
		for _, w := range c.Warnings() {
			r.Warnings = append(r.Warnings, newFinding(w.Position, w.Text))
		}
	}
	r.OK = len(r.Mistakes) == 0 && (!strict || len(r.Warnings) == 0)
	return r
}

func (c *checkConfig) print(report checkReport) {
	p := newPrinter(c.env, c.env.stdout)
	for _, r := range report.Files {
		for _, f := range r.Mistakes {
			p.print(f, "", red)
		}
		for _, f := range r.Warnings {
			p.print(f, "warning", yellow)
		}
	}
	for _, r := range report.Files {
		fmt.Fprintln(c.env.stdout, c.summary(r))
	}
}

func (c *checkConfig) summary(r fileReport) string {
	file := c.env.paint(bold, printable(r.File))
	found := count(len(r.Warnings), "warning")
	if len(r.Mistakes) > 0 {
		return fmt.Sprintf("%s: %s, %s", file, c.env.paint(red, count(len(r.Mistakes), "mistake")), found)
	}
	parts := []string{count(r.Connections, "connection"), count(r.Applications, "application"), count(r.Queues, "queue configuration")}
	if len(r.Warnings) > 0 {
		parts = append(parts, c.env.paint(yellow, found))
	}
	state := c.env.paint(green, "ok")
	if !r.OK {
		state = c.env.paint(red, "not ok under --strict")
	}
	return fmt.Sprintf("%s: %s: %s", file, state, strings.Join(parts, ", "))
}
