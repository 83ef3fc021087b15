package main

import (
	"errors"
	"io"

	"github.com/queuefleet/queuefleet/internal/app"
)

const defaultAddress = ":10379"

// flags is what the command line says.
type flags struct {
	app.Flags
	options app.Options
}

// parseFlags reads the command line. Help and version go to stdout.
func parseFlags(args []string, stdout io.Writer) (*flags, error) {
	f := &flags{options: app.Defaults()}
	o := &f.options
	k := f.Command(app.Program, "Probes Redis connections and work queues for Prometheus.", stdout)
	f.Config(k, &o.ConfigFile, &o.AutoReload)
	k.Flag("collector.queue-ages", "Read the ages of jobs and count overdue and expired ones, beside the depths of queues.").
		Default("true").BoolVar(&o.Collect.QueueAges)
	k.Flag("collector.commandstats", "Collect statistics per command and kind of error.").BoolVar(&o.Collect.CommandStats)
	k.Flag("collector.latency", "Collect latency distributions per command and latency events.").BoolVar(&o.Collect.Latency)
	k.Flag("discovery.interval", "How often to look for queues that are configured as patterns.").
		Default(o.Collect.DiscoveryInterval.String()).DurationVar(&o.Collect.DiscoveryInterval)
	f.Web(k, &o.Web, defaultAddress, "Prometheus and browsers reach this exporter, for /sd")
	k.Flag("web.timeout-offset", "Time to take off Prometheus' scrape timeout, for the answer to arrive in time.").
		Default(o.Web.TimeoutOffset.String()).DurationVar(&o.Web.TimeoutOffset)

	if _, err := k.Parse(args); err != nil && !f.Done {
		return nil, err
	}
	if f.Done {
		return f, nil
	}
	return f, errors.Join(f.Finish(), f.checkDurations())
}

// checkDurations refuses what would silently mean something else.
func (f *flags) checkDurations() error {
	switch o := &f.options; {
	case o.Collect.DiscoveryInterval <= 0:
		return errors.New("--discovery.interval is not positive")
	case o.Web.TimeoutOffset < 0:
		return errors.New("--web.timeout-offset is negative")
	}
	return nil
}
