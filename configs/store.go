package configs

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are what a Store needs. All are mandatory, but for Check and Redact.
type Options struct {
	Path       string // of the main file
	Namespace  string // of the metrics, e.g. queuefleet_exporter
	Registerer prometheus.Registerer
	Logger     *slog.Logger

	// Check may refuse a configuration for a reason that lies outside of it.
	// nil refuses none.
	Check func(*Config) error

	// Redact is told every secret before anybody else can use or log one:
	// those of the new configuration and those of the one before, which may
	// be in use for a while yet.
	Redact func(secrets []string)
}

// Store holds the configuration in force. Reload replaces it whole or not at
// all; who reads it gets an immutable snapshot.
type Store struct {
	options  Options
	appliers []func(*Config)
	metrics  *storeMetrics
	current  atomic.Pointer[Config]
	failure  atomic.Pointer[error] // of the last Reload

	mu       sync.Mutex // serialises Reload
	versions map[string]*version
	print    fingerprint // of what the last Reload has read, good or bad
}

// NewStore makes a Store without a configuration. Its metrics are registered
// at once. The appliers are called in order with every configuration that is
// accepted, before Current gives it out.
func NewStore(o Options, appliers ...func(*Config)) *Store {
	return &Store{options: o, appliers: appliers, metrics: newStoreMetrics(o.Namespace, o.Registerer)}
}

// Current returns the configuration in force, nil before the first Reload
// that worked.
func (s *Store) Current() *Config { return s.current.Load() }

// LastError returns what the last Reload returned, nil before the first.
func (s *Store) LastError() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Reload loads the configuration anew and puts it into force. The error joins
// every mistake; the configuration before then stays. A fragment that is
// broken does not fail a Reload once there is a configuration: its last good
// version stays, which Fragments of the new configuration and a log line tell.
//
// A configuration that has not changed is applied too, since what it refers to
// may have.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := newLoader(s.options.Path, s.versions)
	cfg, err := l.load()
	l.reader.close()
	s.print = l.fingerprint()
	if err == nil && s.options.Check != nil {
		err = s.options.Check(cfg)
	}
	s.failure.Store(&err)
	if err != nil {
		s.metrics.successful.Set(0)
		return err
	}
	s.versions = l.next
	s.apply(cfg)
	s.metrics.accepted(cfg)
	for _, f := range cfg.Fragments() {
		if !f.OK {
			s.options.Logger.Error("fragment is broken; its last good version stays where there is one", "file", f.File, "err", f.Err)
		}
	}
	return nil
}

func (s *Store) apply(cfg *Config) {
	if s.options.Redact != nil {
		secrets := cfg.Secrets()
		if old := s.current.Load(); old != nil {
			secrets = slices.Concat(secrets, old.Secrets())
		}
		s.options.Redact(secrets)
	}
	for _, apply := range s.appliers {
		apply(cfg)
	}
	s.current.Store(cfg)
}

// storeMetrics tell how reloading went.
type storeMetrics struct {
	successful prometheus.Gauge
	timestamp  prometheus.Gauge
	hash       prometheus.Gauge
	fragments  *prometheus.GaugeVec
	files      []string // that fragments has series for
}

func newStoreMetrics(namespace string, reg prometheus.Registerer) *storeMetrics {
	gauge := func(name, help string) prometheus.GaugeOpts {
		return prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
	}
	m := &storeMetrics{
		successful: prometheus.NewGauge(gauge("config_last_reload_successful",
			"Whether the last attempt to load the configuration succeeded.")),
		timestamp: prometheus.NewGauge(gauge("config_last_reload_success_timestamp_seconds",
			"When the configuration was last loaded successfully, in Unix time.")),
		hash: prometheus.NewGauge(gauge("config_hash",
			"The first 48 bits of a hash over the configuration in force, without its secrets.")),
		fragments: prometheus.NewGaugeVec(gauge("config_fragment_last_reload_successful",
			"Whether an included file is in force as it is. If not, its last good version is, if there is one."), []string{"file"}),
	}
	reg.MustRegister(m.successful, m.timestamp, m.hash, m.fragments)
	return m
}

func (m *storeMetrics) accepted(cfg *Config) {
	m.successful.Set(1)
	m.timestamp.Set(float64(cfg.meta.loadedAt.UnixMilli()) / 1000)
	m.hash.Set(hashNumber(cfg.Hash()))
	var files []string
	for _, f := range cfg.Fragments() {
		name := strings.ToValidUTF8(f.File, "\uFFFD") // a label of anything else panics
		files = append(files, name)
		value := 0.0
		if f.OK {
			value = 1
		}
		m.fragments.WithLabelValues(name).Set(value)
	}
	for _, gone := range m.files {
		if !slices.Contains(files, gone) {
			m.fragments.DeleteLabelValues(gone)
		}
	}
	m.files = files
}

// hashNumber takes as many bits of a hex digest as a float64 holds exactly.
func hashNumber(hash string) float64 {
	n, err := strconv.ParseUint(hash[:12], 16, 64)
	if err != nil {
		panic(fmt.Sprintf("configs: hash %q is not hexadecimal", hash))
	}
	return float64(n)
}
