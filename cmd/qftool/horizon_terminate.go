package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/generate/php"
	"github.com/queuefleet/queuefleet/internal/horizon"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// horizonEnd is what terminate and reload have in common.
type horizonEnd struct {
	flags   horizonFlags
	exec    string
	wait    bool
	timeout time.Duration

	told    []horizon.Process
	waiting string // who was last said to be waited for
}

func (c *horizonEnd) declare(cmd *kingpin.CmdClause, e *env) {
	c.flags.declare(cmd, e)
	cmd.Flag("exec", "Tell it by this command, run by sh in the application's directory, in place of a signal: for a master that is somebody else's.").
		PlaceHolder("COMMAND").StringVar(&c.exec)
	cmd.Flag("wait", "Wait until none of its processes lives any more, whatever Redis says.").Default("true").BoolVar(&c.wait)
	cmd.Flag("timeout", "How long to wait. Default: the longest stop_timeout and 30 s, or 5 m.").PlaceHolder("5m").DurationVar(&c.timeout)
}

// horizonTerminate is `qftool horizon terminate`.
type horizonTerminate struct{ horizonEnd }

func configureHorizonTerminate(app *kingpin.Application, e *env) {
	c := &horizonTerminate{}
	cmd := group(app, "horizon", horizonHelp).Command("terminate", "Tell a Horizon on this machine to finish its jobs and leave, and wait for its real end.")
	cmd.HelpLong("Its masters get one signal each. Examples:\n\n  qftool horizon terminate shop\n" +
		"  qftool horizon terminate shop --exec='php artisan horizon:terminate' --timeout=10m\n")
	c.declare(cmd, e)
	e.commands[cmd.FullCommand()] = c.run
}

// horizonOutcome is what -o json prints of terminate and reload.
type horizonOutcome struct {
	Application string            `json:"application"`
	Stage       horizon.Stage     `json:"stage"` // done, refused or overdue; leaving where nobody waits
	Changed     *bool             `json:"changed,omitempty"`
	Told        []horizon.Process `json:"told"`
	Living      []horizon.Process `json:"living"`  // of the old Horizon
	Overlap     bool              `json:"overlap"` // somebody started another one before the old one had ended
	Orphans     []horizon.Process `json:"orphans"` // of earlier ones
}

func (c *horizonTerminate) run(ctx context.Context) error {
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
	if c.exec != "" && len(tree.Masters) == 0 {
		fmt.Fprintln(c.flags.env.stderr, "no master can be seen here; the command is run, and what comes of it cannot be seen either")
		return runShell(ctx, c.flags.env, h.directory(), c.exec)
	}
	r, err := c.carry(ctx, h, horizon.Wish{}, horizon.Hands{})
	if err != nil {
		return err
	}
	return c.report(r)
}

// errNotAwaited ends a sequence whose rest nobody wants to see.
var errNotAwaited = errors.New("not awaited")

// carry carries out a wish.
func (c *horizonEnd) carry(ctx context.Context, h *horizonOf, w horizon.Wish, hands horizon.Hands) (*horizonOutcome, error) {
	w.Deadline = time.Now().Add(h.patience(c.timeout))
	hands.Look = h.look
	hands.Tell = func(ctx context.Context, masters []horizon.Process) error { return c.tell(ctx, h, masters) }
	hands.Report = c.say
	stage, err := horizon.Carry(ctx, w, hands)
	r := &horizonOutcome{
		Application: h.app.Slug, Stage: stage.Stage, Told: c.told, Living: stage.Living, Overlap: stage.Overlap, Orphans: []horizon.Process{},
	}
	if errors.Is(err, errNotAwaited) {
		r.Stage, err = horizon.Leaving, nil
	}
	if err != nil {
		return nil, err
	}
	tree, err := h.look(ctx)
	if err != nil {
		return nil, err
	}
	r.Orphans = append(r.Orphans, tree.Orphans...)
	for _, list := range []*[]horizon.Process{&r.Told, &r.Living} {
		if *list == nil {
			*list = []horizon.Process{}
		}
	}
	return r, nil
}

// tell has the masters leave.
func (c *horizonEnd) tell(ctx context.Context, h *horizonOf, masters []horizon.Process) error {
	c.told = masters
	if c.exec != "" {
		fmt.Fprintf(c.flags.env.stderr, "%s is told to terminate by the command\n", listed("master", masters))
		if err := runShell(ctx, c.flags.env, h.directory(), c.exec); err != nil {
			return fmt.Errorf("--exec: %w", err)
		}
	}
	for _, m := range masters {
		if c.exec != "" {
			break
		}
		fmt.Fprintf(c.flags.env.stderr, "%s is told to terminate\n", listed("master", []horizon.Process{m}))
		if err := signalProcess(&m); err != nil {
			return err
		}
	}
	if !c.wait {
		return errNotAwaited
	}
	return nil
}

// signalProcess tells a process to leave. One that has left is told enough.
func signalProcess(p *horizon.Process) error {
	err := horizon.Signal(p.ID, syscall.SIGTERM)
	switch {
	case errors.Is(err, horizon.ErrGone):
		return nil
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("process %d belongs to user %d: run this as that user or as root, or give --exec", p.PID, p.User)
	case err != nil:
		return fmt.Errorf("process %d: %w", p.PID, err)
	}
	return nil
}

func listed(noun string, list []horizon.Process) string {
	switch {
	case len(list) == 1:
	case strings.HasSuffix(noun, "s"):
		noun += "es"
	default:
		noun += "s"
	}
	return noun + " " + numbered(list)
}

// say tells how far it is, a line for each change.
func (c *horizonEnd) say(step horizon.Step) {
	if step.Act == horizon.Start {
		fmt.Fprintln(c.flags.env.stderr, "a new master is started")
	}
	if len(step.Living) == 0 || step.Act != horizon.Wait {
		return
	}
	if now := numbered(step.Living); now != c.waiting {
		c.waiting = now
		fmt.Fprintf(c.flags.env.stderr, "waiting for %s\n", listed("process", step.Living))
	}
}

// report says how it came out.
func (c *horizonEnd) report(r *horizonOutcome) error {
	e := c.flags.env
	if e.output == outputJSON {
		if err := e.printJSON(r); err != nil {
			return err
		}
	} else {
		switch {
		case r.Stage == horizon.Overdue && len(r.Living) > 0:
			fmt.Fprintf(e.stdout, "still alive: %s\n", listed("process", r.Living))
		case r.Stage == horizon.Overdue:
			fmt.Fprintln(e.stdout, "no new master in time")
		case r.Stage == horizon.Leaving:
			fmt.Fprintln(e.stdout, "told, and not waited for")
		case len(r.Told) == 0 && r.Changed == nil:
			fmt.Fprintln(e.stdout, "no master lives here")
		default:
			fmt.Fprintln(e.stdout, "done")
		}
		if r.Overlap {
			fmt.Fprintln(e.stdout, "another master was started before the last process of the old one had ended")
		}
		if len(r.Orphans) > 0 {
			fmt.Fprintf(e.stdout, "left by earlier ones: %s; see qftool horizon orphans %s\n", listed("process", r.Orphans), r.Application)
		}
	}
	if r.Stage == horizon.Overdue || r.Stage == horizon.Refused {
		return errFound
	}
	return nil
}

// runShell runs a command line to its end, with qftool's own environment. What
// it writes is shown.
func runShell(ctx context.Context, e *env, dir, line string) (err error) {
	processes, err := php.NewProcesses()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, processes.Close()) }()
	variables := map[string]string{}
	for _, entry := range os.Environ() {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			variables[name] = value
		}
	}
	environment, err := proc.NewEnv(variables)
	if err != nil {
		return err
	}
	exit, err := processes.Run(ctx, proc.Launch{
		Name:    "command",
		Spec:    proc.Spec{Path: "/bin/sh", Args: []string{"sh", "-c", line}, Dir: dir, Env: environment, User: self()},
		Observe: func(l proc.Line) { fmt.Fprintln(e.stderr, printable(e.redactor.Mask(l.Text))) },
	})
	switch {
	case err != nil:
		return err
	case exit == nil || exit.Status != 0:
		return fmt.Errorf("%q failed", line)
	}
	return nil
}

// self is this program's own user, which is what runs a command of its user's.
func self() *proc.Identity {
	id := &proc.Identity{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	groups, err := os.Getgroups()
	if err != nil {
		return id
	}
	for _, g := range groups {
		id.Groups = append(id.Groups, uint32(g))
	}
	return id
}
