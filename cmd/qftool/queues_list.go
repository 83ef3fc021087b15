package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// queuesList is `qftool queues list`.
type queuesList struct {
	env          *env
	applications []string
	connections  []string
	timeout      time.Duration
}

// configureQueuesList declares `queues list`.
func configureQueuesList(app *kingpin.Application, e *env) {
	c := &queuesList{env: e}
	cmd := group(app, "queues", "Look at the queues of the configuration.").
		Command("list", "List the queues with what is in them now, read from Redis itself: no exporter needs to run.")
	cmd.Flag("application", "Only these applications: slugs or globs. Repeatable.").StringsVar(&c.applications)
	cmd.Flag("connection", "Only these connections: names or globs. Repeatable.").StringsVar(&c.connections)
	cmd.Flag("timeout", "How long to look for queues by pattern, which goes slowly through all keys so as not to disturb Redis.").Default("1m").DurationVar(&c.timeout)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *queuesList) run(ctx context.Context) error {
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	if cfg, err = c.narrow(cfg); err != nil {
		return err
	}
	queues, down, err := c.read(ctx, cfg)
	if err != nil {
		return err
	}
	if c.env.output == outputJSON {
		err = c.env.printJSON(queues)
	} else {
		c.print(queues)
	}
	if failed := c.complain(queues, down); err == nil && failed {
		err = errFound
	}
	return err
}

// narrow returns cfg with everything inactive that was not asked for. cfg
// itself is not changed.
func (c *queuesList) narrow(cfg *configs.Config) (*configs.Config, error) {
	slugs := make([]string, len(cfg.Applications))
	for i := range cfg.Applications {
		slugs[i] = cfg.Applications[i].Slug
	}
	applications := slugs
	var appErr, connErr error
	if len(c.applications) > 0 {
		applications, appErr = choose("application", slugs, c.applications, func(slug string) bool {
			app, ok := cfg.Application(slug)
			return ok && app.InUse()
		})
	}
	connections, connErr := chooseConnections(cfg, c.connections, (*configs.Connection).Probed)
	if err := errors.Join(appErr, connErr); err != nil {
		return nil, err
	}
	return narrowed(cfg, applications, connections), nil
}

func narrowed(cfg *configs.Config, applications []string, connections []*configs.Connection) *configs.Config {
	wanted := map[string]bool{}
	for _, conn := range connections {
		wanted[conn.Name] = true
	}
	out := *cfg
	out.Queues = slices.Clone(cfg.Queues)
	needed := map[string]bool{}
	for i := range out.Queues {
		q := &out.Queues[i]
		q.Active = wanted[q.Connection] && slices.Contains(applications, q.Application) && cfg.QueueWatched(q)
		if !q.Active {
			continue
		}
		needed[q.Connection] = true
		if app, ok := cfg.Application(q.Application); ok && app.Cache != nil {
			needed[app.Cache.Connection] = true // the pause flags
		}
	}
	out.Connections = slices.Clone(cfg.Connections)
	for i := range out.Connections {
		out.Connections[i].Active = out.Connections[i].Active && needed[out.Connections[i].Name]
	}
	return &out
}

// read reads every queue once, by the exporter's own code. Queues found by
// pattern are looked for first. It also returns the connections that are down.
func (c *queuesList) read(ctx context.Context, cfg *configs.Config) ([]collector.QueueStatus, []collector.ConnectionStatus, error) {
	set := connection.NewSet(slog.New(slog.DiscardHandler))
	defer set.Close()
	coll := collector.New(set, collector.Options{
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), QueueAges: true,
	})
	defer coll.Close()
	set.Apply(cfg.Connections)
	coll.Apply(cfg)
	if hasPatterns(cfg) {
		search, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		coll.Discover(search)
		if search.Err() != nil && ctx.Err() == nil {
			fmt.Fprintf(c.env.stderr, "qftool: looking for queues by pattern was given up after %v (--timeout): some may be missing\n", c.timeout)
		}
	}
	if _, err := coll.Scrape(ctx, nil); err != nil {
		return nil, nil, err
	}
	queues := coll.Queues()
	for i := range queues {
		queues[i].Error = c.env.redactor.Mask(queues[i].Error)
	}
	down := slices.DeleteFunc(coll.Connections(), func(s collector.ConnectionStatus) bool {
		return s.State != collector.Down && s.State != collector.Hung
	})
	if queues == nil {
		queues = []collector.QueueStatus{}
	}
	return queues, down, nil
}

func hasPatterns(cfg *configs.Config) bool {
	return slices.ContainsFunc(cfg.Queues, func(q configs.Queue) bool {
		return q.Active && slices.ContainsFunc(q.QueueNames, configs.IsPattern)
	})
}

func (c *queuesList) print(queues []collector.QueueStatus) {
	t := table{header: []string{"APPLICATION", "CONNECTION", "QUEUE", "READY", "DELAYED", "RESERVED", "OVERDUE", "EXPIRED", "OLDEST", "PAUSED"}}
	for i := range queues {
		q := &queues[i]
		t.add(text(q.Application), text(q.Connection), text(q.Queue),
			jobs(q, queue.Ready), jobs(q, queue.Delayed), jobs(q, queue.Reserved),
			alarming(q.DelayedOverdue), alarming(q.ReservedExpired), ageCell(q), pausedCell(q.Paused))
	}
	if len(queues) > 0 {
		t.write(c.env.stdout, c.env)
	}
	fmt.Fprintln(c.env.stderr, count(len(queues), "queue"))
}

func jobs(q *collector.QueueStatus, state queue.State) cell {
	n, ok := q.Jobs[state.String()]
	if !ok {
		return unknown()
	}
	return number("%.0f", n)
}

// alarming is a number that ought to be 0.
func alarming(n *float64) cell {
	if n == nil {
		return unknown()
	}
	c := number("%.0f", *n)
	if *n > 0 {
		c.style = yellow
	}
	return c
}

// ageCell is the age of the oldest ready job, unknown where its payload does not tell.
func ageCell(q *collector.QueueStatus) cell {
	if q.OldestAgeSeconds == nil {
		return unknown()
	}
	c := number("%s", time.Duration(*q.OldestAgeSeconds*float64(time.Second)).Round(time.Second))
	if q.WaitObjectiveSeconds != nil && *q.OldestAgeSeconds > *q.WaitObjectiveSeconds {
		c.style = yellow
	}
	return c
}

func pausedCell(paused *bool) cell {
	switch {
	case paused == nil:
		return cell{text: "-", style: dim}
	case *paused:
		return styled(yellow, "yes")
	default:
		return text("no")
	}
}

// complain tells why figures are missing: once for a connection that is down,
// else for each queue. It reports whether there was anything to tell.
func (c *queuesList) complain(queues []collector.QueueStatus, down []collector.ConnectionStatus) bool {
	gone := map[string]bool{}
	for _, s := range down {
		gone[s.Name] = true
		fmt.Fprintf(c.env.stderr, "qftool: connection %s is down (%s): %s\n", s.Name, s.Reason, printable(c.env.redactor.Mask(s.Error)))
	}
	found := len(down) > 0
	for i := range queues {
		q := &queues[i]
		if q.Error == "" || gone[q.Connection] {
			continue
		}
		found = true
		fmt.Fprintf(c.env.stderr, "qftool: queue %s of %s on %s: %s\n", q.Queue, q.Application, q.Connection, printable(q.Error))
	}
	return found
}
