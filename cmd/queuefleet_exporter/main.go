// Command queuefleet_exporter probes every Redis connection and every work
// queue that one YAML file names, and serves what it finds to Prometheus.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/common/version"

	"github.com/queuefleet/queuefleet/internal/app"
	"github.com/queuefleet/queuefleet/internal/logging"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the configuration has mistakes, or something stopped working
	exitUsage  = 2
)

func run(args []string, stdout, stderr io.Writer) int {
	// Before anything slow: a SIGHUP that comes early must neither kill nor be
	// lost. One is kept until the exporter can act on it.
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal kills

	f, err := parseFlags(args, stdout)
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %v, try --help\n", app.Program, err)
		return exitUsage
	case f.done:
		return exitOK
	}
	redactor := &logging.Redactor{}
	f.options.Redactor = redactor
	f.options.Reload = reload
	f.options.Logger = logging.New(stderr, logging.Options{Level: f.level, Format: f.format, Redactor: redactor})
	if f.check {
		return check(f.options, stdout, stderr)
	}
	f.options.Logger.Info("Starting", "program", app.Program, "version", version.Info(), "build_context", version.BuildContext())
	if err := app.Run(ctx, f.options); err != nil {
		// As people read it, one mistake a line, not as one long attribute.
		_, _ = fmt.Fprintln(stderr, redactor.Mask(err.Error()))
		return exitFailed
	}
	f.options.Logger.Info("Stopped")
	return exitOK
}

// check is --config.check.
func check(o app.Options, stdout, stderr io.Writer) int {
	warnings, err := app.Check(o)
	for _, warning := range warnings {
		_, _ = fmt.Fprintln(stderr, o.Redactor.Mask("warning: "+warning.String()))
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, o.Redactor.Mask(err.Error()))
		return exitFailed
	}
	_, _ = fmt.Fprintf(stdout, "%s is valid\n", o.ConfigFile)
	return exitOK
}
