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
		return app.ExitUsage
	case f.Done:
		return app.ExitOK
	}
	redactor := &logging.Redactor{}
	f.options.Redactor = redactor
	f.options.Reload = reload
	f.options.Logger = f.Logger(stderr, redactor)
	if f.Check {
		warnings, err := app.Check(f.options)
		return app.Checked{File: f.options.ConfigFile, Warnings: warnings, Err: err, Mask: redactor.Mask}.Tell(stdout, stderr)
	}
	f.options.Logger.Info("Starting", "program", app.Program, "version", version.Info(), "build_context", version.BuildContext())
	if err := app.Run(ctx, f.options); err != nil {
		// As people read it, one mistake a line, not as one long attribute.
		_, _ = fmt.Fprintln(stderr, redactor.Mask(err.Error()))
		return app.ExitFailed
	}
	f.options.Logger.Info("Stopped")
	return app.ExitOK
}
