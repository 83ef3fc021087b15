package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/web"
	"github.com/queuefleet/queuefleet/internal/web/fleet"
)

// Program is the exporter's name, also the prefix of its own metrics.
const Program = "queuefleet_exporter"

// shutdownGrace is how long answers under way may take once the exporter is
// told to stop. A scrape that is wanted ends well within it.
const shutdownGrace = 10 * time.Second

// exporter is the parts, put together.
type exporter struct {
	o         Options
	logger    *slog.Logger
	set       *connection.Set
	collector *collector.Collector
	store     *configs.Store
	site      *web.Site
	serving   atomic.Bool
}

// Run loads the configuration, serves until ctx ends and then stops
// everything. It returns nil after an orderly stop. Where the first
// configuration cannot be loaded, the error holds every mistake in it.
func Run(ctx context.Context, o Options) error {
	defer func() {
		for _, l := range o.Web.Listeners {
			_ = l.Close() // once more does no harm
		}
	}()
	e, err := assemble(o)
	if err != nil {
		return err
	}
	defer e.close()
	if err := e.store.Reload(); err != nil {
		return err
	}
	server, err := web.Listen(web.ServerOptions{
		Handler: e.site, Toolkit: o.Web.Toolkit, Listeners: o.Web.Listeners, ControlSocket: o.Web.ControlSocket,
		Grace: shutdownGrace, Logger: o.Logger.With("component", "web"),
	})
	if err != nil {
		return err
	}
	return e.run(ctx, server)
}

// assemble builds each part out of those above it.
func assemble(o Options) (*exporter, error) {
	e := &exporter{o: o, logger: o.Logger}
	connection.RedirectGoRedisLog(o.Logger.With("component", "go-redis"))

	registry := prometheus.NewRegistry()
	registry.MustRegister(
		versioncollector.NewCollector(Program),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	e.set = connection.NewSet(o.Logger.With("component", "connection"))
	e.collector = collector.New(e.set, collector.Options{
		Logger: o.Logger.With("component", "collector"), Registerer: registry,
		QueueAges: o.Collect.QueueAges, Commandstats: o.Collect.CommandStats, Latency: o.Collect.Latency,
		DiscoveryInterval: o.Collect.DiscoveryInterval,
	})
	e.store = configs.NewStore(
		configs.Options{
			Path: o.ConfigFile, Namespace: Program, Registerer: registry, Logger: o.Logger.With("component", "config"),
			Check:  func(cfg *configs.Config) error { return web.CheckAccess(cfg, o.webConfigFile()) },
			Redact: o.Redactor.Set,
		},
		func(cfg *configs.Config) { e.set.Apply(cfg.Connections) },
		e.collector.Apply,
		e.logConfig,
	)
	site, err := web.New(web.Options{
		Program: Program, Summary: "Watches every Redis connection and every work queue of a fleet.", Version: version.Info(),
		Logger: o.Logger.With("component", "web"), Mask: o.Redactor.Mask, Store: e.store, Ready: e.serving.Load,
		Gatherer: registry, Scrape: func(ctx context.Context) (io.WriterTo, error) { return e.collector.Scrape(ctx, nil) },
		ConfigFile: o.ConfigFile, WebConfigFile: o.webConfigFile(), ExternalURL: o.Web.ExternalURL, TimeoutOffset: o.Web.TimeoutOffset,
		EnableLifecycle: o.Web.EnableLifecycle, EnableAdminAPI: o.Web.EnableAdminAPI, EnablePprof: o.Web.EnablePprof,
	})
	if err != nil {
		return nil, err
	}
	fleet.Register(site, e.collector, o.Web.ExternalURL)
	e.site = site
	return e, nil
}

// run runs the parts until ctx or the first of them ends.
func (e *exporter) run(ctx context.Context, server *web.Server) error {
	var group run.Group
	actor := func(execute func(context.Context) error) {
		ctx, cancel := context.WithCancel(ctx)
		group.Add(func() error { return execute(ctx) }, func(error) { cancel() })
	}
	// The end of ctx, before anything else stops.
	actor(e.waitForEnd)
	// Wishes to reload, SIGHUP among them.
	actor(e.reloadOnWish)
	// Changes of the files.
	if e.o.AutoReload > 0 {
		actor(func(ctx context.Context) error { return e.store.Watch(ctx, e.o.AutoReload) })
	}
	// Queues that are found by pattern.
	actor(e.collector.Run)
	// The server, last, so that it answers for as long as anything works.
	actor(server.Run)

	e.serving.Store(true)
	e.notify(stateReady)
	if e.o.Started != nil {
		e.o.Started()
	}
	err := group.Run()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

func (e *exporter) waitForEnd(ctx context.Context) error {
	<-ctx.Done()
	e.serving.Store(false)
	e.notify(stateStopping)
	e.logger.Info("Stopping")
	return ctx.Err()
}

// reloadOnWish reloads for each value of Options.Reload.
func (e *exporter) reloadOnWish(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.o.Reload:
			e.notify(stateReloading())
			if err := e.store.Reload(); err != nil {
				e.logger.Error("Configuration was not reloaded, the one before stays in force", "file", e.o.ConfigFile, "err", err)
			}
			e.notify(stateReady)
		}
	}
}

// maxWarnings is how many of a configuration's warnings are logged.
const maxWarnings = 20

func (e *exporter) logConfig(cfg *configs.Config) {
	e.logger.Info("Configuration is in force", "file", e.o.ConfigFile, "hash", cfg.Hash(),
		"connections", len(cfg.Connections), "applications", len(cfg.Applications), "queues", len(cfg.Queues))
	warnings := cfg.Warnings()
	for _, warning := range warnings[:min(len(warnings), maxWarnings)] {
		e.logger.Warn("Configuration may not do what is meant", "warning", warning.String())
	}
	if more := len(warnings) - maxWarnings; more > 0 {
		e.logger.Warn("Configuration has more warnings, see qftool check config", "more", more)
	}
}

// close ends what assemble has opened.
func (e *exporter) close() {
	e.set.Close()
	e.collector.Close()
}

func (o *Options) webConfigFile() string {
	if o.Web.Toolkit == nil || o.Web.Toolkit.WebConfigFile == nil {
		return ""
	}
	return *o.Web.Toolkit.WebConfigFile
}

// Check loads the configuration as Run does, and returns its warnings and
// every mistake in it.
func Check(o Options) ([]configs.Warning, error) {
	cfg, err := configs.Load(o.ConfigFile)
	if err != nil {
		return nil, err
	}
	o.Redactor.Set(cfg.Secrets())
	if err := toolkit.Validate(o.webConfigFile()); err != nil {
		return nil, err
	}
	return cfg.Warnings(), web.CheckAccess(cfg, o.webConfigFile())
}
