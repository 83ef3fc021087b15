package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/expfmt"
)

// timeoutHeader is how Prometheus says when it will stop waiting.
const timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

const (
	defaultScrapeTimeout = 10 * time.Second // Prometheus' own default
	maxScrapeTimeout     = 5 * time.Minute
)

// scrapeTimeout returns how long a scrape may take: what the header says, or
// Prometheus' default where it says nothing sensible, less the offset. A
// timeout that is hardly longer than the offset is halved instead.
func scrapeTimeout(header string, offset time.Duration) time.Duration {
	timeout := defaultScrapeTimeout
	seconds, err := strconv.ParseFloat(header, 64)
	if err == nil && seconds > 0 && !math.IsInf(seconds, 0) {
		timeout = time.Duration(min(seconds, maxScrapeTimeout.Seconds()) * float64(time.Second))
	}
	return max(timeout-offset, timeout/2)
}

// metrics answers with the fleet's series and the program's own.
func (s *Site) metrics(w http.ResponseWriter, r *http.Request) {
	var page []io.WriterTo
	if s.o.Scrape != nil {
		fleet, err := s.Scrape(r, s.o.Scrape)
		if err != nil {
			s.ScrapeFailed(w, r, err)
			return
		}
		page = append(page, fleet)
	}
	var own bytes.Buffer
	s.gather(&own)
	s.Metrics(w, r, append(page, &own)...)
}

// Scrape calls scrape under the deadline that Prometheus gave with r.
func (s *Site) Scrape(r *http.Request, scrape ScrapeFunc) (io.WriterTo, error) {
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTimeout(r.Header.Get(timeoutHeader), s.o.TimeoutOffset))
	defer cancel()
	return scrape(ctx)
}

// Metrics answers with a page of metrics, made of parts. It is written as it is
// rendered: a large fleet's is many megabytes.
func (s *Site) Metrics(w http.ResponseWriter, r *http.Request, parts ...io.WriterTo) {
	header := w.Header()
	header.Set("Content-Type", contentMetrics)
	header.Add("Vary", "Accept-Encoding")
	zipped := acceptsGzip(r)
	if zipped {
		header.Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	var out io.Writer = w
	if zipped {
		z := s.gzip.Get().(*gzip.Writer)
		defer s.gzip.Put(z)
		z.Reset(w)
		defer func() { _ = z.Close() }() // the client may have gone
		out = z
	}
	for _, part := range parts {
		if _, err := part.WriteTo(out); err != nil {
			return // the client has gone
		}
	}
}

// ScrapeFailed answers for a scrape that has nothing to show: no metrics at
// all are better than some, which would pass for the whole.
func (s *Site) ScrapeFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil { // else nobody is left to tell
		s.o.Logger.Warn("Scrape failed", "path", r.URL.Path, "err", err)
	}
	s.Error(w, r, http.StatusServiceUnavailable, "scrape failed: "+err.Error())
}

// gather writes the program's own metrics. What could be gathered is written
// even where something could not.
func (s *Site) gather(own *bytes.Buffer) {
	families, err := s.o.Gatherer.Gather()
	if err != nil {
		s.o.Logger.Error("Gathering the program's own metrics failed", "err", err)
	}
	enc := expfmt.NewEncoder(own, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := enc.Encode(family); err != nil {
			s.o.Logger.Error("Encoding a metric failed", "metric", family.GetName(), "err", err)
		}
	}
}
