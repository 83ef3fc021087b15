package collector

import (
	"github.com/prometheus/client_golang/prometheus"
)

const namespace = "queuefleet_exporter"

// metrics are the collector's own: they are about the exporter, not the fleet.
type metrics struct {
	scrapeDuration prometheus.Gauge
	scrapeTimeout  prometheus.Gauge
	coalesced      prometheus.Counter
	dropped        prometheus.Counter
	probeDuration  prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		scrapeDuration: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "scrape_duration_seconds",
			Help: "How long the last collection of the fleet took in seconds.",
		}),
		scrapeTimeout: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "scrape_timeout_seconds",
			Help: "Time that the last scrape allowed in seconds, the offset taken off.",
		}),
		coalesced: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "scrapes_coalesced_total",
			Help: "Scrapes that were answered by a collection already under way.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "series_dropped_total",
			Help: "Series left out because of a limit: queues found by pattern beyond max_discovered or with a name that is not UTF-8, and databases and replicas beyond 256 of a server.",
		}),
		probeDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "probe_duration_seconds",
			Help:    "Duration of the probes of all connections in seconds.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	r.MustRegister(m.scrapeDuration, m.scrapeTimeout, m.coalesced, m.dropped, m.probeDuration)
	return m
}
