package app

import (
	"context"
	"io"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/internal/web"
	"github.com/queuefleet/queuefleet/internal/web/fleet"
)

// Program is the exporter's name, also the prefix of its own metrics.
const Program = "queuefleet_exporter"

// exporter is the parts, put together.
type exporter struct {
	program
	o         Options
	collector *collector.Collector
	site      *web.Site
}

// Run loads the configuration, serves until ctx ends and then stops
// everything. It returns nil after an orderly stop. Where the first
// configuration cannot be loaded, the error holds every mistake in it.
func Run(ctx context.Context, o Options) error {
	defer closeListeners(o.Web.Listeners)
	e, err := assemble(o)
	if err != nil {
		return err
	}
	defer e.close()
	if err := e.store.Reload(); err != nil {
		return err
	}
	server, err := e.listen(e.site)
	if err != nil {
		return err
	}
	return e.run(ctx, server)
}

// assemble builds each part out of those above it.
func assemble(o Options) (*exporter, error) {
	e := &exporter{o: o, program: program{
		name: Program, summary: "Watches every Redis connection and every work queue of a fleet.",
		configFile: o.ConfigFile, autoReload: o.AutoReload, started: o.Started, logger: o.Logger, redactor: o.Redactor, web: o.Web,
	}}
	e.open()
	e.collector = collector.New(e.set, collector.Options{
		Logger: o.Logger.With("component", "collector"), Registerer: e.registry,
		QueueAges: o.Collect.QueueAges, Commandstats: o.Collect.CommandStats, Latency: o.Collect.Latency,
		DiscoveryInterval: o.Collect.DiscoveryInterval,
	})
	e.keepConfig(e.collector.Apply, tuneGC)
	site, err := e.newSite(e.serving.Load, func(ctx context.Context) (io.WriterTo, error) { return e.collector.Scrape(ctx, nil) })
	if err != nil {
		return nil, err
	}
	fleet.Register(site, e.collector, o.Web.ExternalURL)
	e.site = site
	return e, nil
}

// run runs the parts until ctx or the first of them ends.
func (e *exporter) run(ctx context.Context, server *web.Server) error {
	group := actors{ctx: ctx}
	// The end of ctx, before anything else stops.
	group.add(func(ctx context.Context) error {
		<-ctx.Done()
		e.end()
		return ctx.Err()
	})
	// Wishes to reload, SIGHUP among them.
	group.add(func(ctx context.Context) error { return e.reloadOn(ctx, e.o.Reload) })
	// Changes of the files.
	if e.autoReload > 0 {
		group.add(func(ctx context.Context) error { return e.store.Watch(ctx, e.autoReload) })
	}
	// Queues that are found by pattern.
	group.add(e.collector.Run)
	// The server, last, so that it answers for as long as anything works.
	group.add(server.Run)

	e.begin()
	return group.run(ctx)
}

// close ends what assemble has opened.
func (e *exporter) close() {
	e.set.Close()
	e.collector.Close()
}
