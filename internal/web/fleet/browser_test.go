package fleet

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// widths are those of a desktop, a tablet and phones.
var widths = []int{1280, 768, 390, 320}

// longFleet has what makes pages burst: long names, addresses and errors.
func longFleet() *fakeFleet {
	fleet := sampleFleet()
	long := strings.Repeat("a-very-long-name-without-spaces.", 4) + "example"
	fleet.connections = append(fleet.connections, collector.ConnectionStatus{
		Name: long, Mode: "sentinel", Address: "sentinel:mymaster@" + long + ":26379," + long + ":26380", State: collector.Down, Reason: "master_down",
		Error: "dial tcp: lookup " + long + strings.Repeat("x", 200), Applications: []string{long, "shop"}, Environment: long, Notes: strings.Repeat("n", 300),
		LastProbe: before(time.Hour), ProbeSeconds: new(1.999),
	})
	fleet.queues = append(fleet.queues, collector.QueueStatus{
		Application: long, Connection: long, Queue: long + long, Framework: "laravel", Pattern: long, ReadSuccess: new(true),
		Jobs: map[string]float64{"ready": 123456789, "delayed": 123456789, "reserved": 123456789}, OldestAgeSeconds: new(1e9),
		DelayedOverdue: new(123456789.0), ReservedExpired: new(123456789.0), WaitObjectiveSeconds: new(3e5), Error: strings.Repeat("e", 300),
	})
	return fleet
}

// measuring frames every page at every width, writes down how wide its content
// came out, then types into the search and counts the rows that are left.
const measuring = `<!doctype html><title>measuring</title><body><script>
const report = (text) => { const p = document.createElement("p"); p.textContent = text; document.body.append(p); };
const frames = [%s];
let left = frames.length;
for (const [path, width] of frames) {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.src = path;
  frame.onload = () => {
    const page = frame.contentDocument;
    report("width " + path + " " + width + " " + page.documentElement.scrollWidth + " end");
    const input = page.querySelector(".search input[type=search]");
    if (!input) { return; }
    input.value = "crm";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const again = setInterval(() => {
      const rows = [...page.querySelectorAll("tbody tr")];
      if (rows.length && rows.every((row) => row.textContent.includes("crm"))) {
        clearInterval(again);
        report("search " + path + " " + frame.contentWindow.location.search + " end");
      }
    }, 100);
  };
  document.body.append(frame);
}
</script></body>`

// unguarded lets pages be framed and measured, which their headers forbid.
type unguarded struct{ http.ResponseWriter }

func (w unguarded) WriteHeader(status int) {
	w.Header().Del("X-Frame-Options")
	w.Header().Del("Content-Security-Policy")
	w.ResponseWriter.WriteHeader(status)
}

// console finds what pages made the browser say, refusals among it.
var console = regexp.MustCompile(`(?m)^.*CONSOLE.*$`)

// chromium loads a page and returns its document, as its scripts left it, and
// what the browser said of the page.
func chromium(t *testing.T, url string) (dom, log string) {
	t.Helper()
	redistest.Need(t, "chromium")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=8000", "--window-size=1400,1000", "--dump-dom", url)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, stderr.String())
	}
	return stdout.String(), strings.Join(console.FindAllString(stderr.String(), -1), "\n")
}

func TestPagesFitTheirWidth(t *testing.T) {
	site := newFixture(t, longFleet(), nil)
	paths := []string{"/", "/connections", "/queues", "/probe?connection=" + strings.Repeat("x", 300)}
	var frames []string
	for _, path := range paths {
		for _, width := range widths {
			frames = append(frames, fmt.Sprintf("[%q, %d]", path, width))
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/measuring" {
			_, _ = fmt.Fprintf(w, measuring, strings.Join(frames, ","))
			return
		}
		site.ServeHTTP(unguarded{w}, r)
	}))
	defer server.Close()
	dom, log := chromium(t, server.URL+"/measuring")
	dom = html.UnescapeString(dom)
	for _, path := range paths {
		for _, width := range widths {
			var got int
			prefix := fmt.Sprintf("width %s %d ", path, width)
			if i := strings.Index(dom, prefix); i < 0 {
				t.Errorf("%s was not measured at %d\n%s", path, width, log)
			} else if _, err := fmt.Sscanf(dom[i+len(prefix):], "%d end", &got); err != nil || got > width {
				t.Errorf("%.30s is %d wide in a window of %d (%v)", path, got, width, err)
			}
		}
	}
	for _, path := range []string{"/connections", "/queues"} {
		if got := strings.Count(dom, "search "+path+" ?q=crm end"); got != len(widths) {
			t.Errorf("%s: the search followed the typing at %d of %d widths\n%s", path, got, len(widths), log)
		}
	}
}

func TestBrowserRefusesNothingOfOurs(t *testing.T) {
	server := httptest.NewServer(newFixture(t, sampleFleet(), nil))
	defer server.Close()
	for _, path := range []string{"/", "/connections", "/queues"} {
		dom, log := chromium(t, server.URL+path)
		if !strings.Contains(dom, "Queuefleet") {
			t.Errorf("%s came out as %q", path, dom)
		}
		if log != "" {
			t.Errorf("%s: %s", path, log)
		}
	}
}
