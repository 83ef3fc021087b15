package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

const poolsHelp = "Look at and steer the pools of running supervisors."

// poolsCommand is one of `qftool pools …`.
type poolsCommand struct {
	env          *env
	supervisors  supervisorFlags
	action       string // list, why, pause, continue, restart or scale
	names        []string
	applications []string
	all          bool
	processes    string
	duration     time.Duration
	wait         bool
	timeout      time.Duration
}

// configurePools declares `pools list`, `why` and the orders.
func configurePools(app *kingpin.Application, e *env) {
	for _, kind := range []struct{ action, help string }{
		{"list", "List pools with their workers by state."},
		{"why", "Tell why pools have so many workers."},
		{"pause", "Keep workers from taking jobs; they finish the ones they have."},
		{"continue", "End a pause."},
		{"restart", "Replace workers, a few at a time: each finishes its job first."},
		{"scale", "Hold pools at a number of workers for a while, or end that with --processes=auto."},
	} {
		action := kind.action
		c := &poolsCommand{env: e, action: action}
		cmd := group(app, "pools", poolsHelp).Command(action, kind.help)
		c.supervisors.declare(cmd)
		cmd.Flag("application", "Pools of these applications: slugs or globs. Repeatable.").StringsVar(&c.applications)
		cmd.Arg("pool", "Names or globs.").StringsVar(&c.names)
		e.commands[cmd.FullCommand()] = c.run
		if action == "list" || action == "why" {
			continue
		}
		cmd.Flag("all", "All pools.").BoolVar(&c.all)
		cmd.Flag("wait", "Wait until the workers have followed.").BoolVar(&c.wait)
		cmd.Flag("timeout", "How long to wait.").Default("2m").DurationVar(&c.timeout)
		if action == "scale" {
			cmd.Flag("processes", "Workers of each pool in total, or auto.").Required().StringVar(&c.processes)
			cmd.Flag("for", "How long that holds.").Default("1h").DurationVar(&c.duration)
		}
	}
}

func (c *poolsCommand) run(ctx context.Context) error {
	clients, err := c.supervisors.open()
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	pools, asked := allPools(ctx, clients)
	if asked != nil && len(clients) == 1 {
		return asked
	}
	chosen, err := c.choose(pools)
	if err == nil {
		switch c.action {
		case "list":
			err = c.list(chosen, len(clients) > 1)
		case "why":
			err = c.why(ctx, chosen)
		default:
			err = c.order(ctx, chosen)
		}
	}
	return errors.Join(asked, err)
}

// check refuses orders that do not say what they are for.
func (c *poolsCommand) check() error {
	named := len(c.names)+len(c.applications) > 0
	switch {
	case c.action == "list" || c.action == "why":
		return nil
	case c.all && named:
		return usageError("--all and names contradict each other")
	case !c.all && !named:
		return usageError("say which pools: names, --application or --all")
	}
	if c.action != "scale" || c.processes == "auto" {
		return nil
	}
	if n, err := strconv.Atoi(c.processes); err != nil || n < 0 {
		return usageError(fmt.Sprintf("--processes: %q is neither a number nor auto", c.processes))
	}
	if c.duration <= 0 {
		return usageError("--for must be more than 0")
	}
	return nil
}

// choose returns the pools that are meant.
func (c *poolsCommand) choose(pools []*poolView) ([]*poolView, error) {
	kept := slices.DeleteFunc(slices.Clone(pools), func(p *poolView) bool {
		return len(c.applications) > 0 && !slices.ContainsFunc(c.applications, func(glob string) bool {
			ok, err := path.Match(glob, p.Application)
			return ok && err == nil
		})
	})
	if len(c.applications) > 0 && len(kept) == 0 && c.action != "list" {
		return nil, fmt.Errorf("no supervisor runs pools of application %q", c.applications)
	}
	if len(c.names) == 0 {
		return kept, nil
	}
	var known []string
	for _, p := range kept {
		if !slices.Contains(known, p.Name) {
			known = append(known, p.Name)
		}
	}
	wanted, err := choose("pool", known, c.names, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(kept, func(p *poolView) bool { return !slices.Contains(wanted, p.Name) }), nil
}

func (c *poolsCommand) list(pools []*poolView, several bool) error {
	if c.env.output == outputJSON {
		raw := make([]json.RawMessage, 0, len(pools))
		for _, p := range pools {
			raw = append(raw, withSupervisor(p.raw, p.supervisor.name))
		}
		return c.env.printJSON(raw)
	}
	t := table{header: []string{"POOL", "APPLICATION", "CONNECTION", "STATE", "RUNNING", "DESIRED", "MIN", "MAX", "BUSY", "STARTING", "STOPPING", "BACKOFF", "REMARK"}}
	if several {
		t.header = append([]string{"SUPERVISOR"}, t.header...)
	}
	for _, p := range pools {
		row := []cell{
			text(p.Name), text(p.Application), text(p.Connection), stateCell(p.State), number("%d", p.Counts.Running), number("%d", p.Desired),
			number("%d", p.Min), number("%d", p.Max), busyCell(p.Counts.Busy), number("%d", p.Counts.Starting), number("%d", p.Counts.Stopping),
			number("%d", p.Counts.Backoff), text(p.remark()),
		}
		if several {
			row = append([]cell{text(p.supervisor.name)}, row...)
		}
		t.add(row...)
	}
	if len(pools) > 0 {
		t.write(c.env.stdout, c.env)
	}
	fmt.Fprintln(c.env.stderr, count(len(pools), "pool"))
	return nil
}

// withSupervisor adds to an object which supervisor it comes from.
func withSupervisor(object json.RawMessage, name string) json.RawMessage {
	quoted, err := json.Marshal(name)
	rest, isObject := strings.CutPrefix(string(object), "{")
	if err != nil || !isObject {
		return object
	}
	return json.RawMessage(`{"supervisor":` + string(quoted) + "," + rest)
}

func stateCell(state string) cell {
	switch state {
	case "ok":
		return styled(green, state)
	case "broken", "crashing":
		return styled(red, state)
	default:
		return styled(yellow, state)
	}
}

func busyCell(busy *int) cell {
	if busy == nil {
		return unknown()
	}
	return number("%d", *busy)
}

func (p *poolView) remark() string {
	if p.CannotStart != nil {
		return p.CannotStart.Reason + ": " + p.CannotStart.Text
	}
	return ""
}

// whyView is what /why answers, as far as it is printed.
type whyView struct {
	Sentences []string `json:"sentences"`
}

func (c *poolsCommand) why(ctx context.Context, pools []*poolView) error {
	raw := make([]json.RawMessage, 0, len(pools))
	for _, p := range pools {
		var answer json.RawMessage
		if err := p.supervisor.call(ctx, http.MethodGet, "/api/v1/pools/"+url.PathEscape(p.Name)+"/why", &answer); err != nil {
			return err
		}
		raw = append(raw, withSupervisor(answer, p.supervisor.name))
		if c.env.output == outputJSON {
			continue
		}
		var why whyView
		if err := json.Unmarshal(answer, &why); err != nil {
			return err
		}
		fmt.Fprintf(c.env.stdout, "%s: %d of %d desired workers run\n", c.env.paint(bold, printable(p.Name)), p.Counts.Running, p.Desired)
		for _, sentence := range why.Sentences {
			fmt.Fprintf(c.env.stdout, "  %s\n", printable(sentence))
		}
	}
	if c.env.output == outputJSON {
		return c.env.printJSON(raw)
	}
	return nil
}
