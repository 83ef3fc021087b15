package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/horizon"
)

// horizonStatus is `qftool horizon status`.
type horizonStatus struct {
	flags horizonFlags
}

func configureHorizonStatus(app *kingpin.Application, e *env) {
	c := &horizonStatus{}
	cmd := group(app, "horizon", horizonHelp).Command("status", "Show what Horizon says of itself in Redis, what lives here, and where the two differ.")
	cmd.HelpLong("Ends with 1 where nothing runs or the two differ. Example:\n\n  qftool horizon status shop\n")
	c.flags.declare(cmd, e)
	e.commands[cmd.FullCommand()] = c.run
}

// horizonReport is what -o json prints.
type horizonReport struct {
	Application string           `json:"application"`
	Directories []string         `json:"directories"`
	Running     bool             `json:"running"` // a master lives here, or reports from elsewhere
	Records     *horizon.Records `json:"records"` // null where they cannot be read
	Error       string           `json:"records_error,omitempty"`
	Processes   *horizon.Tree    `json:"processes"` // null where nobody says where the application lies
	Differences []string         `json:"differences"`
}

func (c *horizonStatus) run(ctx context.Context) error {
	h, err := c.flags.open()
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	r := horizonReport{Application: h.app.Slug, Directories: []string{}, Differences: []string{}}
	for _, p := range h.places {
		r.Directories = append(r.Directories, p.String())
	}
	if r.Records, err = h.records(ctx); err != nil {
		r.Error = err.Error()
	}
	if len(h.places) > 0 {
		tree, err := h.look(ctx)
		if err != nil {
			return err
		}
		r.Processes = &tree
		r.Running = len(tree.Masters) > 0
	}
	r.Running = r.Running || r.Records != nil && r.Records.Fresh()
	if r.Records != nil && r.Processes != nil {
		r.Differences = append(r.Differences, horizon.Compare(r.Records, r.Processes, host)...)
	}
	if err := c.print(&r, host); err != nil {
		return err
	}
	if !r.Running || r.Error != "" || len(r.Differences) > 0 {
		return errFound
	}
	return nil
}

var errNoRecords = errors.New("the application has no horizon in the configuration, so its records are not known")

// records reads what Horizon says of itself.
func (h *horizonOf) records(ctx context.Context) (*horizon.Records, error) {
	if h.app.Horizon == nil {
		return nil, errNoRecords
	}
	conn, _ := h.cfg.Connection(h.app.Horizon.Connection) // Load has seen to it
	client := connection.New(*conn)
	defer client.Close()
	r, err := horizon.ReadRecords(ctx, client.Redis(), h.prefixes(), time.Now())
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", conn.Name, err)
	}
	return &r, nil
}

func (c *horizonStatus) print(r *horizonReport, host string) error {
	e := c.flags.env
	if e.output == outputJSON {
		return e.printJSON(r)
	}
	if r.Error != "" {
		fmt.Fprintf(e.stderr, "qftool: %s\n", printable(e.redactor.Mask(r.Error)))
	}
	t := table{header: []string{"KIND", "NAME", "PID", "IN REDIS", "SEEN", "WORKERS SAID", "PROCESS", "WORKERS ALIVE"}}
	rows := statusRows{report: r, host: host, shown: map[int]bool{}}
	rows.recorded(&t)
	rows.living(&t)
	if len(t.rows) > 0 {
		t.write(e.stdout, e)
	} else {
		fmt.Fprintln(e.stdout, "no master, neither in Redis nor alive")
	}
	for _, difference := range r.Differences {
		fmt.Fprintf(e.stdout, "%s: %s\n", e.paint(yellow, "differs"), printable(difference))
	}
	if r.Processes == nil {
		fmt.Fprintln(e.stderr, "Processes are not looked for: give --directory")
	}
	return nil
}

// statusRows makes the table's rows.
type statusRows struct {
	report *horizonReport
	host   string
	shown  map[int]bool // processes
}

// recorded adds what is in Redis, with the processes that go with it.
func (s *statusRows) recorded(t *table) {
	if s.report.Records == nil {
		return
	}
	for _, list := range []struct {
		kind    horizon.Kind
		records []horizon.Record
	}{{horizon.Master, s.report.Records.Masters}, {horizon.Supervisor, s.report.Records.Supervisors}} {
		for i := range list.records {
			r := &list.records[i]
			state := styled(green, r.Status)
			if !r.Fresh || r.Status == "" {
				state = styled(yellow, "expired")
			}
			said, process, alive := unknown(), text("on another host"), unknown()
			if list.kind == horizon.Supervisor {
				said = number("%d", r.Workers())
			}
			if horizon.OfHost(r.Name, s.host) && s.report.Processes != nil {
				process, alive = s.process(list.kind, r)
			}
			t.add(text(string(list.kind)), text(r.Name), number("%d", r.PID), state, text(r.SeenAt.UTC().Format(time.RFC3339)), said, process, alive)
		}
	}
}

// process finds the process of a record.
func (s *statusRows) process(kind horizon.Kind, r *horizon.Record) (process, workers cell) {
	for i := range s.report.Processes.Masters {
		m := &s.report.Processes.Masters[i]
		if kind == horizon.Master && m.PID == r.PID {
			s.shown[m.PID] = true
			return styled(green, "alive"), number("%d", len(m.Workers))
		}
		for _, p := range m.Supervisors {
			if kind == horizon.Supervisor && p.Name == r.Name {
				s.shown[p.PID] = true
				return styled(green, "alive"), number("%d", workersOf(m.Workers, p.Name))
			}
		}
	}
	return styled(red, "none"), unknown()
}

func workersOf(workers []horizon.Process, supervisor string) int {
	n := 0
	for i := range workers {
		if workers[i].Name == supervisor {
			n++
		}
	}
	return n
}

// living adds the processes that Redis does not know.
func (s *statusRows) living(t *table) {
	if s.report.Processes == nil {
		return
	}
	add := func(p *horizon.Process, what cell, workers cell) {
		if !s.shown[p.PID] {
			t.add(text(string(p.Kind)), text(p.Name), number("%d", p.PID), styled(yellow, "no"), text(""), unknown(), what, workers)
		}
	}
	for i := range s.report.Processes.Masters {
		m := &s.report.Processes.Masters[i]
		add(&m.Process, styled(green, "alive"), number("%d", len(m.Workers)))
		for j := range m.Supervisors {
			add(&m.Supervisors[j], styled(green, "alive"), number("%d", workersOf(m.Workers, m.Supervisors[j].Name)))
		}
	}
	for i := range s.report.Processes.Orphans {
		add(&s.report.Processes.Orphans[i], styled(red, "orphan"), unknown())
	}
}
