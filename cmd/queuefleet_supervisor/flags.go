package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/url"
	"os"
	"strconv"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/queuefleet/queuefleet/internal/app"
	"github.com/queuefleet/queuefleet/internal/logging"
)

const defaultAddress = ":10380"

// flags is what the command line says.
type flags struct {
	options app.SupervisorOptions
	check   bool
	level   slog.Level
	format  string
	done    bool // --help or --version was all there was to do
}

// parseFlags reads the command line. Help and version go to stdout.
func parseFlags(args []string, stdout io.Writer) (*flags, error) {
	f := &flags{options: app.SupervisorDefaults()}
	o := &f.options
	k := kingpin.New(app.SupervisorProgram, "Runs and scales the workers of queues.")
	k.UsageWriter(stdout)
	k.ErrorWriter(stdout)
	k.Terminate(func(int) { f.done = true })
	k.HelpFlag.Short('h')
	k.Version(version.Print(app.SupervisorProgram))

	k.Flag("config.file", "Configuration file.").Default(o.ConfigFile).StringVar(&o.ConfigFile)
	k.Flag("config.check", "Check the configuration, say what is wrong, and exit.").BoolVar(&f.check)
	k.Flag("config.auto-reload-interval", "How often to look for changes of the configuration and of every file that it refers to. 0 = never.").
		Default("0s").DurationVar(&o.AutoReload)
	level := k.Flag("log.level", "Least level to log: debug, info, warn or error.").Default("info").Enum("debug", "info", "warn", "error")
	k.Flag("log.format", "Format of log lines: logfmt or json.").Default(logging.FormatLogfmt).
		EnumVar(&f.format, logging.FormatLogfmt, logging.FormatJSON)

	k.Flag("supervisor.name", "Name that hosts in the configuration are matched with. Default: the machine's host name.").StringVar(&o.Name)
	k.Flag("observe", "Decide how many workers there should be and export it, but start nothing.").BoolVar(&o.Observe)
	k.Flag("supervisor.start-rate", "How many workers are started a second over all pools, after a burst of 50. 0 = unlimited.").
		Default(strconv.FormatFloat(o.StartRate, 'g', -1, 64)).Float64Var(&o.StartRate)
	k.Flag("state.dir", "Existing directory in which paused pools are remembered over a restart. Empty = they are not.").
		PlaceHolder("DIR").StringVar(&o.StateDir)
	k.Flag("shutdown.mode", "What SIGTERM does: drain = workers finish their jobs, then the supervisor ends.").Default("drain").Enum("drain")

	o.Web.Toolkit = kingpinflag.AddFlags(k, defaultAddress)
	external := k.Flag("web.external-url", "URL under which browsers reach this supervisor. Empty = as a request says.").PlaceHolder("URL").String()
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
	return f, f.finish(*level, *external)
}

// finish fills in what does not come from a flag alone, and refuses what would
// silently mean something else.
func (f *flags) finish(level, external string) error {
	o := &f.options
	var errs []error
	var err error
	if f.level, err = logging.ParseLevel(level); err != nil {
		errs = append(errs, err)
	}
	if o.Web.ExternalURL, err = parseExternalURL(external); err != nil {
		errs = append(errs, fmt.Errorf("--web.external-url: %w", err))
	}
	if o.AutoReload < 0 {
		errs = append(errs, errors.New("--config.auto-reload-interval is negative"))
	}
	if !(o.StartRate >= 0) || math.IsInf(o.StartRate, 0) { // not a number is neither
		errs = append(errs, errors.New("--supervisor.start-rate is not a number of workers a second"))
	}
	if o.StateDir != "" {
		if info, err := os.Stat(o.StateDir); err != nil {
			errs = append(errs, fmt.Errorf("--state.dir: %w", err))
		} else if !info.IsDir() {
			errs = append(errs, errors.New("--state.dir is not a directory"))
		}
	}
	host, err := os.Hostname()
	if err != nil && o.Name == "" {
		errs = append(errs, fmt.Errorf("give --supervisor.name: %w", err))
	}
	o.Name = cmp.Or(o.Name, host)
	return errors.Join(errs...)
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
		return nil, errors.New("give a URL such as https://workers.example:10380, without user, query or fragment")
	}
	return u, nil
}
