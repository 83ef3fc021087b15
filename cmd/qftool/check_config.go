package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/app"
	"github.com/queuefleet/queuefleet/supervisor"
)

const checkHelp = "Check configuration files."

// checkConfig is `qftool check config`.
type checkConfig struct {
	env    *env
	files  []string
	strict bool
	name   string // of a supervisor; empty: nobody wants to know what runs there
}

// configureCheckConfig declares `check config`.
func configureCheckConfig(k *kingpin.Application, e *env) {
	c := &checkConfig{env: e}
	cmd := group(k, "check", checkHelp).Command("config", "Check configuration files and everything they refer to, and report every mistake at once.")
	cmd.Flag("strict", "Treat warnings as mistakes.").BoolVar(&c.strict)
	cmd.Flag("supervisor.name", "List the pools that run on the supervisor of this name as well, and warn where this machine lacks what their workers need.").StringVar(&c.name)
	cmd.Arg("file", "Files to check. Default: --config.file.").StringsVar(&c.files)
	e.commands[cmd.FullCommand()] = c.run
}

// fileReport is the result for one file.
type fileReport struct {
	File         string      `json:"file"`
	OK           bool        `json:"ok"`
	Connections  int         `json:"connections"`
	Applications int         `json:"applications"`
	Queues       int         `json:"queues"`
	Mistakes     []finding   `json:"mistakes"`
	Warnings     []finding   `json:"warnings"`
	Pools        []poolToRun `json:"pools,omitempty"` // that run on the supervisor asked for
}

// poolToRun is a queue configuration whose workers a supervisor runs.
type poolToRun struct {
	Pool        string   `json:"pool"`
	Application string   `json:"application"`
	Connection  string   `json:"connection"`
	Preset      string   `json:"preset"`
	Queues      []string `json:"queue_names"`
	Min         int      `json:"min_processes"`
	Max         int      `json:"max_processes"`
}

// poolsOn lists what runs on a supervisor.
func poolsOn(cfg *configs.Config, name string) []poolToRun {
	var list []poolToRun
	for i := range cfg.Queues {
		q := &cfg.Queues[i]
		if q.Worker == nil || !cfg.QueueWatched(q) || !supervisor.RunsHere(q, name) {
			continue
		}
		list = append(list, poolToRun{q.Name, q.Application, q.Connection, q.Worker.Preset, q.QueueNames, q.MinProcesses, q.MaxProcesses})
	}
	return list
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
	defer c.boundMemory()()
	report := checkReport{OK: true}
	for _, file := range c.files {
		r := c.checkFile(file)
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

// boundMemory has the runtime collect sooner than it would: the tree of a large
// file is most of what is there, and by default as much again would be garbage.
// It returns what undoes that. GOMEMLIMIT, where it is set, is left alone.
func (c *checkConfig) boundMemory() func() {
	const (
		least   = 160 << 20
		perByte = 30 // of the file: somewhat more than its tree takes
	)
	if os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	largest := int64(0)
	for _, file := range c.files {
		if info, err := os.Stat(file); err == nil {
			largest = max(largest, info.Size())
		}
	}
	before := debug.SetMemoryLimit(max(least, perByte*largest))
	return func() { debug.SetMemoryLimit(before) }
}

// checkFile loads one file and reports what is wrong with it.
func (c *checkConfig) checkFile(file string) fileReport {
	r := fileReport{File: file, Mistakes: []finding{}, Warnings: []finding{}}
	cfg, err := configs.Load(file)
	r.Mistakes = append(r.Mistakes, findings(file, err)...)
	if cfg != nil {
		r.Mistakes = append(r.Mistakes, fragmentFindings(cfg)...)
		r.Connections, r.Applications, r.Queues = len(cfg.Connections), len(cfg.Applications), len(cfg.Queues)
		for _, w := range cfg.Warnings() {
			r.Warnings = append(r.Warnings, newFinding(w.Position, w.Text))
		}
		mistakes, warnings := app.Flaws(cfg, file, c.name)
		for _, w := range mistakes {
			r.Mistakes = append(r.Mistakes, newFinding(w.Position, c.env.redactor.Mask(w.Text)))
		}
		for _, w := range warnings {
			r.Warnings = append(r.Warnings, newFinding(w.Position, c.env.redactor.Mask(w.Text)))
		}
		if c.name != "" {
			r.Pools = poolsOn(cfg, c.name)
		}
	}
	r.OK = len(r.Mistakes) == 0 && (!c.strict || len(r.Warnings) == 0)
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
		if c.name != "" && len(r.Mistakes) == 0 {
			c.printPools(r.Pools)
		}
	}
}

// printPools lists what runs on the supervisor that was asked for.
func (c *checkConfig) printPools(pools []poolToRun) {
	fmt.Fprintf(c.env.stdout, "%s on %s\n", count(len(pools), "pool"), printable(c.name))
	if len(pools) == 0 {
		return
	}
	t := table{header: []string{"POOL", "APPLICATION", "CONNECTION", "PRESET", "MIN", "MAX", "QUEUES"}}
	for _, p := range pools {
		t.add(text(p.Pool), text(p.Application), text(p.Connection), text(p.Preset), number("%d", p.Min), number("%d", p.Max), text(strings.Join(p.Queues, ", ")))
	}
	t.write(c.env.stdout, c.env)
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
