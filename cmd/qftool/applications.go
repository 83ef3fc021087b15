package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

const applicationsHelp = "List and edit the applications of the configuration."

// configureApplications declares `applications list`, `add`, `set`, `attach`
// and their kin.
func configureApplications(app *kingpin.Application, e *env) {
	configureApplicationsList(app, e)
	configureEntries(app, e, configs.ApplicationEntry, applicationsHelp, []shortcut{
		{flag: "name", key: "name", help: "Its name for people."},
		{flag: "description", key: "description", help: "What it does."},
		{flag: "team", key: "team", help: "Whose it is."},
		{flag: "icon", key: "icon", help: "Its icon."},
	})
	configureAttach(app, e)
	configureDetach(app, e)
}

// applicationsList is `qftool applications list`.
type applicationsList struct {
	env   *env
	names []string
}

func configureApplicationsList(app *kingpin.Application, e *env) {
	c := &applicationsList{env: e}
	cmd := group(app, "applications", applicationsHelp).Command("list", "List the applications as configured.")
	cmd.Arg("name", "Names or globs. Default: all.").StringsVar(&c.names)
	e.commands[cmd.FullCommand()] = c.run
}

// applicationReport is one application as -o json prints it.
type applicationReport struct {
	Slug        string   `json:"slug"`
	Name        string   `json:"name"`
	State       string   `json:"state"` // active, inactive or deleted
	Team        string   `json:"team,omitempty"`
	Primary     string   `json:"primary,omitempty"`
	Connections []string `json:"connections"`
	Queues      []string `json:"queue_configurations"`
}

func (c *applicationsList) run(context.Context) error {
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	known := make([]string, len(cfg.Applications))
	for i := range cfg.Applications {
		known[i] = cfg.Applications[i].Slug
	}
	chosen := known
	if len(c.names) > 0 {
		if chosen, err = choose("application", known, c.names, func(string) bool { return true }); err != nil {
			return err
		}
	}
	reports := make([]applicationReport, 0, len(chosen))
	for _, slug := range chosen {
		a, _ := cfg.Application(slug)
		reports = append(reports, reportApplication(cfg, a))
	}
	if c.env.output == outputJSON {
		return c.env.printJSON(reports)
	}
	t := table{header: []string{"SLUG", "NAME", "STATE", "TEAM", "PRIMARY", "CONNECTIONS", "QUEUES"}}
	for _, r := range reports {
		st := text(r.State)
		if r.State != stateActive {
			st.style = dim
		}
		t.add(text(r.Slug), text(r.Name), st, text(r.Team), text(r.Primary), text(strings.Join(r.Connections, ", ")), number("%d", len(r.Queues)))
	}
	t.write(c.env.stdout, c.env)
	return nil
}

func reportApplication(cfg *configs.Config, a *configs.Application) applicationReport {
	r := applicationReport{Slug: a.Slug, Name: a.Name, State: stateActive, Team: a.Team, Connections: []string{}, Queues: []string{}}
	switch {
	case !a.DeletedAt.IsZero():
		r.State = stateDeleted
	case !a.Active:
		r.State = stateInactive
	}
	for _, p := range a.Connections {
		r.Connections = append(r.Connections, p.Connection)
		if p.Primary {
			r.Primary = p.Connection
		}
	}
	for i := range cfg.Queues {
		if cfg.Queues[i].Application == a.Slug {
			r.Queues = append(r.Queues, cfg.Queues[i].Name)
		}
	}
	return r
}

// pivotCommand is `qftool applications attach` and `detach`.
type pivotCommand struct {
	*editing

	application, connection string
	primary, inactive       bool
	priority                string
	cascade                 bool
}

func configureAttach(app *kingpin.Application, e *env) {
	c := &pivotCommand{editing: newEditing(e, "applications attach")}
	cmd := group(app, "applications", applicationsHelp).Command("attach", "Give an application a connection, or change how it has it.")
	c.declare(cmd)
	cmd.Flag("primary", "Make it the default connection, in place of the one before.").BoolVar(&c.primary)
	cmd.Flag("priority", "Where it stands among the others in what is generated.").PlaceHolder("N").StringVar(&c.priority)
	cmd.Flag("inactive", "Keep it in the file without using it. --no-inactive uses it again.").BoolVar(&c.inactive)
	cmd.Arg("application", "Its slug.").Required().StringVar(&c.application)
	cmd.Arg("connection", "The connection's name.").Required().StringVar(&c.connection)
	primarySet, inactiveSet := false, false
	cmd.GetFlag("primary").IsSetByUser(&primarySet)
	cmd.GetFlag("inactive").IsSetByUser(&inactiveSet)
	e.commands[cmd.FullCommand()] = func(ctx context.Context) error { return c.attach(ctx, primarySet, inactiveSet) }
}

func (c *pivotCommand) attach(ctx context.Context, primarySet, inactiveSet bool) error {
	var settings []configs.Setting
	if primarySet {
		settings = append(settings, configs.Setting{Key: "primary", Value: strconv.FormatBool(c.primary)})
	}
	if c.priority != "" {
		if _, err := strconv.Atoi(c.priority); err != nil {
			return usageError("--priority must be a whole number")
		}
		settings = append(settings, configs.Setting{Key: "priority", Value: c.priority})
	}
	if inactiveSet {
		settings = append(settings, configs.Setting{Key: "active", Value: strconv.FormatBool(!c.inactive)})
	}
	return c.run(ctx, func(d *configs.Editor) ([]change, error) {
		if err := d.Attach(c.application, c.connection, settings); err != nil {
			return nil, err
		}
		return []change{c.change("attach")}, nil
	})
}

func (c *pivotCommand) change(action string) change {
	return change{Action: action, Kind: configs.ApplicationEntry, Name: c.application, Keys: []string{"connections[" + c.connection + "]"}}
}

func configureDetach(app *kingpin.Application, e *env) {
	c := &pivotCommand{editing: newEditing(e, "applications detach")}
	cmd := group(app, "applications", applicationsHelp).Command("detach", "Take a connection from an application.")
	c.declare(cmd)
	cmd.Flag("cascade", "Remove its queue configurations on that connection as well.").BoolVar(&c.cascade)
	cmd.Arg("application", "Its slug.").Required().StringVar(&c.application)
	cmd.Arg("connection", "The connection's name.").Required().StringVar(&c.connection)
	e.commands[cmd.FullCommand()] = func(ctx context.Context) error { return c.run(ctx, c.detach) }
}

func (c *pivotCommand) detach(d *configs.Editor) ([]change, error) {
	refs := slices.DeleteFunc(d.References(configs.ApplicationEntry, c.application), func(r configs.Reference) bool {
		return r.Deleted || r.Queue() == nil || r.Queue().Connection != c.connection
	})
	if len(refs) > 0 && !c.cascade {
		return nil, fmt.Errorf("the application %q has queues on %q; --cascade removes their configurations as well:%s", c.application, c.connection, referrers(refs))
	}
	if err := d.Detach(c.application, c.connection); err != nil {
		return nil, err
	}
	changes := []change{c.change("detach")}
	for _, r := range refs {
		mark := []configs.Setting{{Key: "deleted_at", Value: now()}}
		if err := d.Set(r.Kind, r.Name, mark); err != nil {
			return nil, err
		}
		changes = append(changes, change{Action: "remove", Kind: r.Kind, Name: r.Name, Keys: keysOf(mark)})
	}
	return changes, nil
}
