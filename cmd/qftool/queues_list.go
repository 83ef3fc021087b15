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

const queuesHelp = "List and edit the queue configurations."

// configureQueuesList declares `queues list`.
func configureQueuesList(app *kingpin.Application, e *env) {
	c := &queuesList{env: e}
	cmd := group(app, "queues", queuesHelp).
		Command("list", "List the queues with what is in them now, read from Redis itself: no exporter needs to run.")
	cmd.Flag("application", "Only these applications: slugs or globs. Repeatable.").StringsVar(&c.applications)
	cmd.Flag("connection", "Only these connections: names or globs. Repeatable.").StringsVar(&c.connections)
	cmd.Flag("timeout", "How long to look for queues by pattern, which goes slowly through all keys so as not to disturb Redis.").Default("1m").DurationVar(&c.timeout)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *queuesList) run(ctx context.Context) error {
	if c.timeout <= 0 {
		return usageError("--timeout must be more than 0")
	}
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	if cfg, err = c.narrow(cfg); err != nil {
		return err
	}
	queues, problems, err := c.read(ctx, cfg)
	if err != nil {
		return err
	}
	if c.env.output == outputJSON {
		err = c.env.printJSON(queues)
	} else {
		c.print(queues)
	}
	for _, problem := range problems {
		fmt.Fprintf(c.env.stderr, "qftool: %s\n", printable(problem))
	}
	if err == nil && len(problems) > 0 {
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
// pattern are looked for first. problems say why figures are missing.
func (c *queuesList) read(ctx context.Context, cfg *configs.Config) (queues []collector.QueueStatus, problems []string, err error) {
	set := connection.NewSet(slog.New(slog.DiscardHandler))
	defer set.Close()
	coll := collector.New(set, collector.Options{
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), QueueAges: true,
	})
	defer coll.Close()
	set.Apply(cfg.Connections)
	coll.Apply(cfg)
	search, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	missed := coll.Discover(search)
	givenUp := search.Err() != nil
	if _, err := coll.Scrape(ctx, nil); err != nil {
		return nil, nil, err
	}
	queues = append([]collector.QueueStatus{}, coll.Queues()...)
	for i := range queues {
		queues[i].Error = c.env.redactor.Mask(queues[i].Error)
	}
	problems = c.problems(queues, coll.Connections())
	switch {
	case ctx.Err() != nil:
		return nil, nil, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	case givenUp:
		problems = append(problems, fmt.Sprintf("looking for queues by pattern was given up after %v (--timeout): some may be missing", c.timeout))
	case missed != nil && len(problems) == 0: // else the reason has been told
		problems = append(problems, c.env.redactor.Mask(missed.Error()))
	}
	return queues, problems, nil
}

// problems tells once that a connection is down, else for each queue why it
// could not be read.
func (c *queuesList) problems(queues []collector.QueueStatus, connections []collector.ConnectionStatus) []string {
	var list []string
	down := map[string]bool{}
	for i := range connections {
		s := &connections[i]
		if s.State == collector.Down || s.State == collector.Hung {
			down[s.Name] = true
			list = append(list, fmt.Sprintf("connection %s is down (%s): %s", s.Name, s.Reason, c.env.redactor.Mask(s.Error)))
		}
	}
	for i := range queues {
		q := &queues[i]
		if q.Error != "" && !down[q.Connection] {
			list = append(list, fmt.Sprintf("queue %s of %s on %s: %s", q.Queue, q.Application, q.Connection, q.Error))
		}
	}
	return list
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
