package main

import (
	"context"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/horizon"
)

// horizonOrphans is `qftool horizon orphans`.
type horizonOrphans struct {
	flags     horizonFlags
	terminate bool
	timeout   time.Duration
}

func configureHorizonOrphans(app *kingpin.Application, e *env) {
	c := &horizonOrphans{}
	cmd := group(app, "horizon", horizonHelp).Command("orphans", "Find supervisors and workers on this machine whose master is gone, and end them when told so.")
	cmd.HelpLong("Ends with 1 where there are some. Example:\n\n  qftool horizon orphans shop --terminate\n")
	c.flags.declare(cmd, e)
	cmd.Flag("terminate", "Tell them to finish their jobs and leave, and wait for their end.").BoolVar(&c.terminate)
	cmd.Flag("timeout", "How long to wait. Default: the longest stop_timeout and 30 s, or 5 m.").PlaceHolder("5m").DurationVar(&c.timeout)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *horizonOrphans) run(ctx context.Context) error {
	h, err := c.flags.open()
	if err != nil {
		return err
	}
	if err := h.need(); err != nil {
		return err
	}
	tree, err := h.look(ctx)
	if err != nil {
		return err
	}
	orphans := tree.Orphans
	if c.terminate && len(orphans) > 0 {
		if orphans, err = c.end(ctx, h, orphans); err != nil {
			return err
		}
	}
	if err := c.print(orphans); err != nil {
		return err
	}
	if len(orphans) > 0 {
		return errFound
	}
	return nil
}

// end tells orphans to leave, those that have started others first and these
// not at all, since they tell them by themselves. It returns what still lives
// when the time is over.
func (c *horizonOrphans) end(ctx context.Context, h *horizonOf, orphans []horizon.Process) ([]horizon.Process, error) {
	tree := horizon.Tree{Orphans: orphans}
	for _, p := range tree.Heads() {
		fmt.Fprintf(c.flags.env.stderr, "%s %d is told to terminate\n", p.Kind, p.PID)
		if err := signalProcess(&p); err != nil {
			return nil, err
		}
	}
	deadline := time.Now().Add(h.patience(c.timeout))
	pause := 20 * time.Millisecond
	for {
		var living []horizon.Process
		for _, p := range orphans {
			is, err := horizon.Alive(p.ID)
			if err != nil {
				return nil, err
			}
			if is {
				living = append(living, p)
			}
		}
		if len(living) == 0 || time.Now().After(deadline) {
			return living, nil
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, time.Second/2)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *horizonOrphans) print(orphans []horizon.Process) error {
	e := c.flags.env
	if e.output == outputJSON {
		if orphans == nil {
			orphans = []horizon.Process{}
		}
		return e.printJSON(orphans)
	}
	if len(orphans) == 0 {
		fmt.Fprintln(e.stdout, "no orphans")
		return nil
	}
	t := table{header: []string{"PID", "KIND", "SUPERVISOR", "QUEUES", "USER", "STARTED", "DIRECTORY"}}
	for i := range orphans {
		p := &orphans[i]
		t.add(number("%d", p.PID), text(string(p.Kind)), text(p.Name), text(p.Queues), number("%d", p.User),
			text(p.Started.UTC().Format(time.RFC3339)), text(p.Dir))
	}
	t.write(e.stdout, e)
	return nil
}
