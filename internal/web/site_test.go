package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/logging"
)

const secret = "hunter2hunter2"

// fakeStore reloads as it is told.
type fakeStore struct {
	mu      sync.Mutex
	config  *configs.Config
	err     error
	reloads int
}

func (s *fakeStore) Current() *configs.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config
}

func (s *fakeStore) LastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *fakeStore) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reloads++
	return s.err
}

// fixture is a site over fakes and what it logged.
type fixture struct {
	*Site
	store *fakeStore
	log   *bytes.Buffer
}

func newFixture(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	f := &fixture{store: &fakeStore{config: &configs.Config{}}, log: &bytes.Buffer{}}
	redactor := &logging.Redactor{}
	redactor.Set([]string{secret})
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "own_metric", Help: "One."}, func() float64 { return 1 }))
	o := Options{
		Program:  "queuefleet_exporter",
		Summary:  "Watches <everything>.",
		Version:  "1.2.3",
		Logger:   logging.New(f.log, logging.Options{Level: slog.LevelDebug, Redactor: redactor}),
		Mask:     redactor.Mask,
		Store:    f.store,
		Ready:    func() bool { return true },
		Gatherer: registry,
		Scrape: func(context.Context) (io.WriterTo, error) {
			return strings.NewReader("# TYPE fleet gauge\nfleet 1\n"), nil
		},
		ConfigFile:    "queuefleet.yml",
		TimeoutOffset: 500 * time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	site, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Site = site
	return f
}

// do sends one request. Headers are given as "Name: value".
func (f *fixture) do(method, target string, headers ...string) answer {
	r := httptest.NewRequest(method, target, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	return f.serve(r)
}

func (f *fixture) serve(r *http.Request) answer {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// answer is a whole response.
type answer struct {
	StatusCode int
	Header     http.Header
	text       string
}

func TestRoutes(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
		contentType  string
		contains     string
	}{
		{"GET", "/", 200, contentHTML, "Watches &lt;everything&gt;."},
		{"HEAD", "/", 200, contentHTML, ""},
		{"OPTIONS", "/", 204, "", ""},
		{"POST", "/", 405, contentText, "use GET, HEAD, OPTIONS"},
		{"GET", "/metrics", 200, contentMetrics, "fleet 1\n# HELP own_metric One.\n# TYPE own_metric gauge\nown_metric 1\n"},
		{"POST", "/metrics", 405, contentText, "use GET"},
		{"GET", "/-/healthy", 200, contentText, "queuefleet_exporter is healthy."},
		{"GET", "/-/ready", 200, contentText, "queuefleet_exporter is ready."},
		{"DELETE", "/-/ready", 405, contentText, "use GET"},
		{"GET", "/-/reload", 405, contentText, "use OPTIONS, POST, PUT"},
		{"POST", "/-/reload", 403, contentText, "--web.enable-lifecycle"},
		{"GET", "/config", 200, contentText, ""},
		{"GET", "/static/style.css", 200, "text/css; charset=utf-8", "--paper"},
		{"GET", "/static/page.js", 200, "text/javascript; charset=utf-8", "data-live"},
		{"GET", "/static/icon.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "/static/nothing.css", 404, contentText, "no such file"},
		{"GET", "/static/..%2fsite.go", 404, contentText, "no such file"},
		{"GET", "/nothing", 404, contentText, "no such page"},
		{"GET", "/api/v1/nothing", 404, contentJSON, `{"status":"error","errorType":"not_found","error":"there is no such page"}`},
		{"GET", "/debug/pprof/", 404, contentText, "no such page"},
		{"GET", "/debug/pprof/cmdline", 404, contentText, "no such page"},
	}
	f := newFixture(t, nil)
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			answer := f.do(tt.method, tt.path)
			text := answer.text
			if answer.StatusCode != tt.status || !strings.Contains(text, tt.contains) {
				t.Errorf("got %d %q, want %d with %q", answer.StatusCode, text, tt.status, tt.contains)
			}
			if got := answer.Header.Get("Content-Type"); got != tt.contentType {
				t.Errorf("content type %q, want %q", got, tt.contentType)
			}
			if tt.status == 405 && !strings.Contains(text, answer.Header.Get("Allow")) {
				t.Errorf("Allow is %q", answer.Header.Get("Allow"))
			}
		})
	}
}

func TestSecurityHeaders(t *testing.T) {
	f := newFixture(t, nil)
	for _, path := range []string{"/", "/nothing", "/api/v1/nothing", "/metrics"} {
		h := f.do("GET", path).Header
		if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'self';") ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "deny" {
			t.Errorf("%s: %v", path, h)
		}
	}
	w := httptest.NewRecorder()
	w.Header().Set("X-Frame-Options", "sameorigin") // as --web.config.file may
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got := w.Header().Get("X-Frame-Options"); got != "sameorigin" {
		t.Errorf("the operator's header became %q", got)
	}
}

func TestStaticFilesAreKeptByVersion(t *testing.T) {
	f := newFixture(t, nil)
	if got := f.do("GET", "/static/style.css").Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("without a version: %q", got)
	}
	if got := f.do("GET", "/static/style.css?v="+f.static.version).Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("with its version: %q", got)
	}
	if page := f.do("GET", "/").text; !strings.Contains(page, "static/style.css?v="+f.static.version) {
		t.Error("the page does not name the version")
	}
}

func TestReadiness(t *testing.T) {
	ready := false
	f := newFixture(t, func(o *Options) { o.Ready = func() bool { return ready } })
	if got := f.do("GET", "/-/ready").StatusCode; got != 503 {
		t.Errorf("before it works: %d", got)
	}
	ready = true
	if got := f.do("GET", "/-/ready").StatusCode; got != 200 {
		t.Errorf("when it works: %d", got)
	}
	f.store.config = nil
	if got := f.do("GET", "/-/ready").StatusCode; got != 503 {
		t.Errorf("without a configuration: %d", got)
	}
	if got := f.do("GET", "/config").StatusCode; got != 503 {
		t.Errorf("/config without a configuration: %d", got)
	}
	if got := f.do("GET", "/-/healthy").StatusCode; got != 200 {
		t.Errorf("healthy: %d", got)
	}
	if page := f.do("GET", "/").text; !strings.Contains(page, "not ready") {
		t.Error("the landing page does not say so")
	}
}

func TestPprofOnlyWhereAskedFor(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.EnablePprof = true })
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/debug/pprof/cmdline", "/debug/pprof/symbol"} {
		if got := f.do("GET", path).StatusCode; got != 200 {
			t.Errorf("%s: %d", path, got)
		}
	}
	if page := f.do("GET", "/").text; !strings.Contains(page, `href="debug/pprof/"`) {
		t.Error("the landing page has no link")
	}
}

func TestCommandLineIsMasked(t *testing.T) {
	args := os.Args
	t.Cleanup(func() { os.Args = args })
	os.Args = []string{"queuefleet_exporter", "--password=" + secret, "--url=" + url.QueryEscape("redis://:"+secret+"@h")}
	f := newFixture(t, func(o *Options) { o.EnablePprof = true })
	got := f.do("GET", "/debug/pprof/cmdline").text
	want := "queuefleet_exporter\x00--password=<secret>\x00--url=redis%3A%2F%2F%3A<secret>%40h"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestErrorsUnderAPIAreEnveloped(t *testing.T) {
	f := newFixture(t, nil)
	f.Handle("/api/v1/thing", Methods{http.MethodGet: func(w http.ResponseWriter, r *http.Request) {
		f.Error(w, r, http.StatusBadRequest, "bad "+secret)
	}})
	for method, status := range map[string]int{"GET": 400, "POST": 405} {
		answer := f.do(method, "/api/v1/thing")
		var got envelope
		if err := json.Unmarshal([]byte(answer.text), &got); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if answer.StatusCode != status || got.Status != "error" || got.ErrorType == "" || strings.Contains(got.Error, secret) {
			t.Errorf("%s: %d %+v", method, answer.StatusCode, got)
		}
	}
}

func TestRequestsFromOtherSitesAreRefused(t *testing.T) {
	external := &url.URL{Scheme: "https", Host: "fleet.example"}
	f := newFixture(t, func(o *Options) { o.EnableLifecycle = true; o.ExternalURL = external })
	tests := []struct {
		headers []string
		status  int
	}{
		{nil, 200},
		{[]string{"Sec-Fetch-Site: same-origin"}, 200},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403},
		{[]string{"Origin: https://evil.example"}, 403},
		{[]string{"Origin: https://fleet.example", "Sec-Fetch-Site: cross-site"}, 200},
	}
	for _, tt := range tests {
		if got := f.do("POST", "/-/reload", tt.headers...).StatusCode; got != tt.status {
			t.Errorf("%v: %d, want %d", tt.headers, got, tt.status)
		}
	}
	if got := f.do("GET", "/metrics", "Sec-Fetch-Site: cross-site").StatusCode; got != 200 {
		t.Errorf("reading: %d", got)
	}
}
