package main

import (
	"context"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/generate/platform"
)

// formBoth writes a file for each form, to choose from.
const formBoth = "both"

// generatePrometheus is `qftool generate prometheus`.
type generatePrometheus struct {
	env        *env
	out        delivery
	form       string
	prometheus platform.Prometheus
}

// configureGeneratePrometheus declares `generate prometheus`.
func configureGeneratePrometheus(app *kingpin.Application, e *env) {
	c := &generatePrometheus{env: e, out: delivery{env: e}}
	p := &c.prometheus
	cmd := group(app, "generate", generateHelp).Command("prometheus", "Generate scrape configurations for Prometheus: the whole fleet in one page, or one target a connection.")
	c.out.flags(cmd)
	cmd.Flag("form", "aggregated, sharded, or both: a file for each, of which Prometheus gets one.").Default(platform.FormAggregated).
		EnumVar(&c.form, platform.FormAggregated, platform.FormSharded, formBoth)
	cmd.Flag("exporter", "Where an exporter is. Repeatable in the sharded form, in which they share the connections.").PlaceHolder("HOST:PORT").
		Default("localhost:10379").StringsVar(&p.Exporters)
	cmd.Flag("supervisor", "Where a supervisor is. Repeatable.").PlaceHolder("HOST:PORT").StringsVar(&p.Supervisors)
	cmd.Flag("interval", "How often to scrape.").Default("15s").DurationVar(&p.Interval)
	cmd.Flag("shards", "How many Prometheus servers share the connections, in the sharded form.").Default("1").IntVar(&p.Shards)
	cmd.Flag("shard", "Which of them the file is for, from 0.").Default("0").IntVar(&p.Shard)
	cmd.Flag("rule-file", "A file of rules. Repeatable.").PlaceHolder("FILE").StringsVar(&p.RuleFiles)
	cmd.Flag("alertmanager", "Where an Alertmanager is. Repeatable.").PlaceHolder("HOST:PORT").StringsVar(&p.Alertmanagers)
	cmd.Flag("scheme", "http or https.").Default("http").EnumVar(&p.Client.Scheme, "http", "https")
	cmd.Flag("ca-file", "Who signed the programs' certificates, as a file on Prometheus' machine.").PlaceHolder("FILE").StringVar(&p.Client.CAFile)
	cmd.Flag("username", "The user that Prometheus is for the programs.").StringVar(&p.Client.Username)
	cmd.Flag("password-file", "Its password, as a file on Prometheus' machine.").PlaceHolder("FILE").StringVar(&p.Client.PasswordFile)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *generatePrometheus) run(context.Context) error {
	if c.prometheus.Interval < time.Second {
		return usageError("--interval must be at least 1s")
	}
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	if interval := c.prometheus.ScrapeInterval(cfg); interval > c.prometheus.Interval {
		fmt.Fprintf(c.env.stderr, "%s --interval=%s is shorter than the slowest probe_timeout allows: %s is used\n", c.env.paint(yellow, "warning:"), c.prometheus.Interval, interval)
	}
	forms := []string{c.form}
	if c.form == formBoth {
		forms = []string{platform.FormAggregated, platform.FormSharded}
	}
	var files []platform.File
	for _, form := range forms {
		p := c.prometheus
		p.Form = form
		if c.form == formBoth && form == platform.FormAggregated {
			// What belongs to the other form is no mistake here.
			p.Exporters, p.Shard, p.Shards = p.Exporters[:1], 0, 1
		}
		f, err := p.Configuration(cfg)
		if err != nil {
			return usageError(err.Error())
		}
		files = append(files, f)
	}
	return c.out.deliver(files)
}
