package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/queuefleet/queuefleet/internal/app"
	"github.com/queuefleet/queuefleet/internal/logging"
)

const defaultAddress = ":10379"

// flags is what the command line says.
type flags struct {
	options app.Options
	check   bool
	level   slog.Level
	format  string
	done    bool // --help or --version was all there was to do
}

// parseFlags reads the command line. Help and version go to stdout.
func parseFlags(args []string, stdout io.Writer) (*flags, error) {
	f := &flags{options: app.Defaults()}
	o := &f.options
	k := kingpin.New(app.Program, "Probes Redis connections and work queues for Prometheus.")
	k.UsageWriter(stdout)
	k.ErrorWriter(stdout)
	k.Terminate(func(int) { f.done = true })
	k.HelpFlag.Short('h')
	k.Version(version.Print(app.Program))

	k.Flag("config.file", "Configuration file.").Default(o.ConfigFile).StringVar(&o.ConfigFile)
	k.Flag("config.check", "Check the configuration, say what is wrong, and exit.").BoolVar(&f.check)
	k.Flag("config.auto-reload-interval", "How often to look for changes of the configuration and of every file that it refers to. 0 = never.").
		Default("0s").DurationVar(&o.AutoReload)
	level := k.Flag("log.level", "Least level to log: debug, info, warn or error.").Default("info").Enum("debug", "info", "warn", "error")
	k.Flag("log.format", "Format of log lines: logfmt or json.").Default(logging.FormatLogfmt).
		EnumVar(&f.format, logging.FormatLogfmt, logging.FormatJSON)

	k.Flag("collector.queue-ages", "Read the ages of jobs and count overdue and expired ones, beside the depths of queues.").
		Default("true").BoolVar(&o.Collect.QueueAges)
	k.Flag("collector.commandstats", "Collect statistics per command and kind of error.").BoolVar(&o.Collect.CommandStats)
	k.Flag("collector.latency", "Collect latency distributions per command and latency events.").BoolVar(&o.Collect.Latency)
	k.Flag("discovery.interval", "How often to look for queues that are configured as patterns.").
		Default(o.Collect.DiscoveryInterval.String()).DurationVar(&o.Collect.DiscoveryInterval)

	o.Web.Toolkit = kingpinflag.AddFlags(k, defaultAddress)
	external := k.Flag("web.external-url", "URL under which Prometheus and browsers reach this exporter, for /sd. Empty = as a request says.").
		PlaceHolder("URL").String()
	k.Flag("web.timeout-offset", "Time to take off Prometheus' scrape timeout, for the answer to arrive in time.").
		Default(o.Web.TimeoutOffset.String()).DurationVar(&o.Web.TimeoutOffset)
	k.Flag("web.enable-lifecycle", "Allow POST and PUT on /-/reload over TCP.").BoolVar(&o.Web.EnableLifecycle)
	k.Flag("web.enable-admin-api", "Allow other writes over TCP, for users that --web.config.file verifies.").BoolVar(&o.Web.EnableAdminAPI)
	k.Flag("web.enable-pprof", "Serve profiles of the Go runtime under /debug/pprof/.").BoolVar(&o.Web.EnablePprof)
	k.Flag("web.control-socket", "Unix socket of mode 0600 over which every write is allowed. Empty = none.").
		PlaceHolder("PATH").StringVar(&o.Web.ControlSocket)

	if _, err := k.Parse(args); err != nil && !f.done {
		return nil, err
	}
	if f.done {
		return f, nil
	}
	var errs []error
	var err error
	if f.level, err = logging.ParseLevel(*level); err != nil {
		errs = append(errs, err)
	}
	if o.Web.ExternalURL, err = parseExternalURL(*external); err != nil {
		errs = append(errs, fmt.Errorf("--web.external-url: %w", err))
	}
	return f, errors.Join(append(errs, f.checkDurations())...)
}

// checkDurations refuses what would silently mean something else.
func (f *flags) checkDurations() error {
	switch o := &f.options; {
	case o.AutoReload < 0:
		return errors.New("--config.auto-reload-interval is negative")
	case o.Collect.DiscoveryInterval <= 0:
		return errors.New("--discovery.interval is not positive")
	case o.Web.TimeoutOffset < 0:
		return errors.New("--web.timeout-offset is negative")
	}
	return nil
}

func parseExternalURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("not a URL") // the parser's own error repeats it, with a password that may be in it
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("give a URL such as https://exporter.example:10379/prefix, without user, query or fragment")
	}
	return u, nil
}
