package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/logging"
	"github.com/queuefleet/queuefleet/internal/web"
)

const secret = "hunter2hunter2"

// now is when everything in these tests happens.
var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// fakeFleet is a fleet as the tests want it.
type fakeFleet struct {
	connections  []collector.ConnectionStatus
	queues       []collector.QueueStatus
	applications []collector.ApplicationStatus
	scrape       func(ctx context.Context, names []string) (io.WriterTo, error)
	test         func(ctx context.Context, name string) (collector.TestResult, error)
}

func (f *fakeFleet) Scrape(ctx context.Context, names []string) (io.WriterTo, error) {
	if f.scrape != nil {
		return f.scrape(ctx, names)
	}
	for _, name := range names {
		if !slices.ContainsFunc(f.connections, func(c collector.ConnectionStatus) bool { return c.Name == name && c.Active }) {
			return nil, fmt.Errorf("%w: %q", collector.ErrUnknownConnection, name)
		}
	}
	return strings.NewReader(fmt.Sprintf("scraped %q\n", names)), nil
}

// The lists are copies, as the collector's are.
func (f *fakeFleet) Connections() []collector.ConnectionStatus { return slices.Clone(f.connections) }
func (f *fakeFleet) Queues() []collector.QueueStatus           { return slices.Clone(f.queues) }
func (f *fakeFleet) Applications() []collector.ApplicationStatus {
	return slices.Clone(f.applications)
}

func (f *fakeFleet) Test(ctx context.Context, name string) (collector.TestResult, error) {
	return f.test(ctx, name)
}

type fakeStore struct{ config *configs.Config }

func (s fakeStore) Current() *configs.Config { return s.config }
func (s fakeStore) Reload() error            { return nil }
func (s fakeStore) LastError() error         { return nil }

type fixture struct {
	*web.Site
	fleet *fakeFleet
	log   *bytes.Buffer
}

func newFixture(t *testing.T, fleet *fakeFleet, change func(*web.Options)) *fixture {
	t.Helper()
	f := &fixture{fleet: fleet, log: &bytes.Buffer{}}
	redactor := &logging.Redactor{}
	redactor.Set([]string{secret})
	o := web.Options{
		Program: "queuefleet_exporter", Summary: "Watches.", Version: "1.2.3",
		Logger: logging.New(f.log, logging.Options{Level: slog.LevelDebug, Redactor: redactor}),
		Mask:   redactor.Mask, Store: fakeStore{config(t)}, Ready: func() bool { return true },
		Gatherer: prometheus.NewRegistry(), Now: func() time.Time { return now },
	}
	if change != nil {
		change(&o)
	}
	site, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	Register(site, fleet, o.ExternalURL)
	f.Site = site
	return f
}

// config is the configuration that sampleFleet goes with.
func config(t *testing.T) *configs.Config {
	t.Helper()
	cfg, err := configs.Parse("queuefleet.yml", []byte(`
global: {environment: production}
connections:
  - {name: shop-eu, address: "10.0.0.1:6379", region: eu-west-1, team: payments, labels: {tier: gold}, credentials_expire_at: 2027-01-31}
  - {name: crm-us, address: "10.0.0.2:6379", provider: aws}
  - {name: old, address: "10.0.0.3:6379", active: false}
applications:
  - {slug: shop, connections: [{connection: shop-eu, primary: true}]}
  - {slug: crm, connections: [{connection: crm-us}]}
queues:
  - {application: shop, connection: shop-eu, queue_names: [default]}
`))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func before(d time.Duration) *time.Time { return new(now.Add(-d)) }

func sampleFleet() *fakeFleet {
	return &fakeFleet{
		connections: []collector.ConnectionStatus{
			{
				Name: "shop-eu", Mode: "standalone", Address: "10.0.0.1:6379", Environment: "production", Region: "eu-west-1", Team: "payments",
				Active: true, State: collector.Up, LastProbe: before(3 * time.Second), LastSuccess: before(3 * time.Second),
				ProbeSeconds: new(0.0021), PingSeconds: new(0.0003), RedisVersion: "7.0.15", Role: "master", Applications: []string{"shop"}, Queues: 2,
				Notes: "<script>alert('notes')</script> and " + secret,
			},
			{
				Name: "crm-us", Mode: "cluster", Address: "cluster:10.0.0.2:6379", Environment: "production", Provider: "aws", Active: true,
				State: collector.Down, Reason: "auth", Error: `WRONGPASS <b>for</b> "` + secret + `"`,
				LastProbe: before(3 * time.Second), LastSuccess: before(26 * time.Hour), ProbeSeconds: new(1.5), Applications: []string{"crm"},
			},
			{Name: "slow", Mode: "standalone", Address: "10.0.0.4:6379", Environment: "staging", Active: true, State: collector.Hung, Reason: "timeout", Error: "i/o timeout"},
			{Name: "fresh", Mode: "standalone", Address: "10.0.0.5:6379", Environment: "staging", Active: true, State: collector.Unknown},
			{Name: "old", Mode: "standalone", Address: "10.0.0.3:6379", State: collector.Inactive},
			{Name: "gone", Mode: "standalone", Address: "10.0.0.6:6379", State: collector.Deleted},
		},
		queues: []collector.QueueStatus{
			{
				Application: "shop", Connection: "shop-eu", Queue: "default", Environment: "production", Team: "payments", Framework: "laravel",
				Configurations: []string{"shop-shop-eu"}, ReadSuccess: new(true), ReadAt: before(3 * time.Second),
				Jobs:             map[string]float64{"ready": 12345, "delayed": 7, "reserved": 0},
				OldestAgeSeconds: new(95.0), DelayedOverdue: new(0.0), ReservedExpired: new(2.0), WaitObjectiveSeconds: new(30.0), Paused: new(false),
			},
			{
				Application: "shop", Connection: "shop-eu", Queue: "tenant-7", Framework: "laravel", Pattern: "tenant-*", ReadSuccess: new(true),
				ReadAt: before(3 * time.Second), Jobs: map[string]float64{"ready": 1}, OldestAgeLowerBoundSeconds: new(20.0), WaitObjectiveSeconds: new(30.0),
			},
			{
				Application: "crm", Connection: "crm-us", Queue: "<img src=x>", Framework: "laravel",
				ReadSuccess: new(false), Error: "WRONGTYPE with " + secret,
			},
			{Application: "crm", Connection: "crm-us", Queue: "mail", Framework: "laravel"},
			{Application: "crm", Connection: "crm-us", Queue: "halted", Framework: "laravel", ReadSuccess: new(true), Paused: new(true), Jobs: map[string]float64{"ready": 3}},
		},
		applications: []collector.ApplicationStatus{
			{Slug: "shop", Name: "Web shop", Color: "#3B82F6", Team: "payments", Active: true, Queues: 2, Connections: []collector.ApplicationConnectionStatus{{Connection: "shop-eu", Primary: true, Active: true}}},
			{Slug: "crm", Description: "keeps " + secret, Active: false, Queues: 3},
		},
		test: func(_ context.Context, name string) (collector.TestResult, error) {
			switch name {
			case "shop-eu":
				return collector.TestResult{Name: name, OK: true, PingSeconds: new(0.001)}, nil
			case "crm-us":
				return collector.TestResult{Name: name, Reason: "auth", Error: "WRONGPASS " + secret}, nil
			}
			return collector.TestResult{}, errors.New("not reached")
		},
	}
}

// answer is what came back beside the body.
type answer struct {
	StatusCode int
	Header     http.Header
}

func (f *fixture) do(method, target string, change ...func(*http.Request)) (answer, string) {
	r := httptest.NewRequest(method, target, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return answer{w.Code, w.Header()}, w.Body.String()
}

// data reads the data out of an answer's envelope.
func data[T any](t *testing.T, text string) T {
	t.Helper()
	var answer struct {
		Status string
		Data   T
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Status != "success" {
		t.Fatalf("%q: %v", text, err)
	}
	return answer.Data
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
