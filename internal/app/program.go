package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/logging"
	"github.com/queuefleet/queuefleet/internal/web"
)

// shutdownGrace is how long answers under way may take once a program is told
// to stop. A scrape that is wanted ends well within it.
const shutdownGrace = 10 * time.Second

// program is what the exporter and the supervisor have in common.
type program struct {
	name       string // also the prefix of its own metrics
	summary    string
	configFile string
	autoReload time.Duration
	started    func() // may be nil
	logger     *slog.Logger
	redactor   *logging.Redactor
	web        Web

	registry *prometheus.Registry
	set      *connection.Set
	store    *configs.Store
	serving  atomic.Bool
}

// open makes the registry and the connections, which all else builds on.
func (p *program) open() {
	connection.RedirectGoRedisLog(p.logger.With("component", "go-redis"))
	p.registry = prometheus.NewRegistry()
	p.registry.MustRegister(
		versioncollector.NewCollector(p.name),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	p.set = connection.NewSet(p.logger.With("component", "connection"))
}

// keepConfig makes the store. The connections come to know a configuration
// first, then appliers in their order.
func (p *program) keepConfig(appliers ...func(*configs.Config)) {
	all := []func(*configs.Config){func(cfg *configs.Config) { p.set.Apply(cfg.Connections) }}
	all = append(all, appliers...)
	p.store = configs.NewStore(configs.Options{
		Path: p.configFile, Namespace: p.name, Registerer: p.registry, Logger: p.logger.With("component", "config"),
		Check:  func(cfg *configs.Config) error { return web.CheckAccess(cfg, p.web.configFile()) },
		Redact: p.redactor.Set,
	}, append(all, p.logConfig)...)
}

// newSite makes the HTTP side. scrape may be nil.
func (p *program) newSite(ready func() bool, scrape web.ScrapeFunc) (*web.Site, error) {
	return web.New(web.Options{
		Program: p.name, Summary: p.summary, Version: cmp.Or(version.Version, "(development build)"),
		Logger: p.logger.With("component", "web"), Mask: p.redactor.Mask, Store: p.store, Ready: ready,
		Gatherer: p.registry, Scrape: scrape,
		ConfigFile: p.configFile, WebConfigFile: p.web.configFile(), ExternalURL: p.web.ExternalURL, TimeoutOffset: p.web.TimeoutOffset,
		EnableLifecycle: p.web.EnableLifecycle, EnableAdminAPI: p.web.EnableAdminAPI, EnablePprof: p.web.EnablePprof,
	})
}

// listen opens the addresses on which a site is to be served.
func (p *program) listen(site *web.Site) (*web.Server, error) {
	return web.Listen(web.ServerOptions{
		Handler: site, Toolkit: p.web.Toolkit, Listeners: p.web.Listeners, ControlSocket: p.web.ControlSocket,
		Grace: shutdownGrace, Logger: p.logger.With("component", "web"),
	})
}

// begin says that the program does its work.
func (p *program) begin() {
	p.serving.Store(true)
	p.notify(stateReady)
	if p.started != nil {
		p.started()
	}
}

// end says that the program is about to stop.
func (p *program) end() {
	if !p.serving.Swap(false) {
		return
	}
	p.notify(stateStopping)
	p.logger.Info("Stopping")
}

// reloadOn reloads for each value of wishes until ctx ends.
func (p *program) reloadOn(ctx context.Context, wishes <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wishes:
			p.notify(stateReloading())
			if err := p.store.Reload(); err != nil {
				p.logger.Error("Configuration was not reloaded, the one before stays in force", "file", p.configFile, "err", err)
			}
			p.notify(stateReady)
		}
	}
}

// maxWarnings is how many of a configuration's warnings are logged.
const maxWarnings = 20

func (p *program) logConfig(cfg *configs.Config) {
	p.logger.Info("Configuration is in force", "file", p.configFile, "hash", cfg.Hash(),
		"connections", len(cfg.Connections), "applications", len(cfg.Applications), "queues", len(cfg.Queues))
	warnings := cfg.Warnings()
	for _, warning := range warnings[:min(len(warnings), maxWarnings)] {
		p.logger.Warn("Configuration may not do what is meant", "warning", warning.String())
	}
	if more := len(warnings) - maxWarnings; more > 0 {
		p.logger.Warn("Configuration has more warnings, see qftool check config", "more", more)
	}
}

// actors runs functions together: when one returns, the contexts of all end.
type actors struct {
	ctx   context.Context
	group run.Group
}

func (a *actors) add(execute func(context.Context) error) {
	ctx, cancel := context.WithCancel(a.ctx)
	a.group.Add(func() error { return execute(ctx) }, func(error) { cancel() })
}

// run returns the first error, nil where that is only the end of ended.
func (a *actors) run(ended context.Context) error {
	err := a.group.Run()
	if errors.Is(err, context.Canceled) && ended.Err() != nil {
		return nil
	}
	return err
}

// closeListeners closes what was handed over, once more where Run did already,
// which does no harm.
func closeListeners(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// configFile is the file of --web.config.file, empty where there is none.
func (w *Web) configFile() string {
	if w.Toolkit == nil || w.Toolkit.WebConfigFile == nil {
		return ""
	}
	return *w.Toolkit.WebConfigFile
}

// Check loads the configuration as the programs do, and returns its warnings
// and every mistake in it.
func Check(o Options) ([]configs.Warning, error) {
	cfg, err := check(o)
	if cfg == nil {
		return nil, err
	}
	return cfg.Warnings(), err
}

// check returns the configuration even where it is not good enough.
func check(o Options) (*configs.Config, error) {
	cfg, err := configs.Load(o.ConfigFile)
	if err != nil {
		return nil, err
	}
	o.Redactor.Set(cfg.Secrets())
	if err := toolkit.Validate(o.Web.configFile()); err != nil {
		return nil, err
	}
	return cfg, web.CheckAccess(cfg, o.Web.configFile())
}

// CheckSupervisor is Check for a supervisor. What keeps single pools from their
// workers is a warning, as it is when the supervisor runs: the others do.
func CheckSupervisor(o SupervisorOptions) ([]configs.Warning, error) {
	cfg, err := check(Options{ConfigFile: o.ConfigFile, Redactor: o.Redactor, Web: o.Web})
	if cfg == nil {
		return nil, err
	}
	mistakes, warnings := Flaws(cfg, o.ConfigFile, o.Name)
	return slices.Concat(cfg.Warnings(), mistakes, warnings), err
}
