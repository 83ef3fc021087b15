package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/generate/laravel"
	"github.com/queuefleet/queuefleet/internal/horizon"
)

// horizonReload is `qftool horizon reload`.
type horizonReload struct {
	horizonEnd
	out     string
	options laravel.Options
	php     phpFlags
	start   string
	await   bool
	always  bool
}

func configureHorizonReload(app *kingpin.Application, e *env) {
	c := &horizonReload{}
	cmd := group(app, "horizon", horizonHelp).Command("reload", "Generate Horizon's files, have PHP check them, and where they have changed, or Horizon is older, replace it.")
	cmd.HelpLong("Nothing is touched where the new files are not right. Who started the old Horizon starts the new one, or --start does. Example:\n\n" +
		"  qftool horizon reload shop --out=config/queuefleet --start='systemctl start shop-horizon'\n")
	c.declare(cmd, e)
	cmd.Flag("out", "Directory of the files. Default: worker.generate.").PlaceHolder("DIR").StringVar(&c.out)
	cmd.Flag("environment", "Take the connections of this environment.").StringVar(&c.options.Environment)
	cmd.Flag("client", "Redis client of the application: phpredis or predis.").Default(laravel.PhpRedis).EnumVar(&c.options.Client, laravel.PhpRedis, laravel.Predis)
	cmd.Flag("start", "Start the new one by this command, run by sh in the application's directory, once the old one has ended. What it leaves in its own session ends with it.").PlaceHolder("COMMAND").StringVar(&c.start)
	cmd.Flag("await", "Wait until a new master lives.").BoolVar(&c.await)
	cmd.Flag("always", "Replace it also where no file has changed.").BoolVar(&c.always)
	c.php.declare(cmd)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *horizonReload) run(ctx context.Context) error {
	h, err := c.flags.open()
	if err != nil {
		return err
	}
	if c.start != "" && !c.wait {
		return usageError("--start goes with --wait: a second Horizon would be started beside the first")
	}
	if err := errors.Join(h.need(), c.place(h)); err != nil {
		return err
	}
	changed := false
	wish := horizon.Wish{Prepare: true, Always: c.always, Start: c.start != "", Await: c.await}
	r, err := c.carry(ctx, h, wish, horizon.Hands{
		Prepare: func(ctx context.Context) (bool, error) {
			changed, err = c.prepare(ctx, h)
			return changed, err
		},
		Start: func(ctx context.Context) error {
			if err := runShell(ctx, c.flags.env, h.directory(), c.start); err != nil {
				return fmt.Errorf("--start: %w", err)
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	r.Changed = &changed
	if !changed && !c.always && c.flags.env.output != outputJSON {
		return c.leave(ctx, h)
	}
	return c.report(r)
}

// leave says why nothing was done: what does not live runs with no files.
func (c *horizonReload) leave(ctx context.Context, h *horizonOf) error {
	tree, err := h.look(ctx)
	if err != nil {
		return err
	}
	text := "Horizon runs with the present files and is left alone"
	if len(tree.Masters) == 0 {
		text = "no file has changed, and no master lives here; --always with --start starts one"
	}
	fmt.Fprintln(c.flags.env.stdout, text)
	return nil
}

// place finds out where the files belong.
func (c *horizonReload) place(h *horizonOf) error {
	if c.out != "" {
		return nil
	}
	for _, q := range h.queues {
		if q.Worker.Generate == "" {
			continue
		}
		if c.out != "" && c.out != q.Worker.Generate {
			return usageError("the queue configurations have several values of worker.generate: give --out")
		}
		c.out = q.Worker.Generate
	}
	if c.out == "" {
		return usageError("where do the files belong? Give --out, or worker.generate in the configuration")
	}
	return nil
}

// prepare makes the files, has them checked and puts them into place.
func (c *horizonReload) prepare(ctx context.Context, h *horizonOf) (changed bool, err error) {
	plan, err := laravel.New(h.cfg, h.app.Slug, c.options)
	if err != nil {
		return false, oneLine(err)
	}
	files, err := plan.Render(laravel.SourceOf(h.cfg, c.flags.env.configFile), laravel.FormatPHP)
	if err != nil {
		return false, err
	}
	for _, w := range plan.Warnings {
		fmt.Fprintf(c.flags.env.stderr, "%s: %s\n", c.flags.env.paint(yellow, "warning"), printable(w))
	}
	changes, err := compareAsOwner(c.out, "", files, c.flags.env.redactor.Mask)
	if err != nil {
		return false, err
	}
	if err := laravel.Refused(changes); err != nil {
		return false, oneLine(err)
	}
	for _, change := range changes {
		changed = changed || change.State != laravel.Unchanged
	}
	if !changed {
		return c.older(ctx, h, changes)
	}
	if err := c.verify(ctx, files); err != nil {
		return false, err
	}
	if err := applyAsOwner("", changes); err != nil {
		return false, err
	}
	for _, change := range changes {
		if change.State != laravel.Unchanged {
			fmt.Fprintf(c.flags.env.stderr, "%s was written\n", change.Path)
		}
	}
	return true, nil
}

// older reports whether a Horizon runs that was started before its files were
// written, as by generate laravel. A process's start is known to a second.
func (c *horizonReload) older(ctx context.Context, h *horizonOf, changes []laravel.Change) (bool, error) {
	tree, err := h.look(ctx)
	if err != nil {
		return false, err
	}
	for _, change := range changes {
		info, err := os.Stat(change.Path)
		if err != nil {
			return false, err
		}
		for i := range tree.Masters {
			if m := &tree.Masters[i]; info.ModTime().After(m.Started.Add(time.Second)) {
				fmt.Fprintf(c.flags.env.stderr, "master %d was started before %s was written\n", m.PID, change.Path)
				return true, nil
			}
		}
	}
	return false, nil
}

func (c *horizonReload) verify(ctx context.Context, files []laravel.File) (err error) {
	p, missing, end, err := c.php.interpreter()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if p == nil {
		if missing != "" {
			fmt.Fprintf(c.flags.env.stderr, "%s: the files are not verified: %s\n", c.flags.env.paint(yellow, "warning"), missing)
		}
		return nil
	}
	return laravel.Verify(ctx, p, files)
}

// oneLine is a joined error on one line.
func oneLine(err error) error { return errors.New(strings.ReplaceAll(err.Error(), "\n", "; ")) }
