package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/web"
)

func TestRoutes(t *testing.T) {
	f := newFixture(t, sampleFleet(), nil)
	tests := []struct {
		method, path string
		status       int
		contains     string
	}{
		{"GET", "/", 200, `href="connections?state=down"`},
		{"GET", "/probe?connection=shop-eu", 200, `scraped ["shop-eu"]`},
		{"GET", "/probe", 400, "/probe?connection=NAME"},
		{"GET", "/probe?connection=", 400, "/probe?connection=NAME"},
		{"GET", "/probe?connection=shop-eu&connection=crm-us", 400, "/probe?connection=NAME"},
		{"GET", "/probe?target=10.0.0.1:6379", 400, "/probe?connection=NAME"},
		{"GET", "/probe?connection=10.0.0.1:6379", 404, `href="connections"`},
		{"GET", "/probe?connection=redis://10.0.0.1:6379", 404, `href="connections"`},
		{"GET", "/probe?connection=%3Cscript%3E", 404, "&lt;script&gt;"},
		{"GET", "/probe?connection=old", 404, "No active connection is called"},
		{"POST", "/probe?connection=shop-eu", 405, "GET"},
		{"GET", "/connections", 200, "shop-eu"},
		{"HEAD", "/connections", 200, ""},
		{"POST", "/connections", 405, "GET"},
		{"GET", "/connections?state=sideways", 400, `unknown state "sideways": use down, hung, unknown, up, inactive, deleted`},
		{"GET", "/connections?page=0", 400, `"0" is not the number of a page`},
		{"GET", "/connections?page=x", 400, "not the number"},
		{"GET", "/connections?page=99", 200, "shop-eu"},
		{"GET", "/connections?colour=red", 400, `unknown parameter "colour"`},
		{"GET", "/queues", 200, "tenant-7"},
		{"GET", "/queues?state=up", 400, "use failed, late, paused, unread, ok"},
		{"GET", "/queues?page=-1", 400, "not the number"},
		{"GET", "/api/v1/connections?sate=up", 400, `"errorType":"bad_data"`},
		{"GET", "/api/v1/queues?page=1", 400, `unknown parameter`},
		{"GET", "/api/v1/applications?connection=x", 400, `unknown parameter`},
		{"POST", "/api/v1/connections", 405, `"errorType":"bad_method"`},
		{"GET", "/api/v1/connections/nothing", 404, `"errorType":"not_found"`},
		{"GET", "/api/v1/connections/shop-eu/test", 405, `"errorType":"bad_method"`},
		{"POST", "/api/v1/connections/shop-eu/test", 403, `--web.enable-admin-api`},
		{"OPTIONS", "/api/v1/connections/shop-eu/test", 204, ""},
		{"GET", "/sd", 200, `"__param_connection":"shop-eu"`},
		{"GET", "/connections/", 404, "no such page"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			answer, text := f.do(tt.method, tt.path)
			if answer.StatusCode != tt.status || !strings.Contains(text, tt.contains) {
				t.Errorf("got %d %s, want %d with %q", answer.StatusCode, text, tt.status, tt.contains)
			}
			if strings.Contains(text, secret) {
				t.Errorf("the secret is in %s", text)
			}
		})
	}
}

func TestProbeIsAScrape(t *testing.T) {
	fleet := sampleFleet()
	var left time.Duration
	fleet.scrape = func(ctx context.Context, _ []string) (io.WriterTo, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			return nil, errors.New("no deadline")
		}
		left = time.Until(deadline)
		return nil, context.DeadlineExceeded
	}
	f := newFixture(t, fleet, func(o *web.Options) { o.TimeoutOffset = time.Second })
	answer, text := f.do("GET", "/probe?connection=shop-eu", func(r *http.Request) {
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "30")
	})
	if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "scrape failed") {
		t.Errorf("got %d %q", answer.StatusCode, text)
	}
	if left > 29*time.Second || left < 20*time.Second {
		t.Errorf("deadline in %v, want 29s", left)
	}
}

func TestDiscovery(t *testing.T) {
	f := newFixture(t, sampleFleet(), nil)
	answer, text := f.do("GET", "http://exporter.example:10379/sd")
	if got := answer.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	var got []targetGroup
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := []targetGroup{
		{Targets: []string{"exporter.example:10379"}, Labels: map[string]string{
			"__param_connection": "shop-eu", "__metrics_path__": "/probe", "__scheme__": "http",
			"__meta_queuefleet_connection": "shop-eu", "__meta_queuefleet_mode": "standalone", "__meta_queuefleet_environment": "production",
			"__meta_queuefleet_region": "eu-west-1", "__meta_queuefleet_team": "payments", "__meta_queuefleet_label_tier": "gold",
		}},
		{Targets: []string{"exporter.example:10379"}, Labels: map[string]string{
			"__param_connection": "crm-us", "__metrics_path__": "/probe", "__scheme__": "http",
			"__meta_queuefleet_connection": "crm-us", "__meta_queuefleet_mode": "standalone", "__meta_queuefleet_environment": "production",
			"__meta_queuefleet_provider": "aws",
		}},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	f = newFixture(t, sampleFleet(), func(o *web.Options) { o.ExternalURL = mustURL(t, "https://fleet.example/exporter/") })
	if _, text = f.do("GET", "/sd"); !strings.Contains(text, `"targets":["fleet.example"]`) ||
		!strings.Contains(text, `"__metrics_path__":"/exporter/probe"`) || !strings.Contains(text, `"__scheme__":"https"`) {
		t.Errorf("behind a proxy: %s", text)
	}

	// No configuration is no empty fleet: Prometheus keeps what it knows.
	f = newFixture(t, sampleFleet(), func(o *web.Options) { o.Store = fakeStore{} })
	if answer, _ := f.do("GET", "/sd"); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without a configuration: %d", answer.StatusCode)
	}
}

func names(t *testing.T, text string) string {
	t.Helper()
	var found []string
	for _, c := range data[[]struct{ Name, Queue, Slug string }](t, text) {
		found = append(found, cmp.Or(c.Slug, c.Queue, c.Name))
	}
	return strings.Join(found, " ")
}

func TestAPIFilters(t *testing.T) {
	f := newFixture(t, sampleFleet(), nil)
	tests := []struct{ path, want string }{
		{"connections", "shop-eu crm-us slow fresh old gone"},
		{"connections?state=up", "shop-eu"},
		{"connections?state=down&state=hung", "crm-us slow"},
		{"connections?state=up&environment=staging", ""},
		{"connections?environment=staging", "slow fresh"},
		{"connections?team=payments", "shop-eu"},
		{"connections?application=crm", "crm-us"},
		{"connections?application=crm&application=shop", "shop-eu crm-us"},
		{"connections?application=", "shop-eu crm-us slow fresh old gone"},
		{"connections?q=10.0.0.4", "slow"},
		{"connections?q=WRONGPASS+cluster", "crm-us"},
		{"connections?q=" + secret[:7], ""},
		{"connections?q=nowhere", ""},
		{"queues", "default tenant-7 <img src=x> mail halted"},
		{"queues?state=late", "default"},
		{"queues?state=failed", "<img src=x>"},
		{"queues?state=unread", "mail"},
		{"queues?state=paused", "halted"},
		{"queues?state=ok", "tenant-7"},
		{"queues?connection=shop-eu", "default tenant-7"},
		{"queues?application=crm&q=mail", "mail"},
		{"queues?q=wrongtype", "<img src=x>"},
		{"applications", "shop crm"},
		{"applications?state=active", "shop"},
		{"applications?team=payments", "shop"},
		{"applications?application=crm", "crm"},
	}
	for _, tt := range tests {
		answer, text := f.do("GET", "/api/v1/"+tt.path)
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", tt.path, answer.StatusCode, text)
			continue
		}
		if got := names(t, text); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.path, got, tt.want)
		}
		if strings.Contains(text, secret) || strings.Contains(text, `"data":null`) {
			t.Errorf("%s: %s", tt.path, text)
		}
	}
}

func TestAPIConnection(t *testing.T) {
	f := newFixture(t, sampleFleet(), nil)
	_, text := f.do("GET", "/api/v1/connections/shop-eu")
	got := data[connectionInfo](t, text)
	if got.Name != "shop-eu" || got.State != collector.Up || got.Labels["tier"] != "gold" ||
		got.CredentialsExpireAt == nil || got.CredentialsExpireAt.Year() != 2027 || !strings.Contains(got.Notes, "<secret>") {
		t.Errorf("got %s", text)
	}
	if strings.Contains(text, secret) {
		t.Errorf("the secret is in %s", text)
	}
}

func TestNoConfigurationYet(t *testing.T) {
	f := newFixture(t, &fakeFleet{}, func(o *web.Options) { o.Store = fakeStore{} })
	for path, want := range map[string]int{
		"/": 200, "/connections": 200, "/queues": 200, "/api/v1/connections": 200, "/api/v1/connections/x": 503, "/-/ready": 503,
	} {
		if answer, text := f.do("GET", path); answer.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", path, answer.StatusCode, text, want)
		}
	}
}

func TestConfigIsOfTheStore(t *testing.T) {
	f := newFixture(t, sampleFleet(), func(o *web.Options) {
		cfg, err := configs.Parse("q.yml", []byte(fmt.Sprintf("connections: [{name: a, address: \"h:1\", password: %s, notes: old was %s}]\n", secret, secret)))
		if err != nil {
			t.Fatal(err)
		}
		o.Store = fakeStore{cfg}
	})
	_, text := f.do("GET", "/config")
	if strings.Contains(text, secret) || !strings.Contains(text, "password: <secret>") || !strings.Contains(text, "notes: old was <secret>") {
		t.Errorf("got %s", text)
	}
}
