package web

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestCompression(t *testing.T) {
	page := strings.Repeat("fleet 1\n", 1000)
	f := newFixture(t, func(o *Options) {
		o.Scrape = func(context.Context) (io.WriterTo, error) { return strings.NewReader(page), nil }
	})
	tests := []struct {
		accept string
		want   bool
	}{
		{"gzip", true}, {"deflate, GZIP;q=0.5", true}, {"", false}, {"deflate", false},
		{"gzip;q=0", false}, {"gzip; q=0.0", false}, {"gzip;q=x", false}, {"*", false}, {"gzipped", false},
	}
	for _, tt := range tests {
		answer := f.do("GET", "/metrics", "Accept-Encoding: "+tt.accept)
		var text string
		if answer.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(strings.NewReader(answer.text))
			if err != nil {
				t.Fatal(err)
			}
			all, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			text = string(all)
		} else {
			text = answer.text
		}
		if got := answer.Header.Get("Content-Encoding") == "gzip"; got != tt.want {
			t.Errorf("Accept-Encoding %q: compressed %v, want %v", tt.accept, got, tt.want)
		}
		if !strings.HasPrefix(text, page) || !strings.HasSuffix(text, "own_metric 1\n") {
			t.Errorf("Accept-Encoding %q: %d bytes came through", tt.accept, len(text))
		}
	}
	if answer := f.do("GET", "/-/healthy", "Accept-Encoding: gzip"); answer.Header.Get("Content-Encoding") != "" {
		t.Error("a short answer was compressed")
	}
}

func TestScrapeTimeout(t *testing.T) {
	tests := []struct {
		header string
		want   time.Duration
	}{
		{"", 9500 * time.Millisecond},
		{"15", 14500 * time.Millisecond},
		{"2.5", 2 * time.Second},
		{"0.8", 400 * time.Millisecond}, // halved rather than nearly nothing
		{"0.2", 100 * time.Millisecond},
		{"0", 9500 * time.Millisecond},
		{"-3", 9500 * time.Millisecond},
		{"NaN", 9500 * time.Millisecond},
		{"Inf", 9500 * time.Millisecond},
		{"soon", 9500 * time.Millisecond},
		{"1e300", maxScrapeTimeout - 500*time.Millisecond},
	}
	for _, tt := range tests {
		var got time.Duration
		f := newFixture(t, func(o *Options) {
			o.Scrape = func(ctx context.Context) (io.WriterTo, error) {
				deadline, ok := ctx.Deadline()
				if !ok {
					return nil, errors.New("no deadline")
				}
				got = time.Until(deadline)
				return strings.NewReader(""), nil
			}
		})
		if status := f.do("GET", "/metrics", timeoutHeader+": "+tt.header).StatusCode; status != 200 {
			t.Errorf("%q: status %d", tt.header, status)
		}
		if got > tt.want || got < tt.want-tt.want/4 {
			t.Errorf("%q: %v, want %v", tt.header, got, tt.want)
		}
	}
}

func TestFailedScrapeShowsNothing(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Scrape = func(context.Context) (io.WriterTo, error) { return nil, errors.New("gone with " + secret) }
	})
	answer := f.do("GET", "/metrics")
	text := answer.text
	if answer.StatusCode != http.StatusServiceUnavailable || text != "scrape failed: gone with <secret>\n" {
		t.Errorf("got %d %q", answer.StatusCode, text)
	}
	if strings.Contains(f.log.String(), secret) || !strings.Contains(f.log.String(), "Scrape failed") {
		t.Errorf("logged %q", f.log)
	}
}

// brokenCollector fails to collect, as one whose source is gone.
type brokenCollector struct{ desc *prometheus.Desc }

func (c brokenCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c brokenCollector) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(c.desc, errors.New("broken"))
}

func TestABrokenCollectorDoesNotHideTheOthers(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Gatherer.(*prometheus.Registry).MustRegister(brokenCollector{prometheus.NewDesc("broken", "Broken.", nil, nil)})
	})
	answer := f.do("GET", "/metrics")
	if text := answer.text; answer.StatusCode != http.StatusOK || !strings.Contains(text, "own_metric 1") || !strings.Contains(text, "fleet 1") {
		t.Errorf("got %d %q", answer.StatusCode, text)
	}
	if !strings.Contains(f.log.String(), "Gathering the program's own metrics failed") {
		t.Errorf("logged %q", f.log)
	}
}
