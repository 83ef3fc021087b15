package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

const connectionsHelp = "List, test and edit the connections of the configuration."

// connectionsList is `qftool connections list`.
type connectionsList struct {
	env   *env
	names []string
}

// configureConnectionsList declares `connections list`.
func configureConnectionsList(app *kingpin.Application, e *env) {
	c := &connectionsList{env: e}
	cmd := group(app, "connections", connectionsHelp).Command("list", "List the connections as configured, without connecting.")
	cmd.Arg("name", "Names or globs. Default: all.").StringsVar(&c.names)
	e.commands[cmd.FullCommand()] = c.run
}

// connectionReport is one connection as -o json prints it.
type connectionReport struct {
	Name        string   `json:"name"`
	State       string   `json:"state"` // active, inactive or deleted
	Mode        string   `json:"mode"`
	Address     string   `json:"address"`
	Environment string   `json:"environment,omitempty"`
	Region      string   `json:"region,omitempty"`
	Team        string   `json:"team,omitempty"`
	Provider    string   `json:"provider,omitempty"`
	Queues      []string `json:"queue_configurations"` // names of the queue configurations on it
}

func (c *connectionsList) run(context.Context) error {
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	chosen, err := chooseConnections(cfg, c.names, func(*configs.Connection) bool { return true })
	if err != nil {
		return err
	}
	queues := map[string][]string{}
	for i := range cfg.Queues {
		queues[cfg.Queues[i].Connection] = append(queues[cfg.Queues[i].Connection], cfg.Queues[i].Name)
	}
	reports := make([]connectionReport, 0, len(chosen))
	for _, conn := range chosen {
		reports = append(reports, connectionReport{
			Name: conn.Name, State: configuredState(conn), Mode: conn.Mode(), Address: conn.DisplayAddress(), Environment: conn.Environment,
			Region: conn.Region, Team: conn.Team, Provider: conn.Provider, Queues: append([]string{}, queues[conn.Name]...),
		})
	}
	if c.env.output == outputJSON {
		return c.env.printJSON(reports)
	}
	c.print(reports)
	return nil
}

func (c *connectionsList) print(reports []connectionReport) {
	t := table{header: []string{"NAME", "STATE", "MODE", "ADDRESS", "ENVIRONMENT", "REGION", "TEAM", "PROVIDER", "QUEUES"}}
	for _, r := range reports {
		state := text(r.State)
		if r.State != stateActive {
			state.style = dim
		}
		t.add(text(r.Name), state, text(r.Mode), text(r.Address), text(r.Environment), text(r.Region), text(r.Team), text(r.Provider), number("%d", len(r.Queues)))
	}
	t.write(c.env.stdout, c.env)
}

const (
	stateActive   = "active"
	stateInactive = "inactive"
	stateDeleted  = "deleted"
)

// configuredState is what the configuration says of a connection.
func configuredState(conn *configs.Connection) string {
	switch {
	case !conn.DeletedAt.IsZero():
		return stateDeleted
	case !conn.Active:
		return stateInactive
	default:
		return stateActive
	}
}

// chooseConnections returns the connections meant by names, in the order of the
// configuration. Without names, and by globs, only eligible ones are meant.
func chooseConnections(cfg *configs.Config, names []string, eligible func(*configs.Connection) bool) ([]*configs.Connection, error) {
	known := make([]string, len(cfg.Connections))
	for i := range cfg.Connections {
		known[i] = cfg.Connections[i].Name
	}
	if len(names) == 0 {
		var all []*configs.Connection
		for i := range cfg.Connections {
			if eligible(&cfg.Connections[i]) {
				all = append(all, &cfg.Connections[i])
			}
		}
		return all, nil
	}
	chosen, err := choose("connection", known, names, func(name string) bool {
		conn, ok := cfg.Connection(name)
		return ok && eligible(conn)
	})
	if err != nil {
		return nil, err
	}
	list := make([]*configs.Connection, 0, len(chosen))
	for _, name := range chosen {
		if conn, ok := cfg.Connection(name); ok {
			list = append(list, conn)
		}
	}
	return list, nil
}
