package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// workersList is `qftool workers list`.
type workersList struct {
	env          *env
	supervisors  supervisorFlags
	pools        []string
	applications []string
	states       []string
}

// configureWorkersList declares `workers list`.
func configureWorkersList(app *kingpin.Application, e *env) {
	c := &workersList{env: e}
	cmd := group(app, "workers", "Look at the workers of running supervisors.").Command("list", "List workers with what they do.")
	c.supervisors.declare(cmd)
	cmd.Flag("application", "Only workers of these applications. Repeatable.").StringsVar(&c.applications)
	cmd.Flag("state", "Only workers in these states. Repeatable.").EnumsVar(&c.states, "starting", "running", "stopping", "backoff")
	cmd.Arg("pool", "Only workers of these pools.").StringsVar(&c.pools)
	e.commands[cmd.FullCommand()] = c.run
}

// workerView is what is printed of a worker.
type workerView struct {
	Pool      string    `json:"pool"`
	Slot      int       `json:"slot"`
	PID       int       `json:"pid"`
	State     string    `json:"state"`
	Paused    bool      `json:"paused"`
	Queues    []string  `json:"queues"`
	StartedAt time.Time `json:"started_at"`
	Busy      *bool     `json:"busy"`
	Job       string    `json:"job"`
	Jobs      uint64    `json:"jobs"`
	RSS       uint64    `json:"rss_bytes"`
	Restarts  int       `json:"restarts"`
	LastExit  string    `json:"last_exit"`
}

func unmarshal(text []byte, into any) error {
	return json.NewDecoder(bytes.NewReader(text)).Decode(into)
}

func (c *workersList) run(ctx context.Context) error {
	clients, err := c.supervisors.open()
	if err != nil {
		return err
	}
	params := url.Values{"pool": c.pools, "application": c.applications, "state": c.states}
	var errs []error
	raw := []json.RawMessage{}
	for _, client := range clients {
		var list []json.RawMessage
		if err := client.call(ctx, http.MethodGet, "/api/v1/workers?"+params.Encode(), &list); err != nil {
			errs = append(errs, err)
			continue
		}
		for _, object := range list {
			raw = append(raw, withSupervisor(object, client.name))
		}
	}
	if c.env.output == outputJSON {
		errs = append(errs, c.env.printJSON(raw))
	} else {
		errs = append(errs, c.print(raw))
	}
	return errors.Join(errs...)
}

func (c *workersList) print(raw []json.RawMessage) error {
	t := table{header: []string{"WORKER", "STATE", "PID", "STARTED", "JOBS", "MEMORY", "RESTARTS", "LAST END", "QUEUES", "JOB"}}
	for _, object := range raw {
		var w workerView
		if err := unmarshal(object, &w); err != nil {
			return err
		}
		state := w.State
		if w.Paused {
			state += ", paused"
		}
		started, pid, memory := unknown(), unknown(), unknown()
		if !w.StartedAt.IsZero() {
			started = text(w.StartedAt.Local().Format(time.DateTime))
		}
		if w.PID != 0 {
			pid = number("%d", w.PID)
		}
		if w.RSS != 0 {
			memory = number("%d MiB", w.RSS>>20)
		}
		t.add(text(fmt.Sprintf("%s/%d", w.Pool, w.Slot)), text(state), pid, started, number("%d", w.Jobs), memory,
			number("%d", w.Restarts), text(w.LastExit), text(strings.Join(w.Queues, ",")), text(w.Job))
	}
	if len(raw) > 0 {
		t.write(c.env.stdout, c.env)
	}
	fmt.Fprintln(c.env.stderr, count(len(raw), "worker"))
	return nil
}
