package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuefleet/queuefleet/configs"
)

// ConfigStore is what the Site needs of a configs.Store.
type ConfigStore interface {
	Current() *configs.Config // nil before the first successful Reload
	Reload() error
	LastError() error // of the last Reload
}

// ScrapeFunc returns a page of metrics in Prometheus' text format. It fails
// only where ctx ends before there is anything to return.
type ScrapeFunc func(ctx context.Context) (io.WriterTo, error)

// Options are what a Site is made of. Every field without a remark is needed.
type Options struct {
	Program string // as in queuefleet_exporter
	Summary string // one sentence for the landing page
	Version string

	Logger   *slog.Logger
	Mask     func(string) string // masks secrets in a text that goes to a client
	Store    ConfigStore
	Ready    func() bool // whether the program does its work
	Gatherer prometheus.Gatherer
	Scrape   ScrapeFunc       // nil: /metrics is what Gatherer gives
	Now      func() time.Time // nil: time.Now

	ConfigFile    string        // shown on the landing page
	WebConfigFile string        // the file of --web.config.file; empty: no TLS, no authentication
	ExternalURL   *url.URL      // how clients reach the program; nil: as they say in the Host header
	TimeoutOffset time.Duration // taken off Prometheus' scrape timeout

	EnableLifecycle bool // POST /-/reload over TCP
	EnableAdminAPI  bool // every other write over TCP
	EnablePprof     bool // /debug/pprof/
}

// Site is the HTTP side of a program. Routes and links are added while it is
// put together; after that it serves and does not change.
type Site struct {
	o      Options
	mux    *http.ServeMux
	cross  *http.CrossOriginProtection
	links  []Link
	facts  func() []Fact
	pages  pages
	static staticFiles
	gzip   sync.Pool // of *gzip.Writer
}

// Link is an entry of the landing page and, where it leads to a page for
// people, of the navigation.
type Link struct {
	Path string // relative to the root, without a leading slash
	Text string
	Nav  bool
	Help string // one phrase for the landing page
}

// Fact is a line about the state of the program on the landing page.
type Fact struct {
	Name  string
	Value string
	Href  string // empty: no link
	Bad   bool   // wants somebody's attention
	Parts []Part // what Value is made up of
}

// Part is a figure beside a fact.
type Part struct {
	Text  string
	Href  string
	Badge string // class of the style sheet
}

// New returns a site with the routes that all programs have.
func New(o Options) (*Site, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Site{
		o:      o,
		mux:    http.NewServeMux(),
		cross:  http.NewCrossOriginProtection(),
		static: newStaticFiles(),
		facts:  func() []Fact { return nil },
		gzip:   sync.Pool{New: newGzipWriter},
	}
	if o.ExternalURL != nil {
		if err := s.cross.AddTrustedOrigin(o.ExternalURL.Scheme + "://" + o.ExternalURL.Host); err != nil {
			return nil, err
		}
	}
	s.AddLink(Link{Path: "metrics", Text: "Metrics", Nav: true, Help: "for Prometheus"})
	s.AddLink(Link{Path: "config", Text: "Configuration", Nav: true, Help: "as it is in force, secrets masked"})

	s.pages.add("landing", templateFiles, "templates/landing.html")
	s.Handle("/{$}", Methods{http.MethodGet: s.landing})
	s.Handle("/metrics", Methods{http.MethodGet: s.metrics})
	s.Handle("/config", Methods{http.MethodGet: s.config})
	s.Handle("/-/healthy", Methods{http.MethodGet: s.healthy})
	s.Handle("/-/ready", Methods{http.MethodGet: s.ready})
	reload := s.reloadHandler()
	s.Handle("/-/reload", Methods{http.MethodPost: reload, http.MethodPut: reload})
	s.Handle("/static/{file}", Methods{http.MethodGet: s.serveStatic})
	s.Handle("/", nil)
	if o.EnablePprof {
		s.addPprof()
	}
	return s, nil
}

// AddLink adds a link to the landing page. Those added later come first,
// since a program's own pages matter more than what all programs have.
func (s *Site) AddLink(l Link) { s.links = append([]Link{l}, s.links...) }

// SetFacts says what the landing page tells beside the configuration's state.
func (s *Site) SetFacts(facts func() []Fact) { s.facts = facts }

// Config returns the configuration in force, or nil where there is none yet.
func (s *Site) Config() *configs.Config { return s.o.Store.Current() }

// Mask masks secrets in a text that goes to a client.
func (s *Site) Mask(text string) string { return s.o.Mask(text) }

// Now returns the time.
func (s *Site) Now() time.Time { return s.o.Now() }

// writeTimeout bounds how long a client may take to read an answer, beyond
// the longest scrape. Profiles take as long as was asked for.
const writeTimeout = maxScrapeTimeout + time.Minute

// maxBody is more than any request of ours has to say.
const maxBody = 64 << 10

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	deadline := time.Now().Add(writeTimeout)
	if strings.HasPrefix(r.URL.Path, "/debug/pprof/") {
		deadline = time.Time{} // and not that of the request before
	}
	// A writer that knows no deadlines is a test's.
	_ = http.NewResponseController(w).SetWriteDeadline(deadline)
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := s.cross.Check(r); err != nil {
		s.Error(w, r, http.StatusForbidden, "a request from another site was refused: "+err.Error())
		return
	}
	s.mux.ServeHTTP(w, r)
}

// secure sets headers that keep a browser from doing what no page of ours
// asks for. What the operator set by --web.config.file stays.
func secure(h http.Header) {
	for _, header := range [][2]string{
		{"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "deny"},
		{"Referrer-Policy", "same-origin"},
		{"Cache-Control", "no-cache"},
	} {
		if h.Get(header[0]) == "" {
			h.Set(header[0], header[1])
		}
	}
}
