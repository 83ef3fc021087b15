package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/sync/errgroup"

	"github.com/queuefleet/queuefleet/internal/app"
	"github.com/queuefleet/queuefleet/internal/demo"
	"github.com/queuefleet/queuefleet/internal/logging"
)

// discoverEvery is how often new tenants are looked for: often, since there
// are few keys to go through.
const discoverEvery = 5 * time.Second

// demoCommand is `qftool demo`.
type demoCommand struct {
	env       *env
	listen    string
	workers   string // where the supervisor listens
	dir       string
	addresses []string
	speed     float64
	logLevel  string
	stack     demoStack
}

// configureDemo declares `demo`.
func configureDemo(app *kingpin.Application, e *env) {
	c := &demoCommand{env: e}
	cmd := app.Command("demo", "Run the exporter, and a supervisor with workers, against a small fleet with jobs in motion. Needs nothing else; Ctrl-C stops and removes all of it.")
	cmd.Flag("web.listen-address", "Where the exporter listens.").Default("127.0.0.1:10379").StringVar(&c.listen)
	cmd.Flag("supervisor.listen-address", "Where the supervisor listens. Workers run on Linux only.").Default("127.0.0.1:10380").StringVar(&c.workers)
	cmd.Flag("dir", "Keep the configuration in this directory instead of a temporary one.").StringVar(&c.dir)
	cmd.Flag("redis.address", "Use this redis-server, which must not ask for a password, instead of an embedded one. Repeatable; the demo's keys are deleted at the end.").StringsVar(&c.addresses)
	cmd.Flag("speed", "How much faster than life jobs come and go, 0.1 to 20.").Default("1").Float64Var(&c.speed)
	c.stack.configure(cmd)
	cmd.Flag("log.level", "Least level of what the programs log.").Default("warn").EnumVar(&c.logLevel, "debug", "info", "warn", "error")
	e.commands[cmd.FullCommand()] = c.run
}

func (c *demoCommand) run(ctx context.Context) (err error) {
	if c.speed < demo.MinSpeed || c.speed > demo.MaxSpeed {
		return usageError(fmt.Sprintf("--speed must be within %g and %g", demo.MinSpeed, float64(demo.MaxSpeed)))
	}
	// Caught before anything slow, so that an early wish to reload does not kill.
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)

	worker, as, err := demoWorkers(c.env.program)
	if err != nil {
		return err
	}
	listener, err := listenFor(ctx, "web", c.listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // app.Run has closed it, where it got that far
	var supervised net.Listener
	if len(worker) > 0 {
		if supervised, err = listenFor(ctx, "supervisor", c.workers); err != nil {
			return err
		}
		defer func() { _ = supervised.Close() }()
	}
	if c.stack.wanted {
		if err := c.stack.reserve(ctx); err != nil {
			return err
		}
	}
	dir, remove, err := c.directory()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	level, err := logging.ParseLevel(c.logLevel)
	if err != nil {
		return err
	}
	logger := logging.New(c.env.stderr, logging.Options{Level: level, Redactor: c.env.redactor})
	fleet, err := demo.New(ctx, demo.Options{Logger: logger, Dir: dir, Addresses: c.addresses, Speed: c.speed, Worker: worker, User: as})
	if err != nil {
		return interruptedOr(ctx, err)
	}
	defer func() { err = errors.Join(err, fleet.Close()) }()
	stack, err := c.stackIn(ctx, dir, listener, supervised)
	if err != nil {
		return err
	}
	o := c.options(fleet, listener, supervised)
	o.Reload, o.Logger = reload, logger
	return interruptedOr(ctx, serve(ctx, fleet, stack, o, supervised))
}

// options are those of the exporter.
func (c *demoCommand) options(fleet *demo.Fleet, listener, supervised net.Listener) app.Options {
	o := app.Defaults()
	o.ConfigFile, o.Redactor = fleet.Config(), c.env.redactor
	workers := ""
	if supervised != nil {
		workers = "http://" + supervised.Addr().String()
	}
	o.Started = func() { c.introduce(fleet, "http://"+listener.Addr().String(), workers) }
	o.Collect.DiscoveryInterval = discoverEvery
	o.Web.Listeners, o.Web.EnableLifecycle = []net.Listener{listener}, true
	return o
}

// interruptedOr drops the error of something that ended because it was told to.
func interruptedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// serve runs the exporter, the supervisor where it has a listener and the stack
// where there is one, and moves the jobs until ctx ends.
func serve(ctx context.Context, fleet *demo.Fleet, stack *demo.Stack, o app.Options, supervised net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	if stack != nil {
		g.Go(func() error { return stack.Run(ctx) })
	}
	g.Go(func() error { return app.Run(ctx, o) })
	g.Go(func() error { return fleet.Run(ctx) })
	if supervised != nil {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGHUP)
		defer signal.Stop(signals)
		s := app.SupervisorDefaults()
		s.ConfigFile, s.Name, s.Logger, s.Redactor, s.Signals = o.ConfigFile, "demo", o.Logger, o.Redactor, signals
		s.Web.Listeners, s.Web.EnableLifecycle = []net.Listener{supervised}, true
		s.Web.ControlSocket = controlSocket(fleet)
		g.Go(func() error { return app.RunSupervisor(ctx, s) })
	}
	return g.Wait()
}

// controlSocket is where the demo's supervisor takes orders.
func controlSocket(fleet *demo.Fleet) string {
	return filepath.Join(filepath.Dir(fleet.Config()), "supervisor.sock")
}

// listenFor opens a port, before anything else is started. flag is the first
// word of the flag that names it.
func listenFor(ctx context.Context, flag, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken: stop what listens there, or choose another by --%s.listen-address (port 0 takes any free one)", address, flag)
	case err != nil:
		return nil, fmt.Errorf("--%s.listen-address: %w", flag, err)
	default:
		return listener, nil
	}
}

// directory returns where the configuration goes and how to remove it again.
func (c *demoCommand) directory() (string, func() error, error) {
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "queuefleet-demo-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	dir, err := filepath.Abs(c.dir) // the paths in the configuration are relative to it
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	return dir, func() error { return nil }, err
}

// introduction is what -o json prints.
type introduction struct {
	URL     string        `json:"url"`
	Workers string        `json:"supervisor_url,omitempty"`
	Metrics string        `json:"prometheus_url,omitempty"`
	Alerts  string        `json:"alertmanager_url,omitempty"`
	Config  string        `json:"config_file"`
	PID     int           `json:"pid"`
	Servers []demo.Server `json:"servers"`
}

// introduce tells where everything is and what to try.
func (c *demoCommand) introduce(fleet *demo.Fleet, url, workers string) {
	if c.env.output == outputJSON {
		i := introduction{URL: url, Workers: workers, Config: fleet.Config(), PID: os.Getpid(), Servers: fleet.Servers()}
		if c.stack.wanted {
			i.Metrics, i.Alerts = "http://"+c.stack.prometheus, "http://"+c.stack.alertmanager
		}
		_ = c.env.printJSON(i)
		return
	}
	w := c.env.stdout
	fmt.Fprintf(w, "%s Ctrl-C stops and removes all of it.\n\n", c.env.paint(bold, "The demo is running."))
	fmt.Fprintf(w, "  %-14s %s/\n  %-14s %s\n", "exporter", url, "configuration", fleet.Config())
	if workers != "" {
		fmt.Fprintf(w, "  %-14s %s/workers\n", "supervisor", workers)
	}
	c.introduceStack()
	for _, s := range fleet.Servers() {
		note := ""
		if s.Down {
			note = "  (nobody listens there, on purpose)"
		}
		fmt.Fprintf(w, "  %-14s %s%s\n", "redis "+s.Connection, s.Address, note)
	}
	fmt.Fprintf(w, "\nTry:\n")
	tries := []string{
		"curl -s " + url + "/metrics | grep redis_queue_jobs",
		c.env.program + " --config.file=" + fleet.Config() + " queues list",
		c.env.program + " --config.file=" + fleet.Config() + " connections test",
		"a browser at " + url + "/connections",
		fmt.Sprintf("change the configuration, then: kill -HUP %d  or: curl -X POST %s/-/reload", os.Getpid(), url),
	}
	if workers != "" {
		tries = append(tries,
			c.env.program+" pools list --url="+workers,
			c.env.program+" pools scale --processes=8 --wait --socket="+controlSocket(fleet)+" shop",
		)
	}
	for _, line := range tries {
		fmt.Fprintf(w, "  %s\n", line)
	}
}
