package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/logging"
)

// The programs' exit codes.
const (
	ExitOK     = 0
	ExitFailed = 1 // the configuration has mistakes, or something stopped working
	ExitUsage  = 2
)

// Flags are the flags that the exporter and the supervisor have in common, and
// what was made of them.
type Flags struct {
	Check bool // only check the configuration
	Done  bool // --help or --version was all there was to do

	level, format, external string
	autoReload              *time.Duration
	web                     *Web
}

// Command begins a program's command line. Help and version go to stdout.
func (f *Flags) Command(program, summary string, stdout io.Writer) *kingpin.Application {
	k := kingpin.New(program, summary)
	k.UsageWriter(stdout)
	k.ErrorWriter(stdout)
	k.Terminate(func(int) { f.Done = true })
	k.HelpFlag.Short('h')
	k.Version(version.Print(program))
	return k
}

// Config declares the flags about the configuration and the log.
func (f *Flags) Config(k *kingpin.Application, file *string, autoReload *time.Duration) {
	f.autoReload = autoReload
	k.Flag("config.file", "Configuration file.").Default(*file).StringVar(file)
	k.Flag("config.check", "Check the configuration, say what is wrong, and exit.").BoolVar(&f.Check)
	k.Flag("config.auto-reload-interval", "How often to look for changes of the configuration and of every file that it refers to. 0 = never.").
		Default("0s").DurationVar(autoReload)
	k.Flag("log.level", "Least level to log: debug, info, warn or error.").Default("info").EnumVar(&f.level, "debug", "info", "warn", "error")
	k.Flag("log.format", "Format of log lines: logfmt or json.").Default(logging.FormatLogfmt).
		EnumVar(&f.format, logging.FormatLogfmt, logging.FormatJSON)
}

// Web declares the flags about how the program is reached, by default at
// address. who reaches it under its external URL is for people.
func (f *Flags) Web(k *kingpin.Application, w *Web, address, who string) {
	f.web = w
	w.Toolkit = kingpinflag.AddFlags(k, address)
	k.Flag("web.external-url", "URL under which "+who+". Empty = as a request says.").PlaceHolder("URL").StringVar(&f.external)
	k.Flag("web.enable-lifecycle", "Allow POST and PUT on /-/reload over TCP.").BoolVar(&w.EnableLifecycle)
	k.Flag("web.enable-admin-api", "Allow other writes over TCP, for users that --web.config.file verifies.").BoolVar(&w.EnableAdminAPI)
	k.Flag("web.enable-pprof", "Serve profiles of the Go runtime under /debug/pprof/.").BoolVar(&w.EnablePprof)
	k.Flag("web.control-socket", "Unix socket of mode 0600 over which every write is allowed. Empty = none.").
		PlaceHolder("PATH").StringVar(&w.ControlSocket)
}

// Finish makes values of what Parse has read, and refuses what would silently
// mean something else.
func (f *Flags) Finish() error {
	var errs []error
	var err error
	if f.web.ExternalURL, err = parseExternalURL(f.external); err != nil {
		errs = append(errs, fmt.Errorf("--web.external-url: %w", err))
	}
	if *f.autoReload < 0 {
		errs = append(errs, errors.New("--config.auto-reload-interval is negative"))
	}
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
		return nil, errors.New("give a URL such as https://queuefleet.example/prefix, without user, query or fragment")
	}
	return u, nil
}

// Logger returns the log that the flags ask for.
func (f *Flags) Logger(w io.Writer, redactor *logging.Redactor) *slog.Logger {
	level, err := logging.ParseLevel(f.level)
	if err != nil {
		level = slog.LevelInfo // it is one of those that the flag takes
	}
	return logging.New(w, logging.Options{Level: level, Format: f.format, Redactor: redactor})
}

// Checked is what a check of a configuration has brought.
type Checked struct {
	File     string
	Warnings []configs.Warning
	Err      error // every mistake
	Mask     func(string) string
}

// Tell says it and returns the exit code.
func (c Checked) Tell(stdout, stderr io.Writer) int {
	for _, warning := range c.Warnings {
		_, _ = fmt.Fprintln(stderr, c.Mask("warning: "+warning.String()))
	}
	if c.Err != nil {
		_, _ = fmt.Fprintln(stderr, c.Mask(c.Err.Error()))
		return ExitFailed
	}
	_, _ = fmt.Fprintf(stdout, "%s is valid\n", c.File)
	return ExitOK
}
