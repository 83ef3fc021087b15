package workers

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

	"github.com/queuefleet/queuefleet/internal/redistest"
	"github.com/queuefleet/queuefleet/supervisor"
)

// widths are those of a desktop, a tablet and phones.
var widths = []int{1280, 768, 390, 320}

// longState has what makes a page burst: long names, texts and figures.
func longState() *supervisor.State {
	s := sample()
	long := strings.Repeat("a-very-long-name-without-spaces.", 4) + "example"
	pool := *s.Pools[3]
	pool.Name, pool.Application, pool.Connection, pool.Environment, pool.Region, pool.Team = long, long, long, long, long, long
	pool.QueueNames, pool.Version, pool.Deaf, pool.Throttled, pool.Outdated = []string{long, long}, long, true, true, 123456
	pool.CannotStart = &supervisor.CannotStart{Reason: "wrong_connection", Text: strings.Repeat("e", 400)}
	pool.Min, pool.Max, pool.Desired = 123456, 1234567, 123456
	pool.Counts = supervisor.Counts{Starting: 123456, Running: 123456, Stopping: 123456, Backoff: 123456, Busy: new(123456)}
	w := pool.Workers[0]
	w.Pool, w.Queues, w.Job, w.PID, w.Jobs, w.Restarts, w.LastExit = long, pool.QueueNames, `App\Jobs\`+strings.Repeat("J", 200), 4194304, 123456789, 123456, long
	pool.Workers = []supervisor.WorkerStatus{w}
	s.Pools = append(s.Pools, &pool)
	s.Events = append(s.Events, supervisor.Event{ID: 3, At: now, Pool: long, Slot: 1, Kind: supervisor.EventExited, Text: strings.Repeat("t", 300)})
	return s
}

// measuring frames every page at every width and writes down how wide its
// content came out.
const measuring = `<!doctype html><title>measuring</title><body><script>
for (const [path, width] of [%s]) {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.src = path;
  frame.onload = () => {
    const p = document.createElement("p");
    p.textContent = "width " + path + " " + width + " " + frame.contentDocument.documentElement.scrollWidth + " end";
    document.body.append(p);
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

// chromium loads a page and returns its document as its scripts left it, and
// what pages made the browser say, refusals among it.
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
	return stdout.String(), strings.Join(regexp.MustCompile(`(?m)^.*CONSOLE.*$`).FindAllString(stderr.String(), -1), "\n")
}

func TestPagesFitTheirWidth(t *testing.T) {
	f := newFixture(t, nil)
	f.state = longState()
	paths := []string{"/workers", "/workers?pool=" + f.state.Pools[4].Name, "/workers?pool=shop-broken", "/workers?q=nothing"}
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
		f.ServeHTTP(unguarded{w}, r)
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
}

func TestBrowserRefusesNothingOfOurs(t *testing.T) {
	server := httptest.NewServer(newFixture(t, nil))
	defer server.Close()
	for _, path := range []string{"/workers", "/workers?pool=shop-default"} {
		dom, log := chromium(t, server.URL+path)
		if !strings.Contains(dom, "shop-default") || log != "" {
			t.Errorf("%s: %s\n%.500s", path, log, dom)
		}
	}
}
