// Command queuefleet_supervisor runs and scales the workers of every queue
// configuration that one YAML file gives to this machine.
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
	"github.com/queuefleet/queuefleet/internal/proc"
)

func main() {
	proc.RunStub() // does not return where this process is to become a worker
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// signalRoom is how many signals are kept until the supervisor acts on them.
const signalRoom = 16

func run(args []string, stdout, stderr io.Writer) int {
	// Before anything slow: a signal that comes early must neither kill nor be
	// lost.
	signals := make(chan os.Signal, signalRoom)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR2, syscall.SIGCONT)
	defer signal.Stop(signals)

	f, err := parseFlags(args, stdout)
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %v, try --help\n", app.SupervisorProgram, err)
		return app.ExitUsage
	case f.Done:
		return app.ExitOK
	}
	redactor := &logging.Redactor{}
	o := &f.options
	o.Redactor, o.Signals, o.Adopt = redactor, signals, true
	o.Logger = f.Logger(stderr, redactor)
	if f.Check {
		warnings, err := app.CheckSupervisor(*o)
		return app.Checked{File: o.ConfigFile, Warnings: warnings, Err: err, Mask: redactor.Mask}.Tell(stdout, stderr)
	}
	o.Logger.Info("Starting "+app.SupervisorProgram, "version", version.Info(), "build_context", version.BuildContext(), "name", o.Name)
	if err := app.RunSupervisor(context.Background(), *o); err != nil {
		// As people read it, one mistake a line, not as one long attribute.
		_, _ = fmt.Fprintln(stderr, redactor.Mask(err.Error()))
		return app.ExitFailed
	}
	o.Logger.Info("Stopped")
	return app.ExitOK
}
