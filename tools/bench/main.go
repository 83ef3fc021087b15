// Command bench measures what the exporter costs: against Debian's
// prometheus-redis-exporter as the peer, against a bare client as the floor,
// and against the project's targets. It starts and stops all it needs on
// 127.0.0.1 and prints one table of figures and ratios.
//
//	go run ./bench -exporter ../bin/queuefleet_exporter
//	go run ./bench -exporter ../bin/queuefleet_exporter -quick -only hung,reload
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // something could not be measured, or with -strict a target was missed
	exitUsage  = 2
)

func main() {
	if role, ok := os.LookupEnv(roleVariable); ok {
		os.Exit(play(role, os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are what the command line says.
type settings struct {
	exporter   string
	supervisor string
	peer       string
	json       string
	write      string
	profile    string
	only       []string
	quick      bool
	markdown   bool
	strict     bool
}

// part is one group of figures.
type part struct {
	name string
	text string
	run  func(context.Context, *bench) error
}

func parts() []part {
	return []part{
		{"peer", "CPU of a connection, beside the peer and the floor", runPeer},
		{"scale", "whole scrapes, memory and growth", runScale},
		{"queues", "CPU of a queue", runQueues},
		{"hung", "connections that accept and never answer", runHung},
		{"reload", "reloads", runReload},
		{"supervisor", "workers, beside Debian's supervisor", runSupervisor},
	}
}

func parseFlags(args []string, stderr io.Writer) (settings, error) {
	var s settings
	var only string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.exporter, "exporter", "../bin/queuefleet_exporter", "the exporter's binary")
	f.StringVar(&s.supervisor, "supervisor", "../bin/queuefleet_supervisor", "the supervisor's binary")
	f.StringVar(&s.peer, "peer", "prometheus-redis-exporter", "the peer's binary")
	f.StringVar(&s.json, "json", "", "also write the figures to this `file`")
	f.StringVar(&s.write, "write", "", "also put the table into this Markdown `file`, between its two marks")
	f.StringVar(&s.profile, "profile", "", "write the exporter's CPU and heap profiles to this `directory`; the figures are then a little too high")
	f.StringVar(&only, "only", "", "measure only these `parts`, comma-separated: "+partNames())
	f.BoolVar(&s.quick, "quick", false, "few rounds and small fleets: to see that it works, not to quote")
	f.BoolVar(&s.markdown, "markdown", false, "print the table as Markdown")
	f.BoolVar(&s.strict, "strict", false, "exit 1 where a target is missed")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if only != "" {
		s.only = strings.Split(only, ",")
	}
	for _, name := range s.only {
		if !slices.ContainsFunc(parts(), func(p part) bool { return p.name == name }) {
			return s, fmt.Errorf("-only: no part %q, there are %s", name, partNames())
		}
	}
	return s, nil
}

func partNames() string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return strings.Join(names, ",")
}

// bench is what the parts share.
type bench struct {
	settings
	dir    string // for whatever files are needed
	report *report
	logger *slog.Logger
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitUsage
	}
	b := &bench{settings: s, logger: slog.New(slog.NewTextHandler(stderr, nil))}
	if b.exporter, err = filepath.Abs(s.exporter); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	if b.supervisor, err = filepath.Abs(s.supervisor); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	if b.dir, err = os.MkdirTemp("", "queuefleet-bench-"); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	defer os.RemoveAll(b.dir)
	measured := b.measure(ctx)
	if err := b.publish(stdout); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	if measured != nil {
		fmt.Fprintln(stderr, "bench:", measured)
		return exitFailed
	}
	if s.strict && b.report.missed() > 0 {
		return exitFailed
	}
	return exitOK
}

// measure runs the parts. What one could not measure does not keep the others
// from it.
func (b *bench) measure(ctx context.Context) error {
	files := raiseFileLimit()
	b.report = newReport(ctx, b.settings, files)
	var errs []error
	for _, p := range parts() {
		if len(b.only) > 0 && !slices.Contains(b.only, p.name) {
			continue
		}
		start := time.Now()
		b.logger.Info("Measuring", "part", p.name, "what", p.text)
		b.report.begin(p.name, p.text)
		if err := p.run(ctx, b); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		b.logger.Info("Measured", "part", p.name, "took", time.Since(start).Round(time.Second))
		if ctx.Err() != nil {
			break
		}
	}
	b.report.finish()
	return errors.Join(errs...)
}

func (b *bench) publish(stdout io.Writer) error {
	text := b.report.table()
	if b.markdown {
		text = b.report.markdown()
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	var errs []error
	if b.json != "" {
		errs = append(errs, b.report.writeJSON(b.json))
	}
	if b.write != "" {
		errs = append(errs, b.report.writeInto(b.write))
	}
	return errors.Join(errs...)
}

// pick returns few in quick mode, else many.
func (b *bench) pick(many, few int) int {
	if b.quick {
		return few
	}
	return many
}
