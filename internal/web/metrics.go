package web

import (
	"bytes"
	"context"
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
	var page []byte
	if s.o.Scrape != nil {
		var err error
		if page, err = s.Scrape(r, s.o.Scrape); err != nil {
			s.ScrapeFailed(w, r, err)
			return
		}
	}
	var own bytes.Buffer
	s.gather(&own)
	// The fleet's page is shared with other scrapes and must not be appended to.
	body := make([]byte, 0, len(page)+own.Len())
	body = append(body, page...)
	body = append(body, own.Bytes()...)
	s.Metrics(w, r, body)
}

// Scrape calls scrape under the deadline that Prometheus gave with r.
func (s *Site) Scrape(r *http.Request, scrape ScrapeFunc) ([]byte, error) {
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTimeout(r.Header.Get(timeoutHeader), s.o.TimeoutOffset))
	defer cancel()
	return scrape(ctx)
}

// Metrics answers with a page of metrics.
func (s *Site) Metrics(w http.ResponseWriter, r *http.Request, page []byte) {
	s.Body(w, r, http.StatusOK, contentMetrics, page)
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
