package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// web is an HTTP client of one program under test.
type web struct {
	url    string
	client *http.Client
}

func newWeb(addr string) web {
	return web{"http://" + addr, &http.Client{Transport: &http.Transport{
		DisableCompression: true, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64,
	}}}
}

// get returns the page at path. encoding is what Accept-Encoding says; empty
// asks for none.
func (w *web) get(ctx context.Context, path, encoding string) ([]byte, error) {
	return w.do(ctx, http.MethodGet, path, encoding)
}

func (w *web) do(ctx context.Context, method, path, encoding string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, w.url+path, nil)
	if err != nil {
		return nil, err
	}
	// As long as Prometheus may be told to wait: how long it takes is measured.
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	if encoding != "" {
		request.Header.Set("Accept-Encoding", encoding)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %.500s", method, path, response.Status, page)
	}
	if encoding != "" && response.Header.Get("Content-Encoding") != encoding {
		return nil, fmt.Errorf("%s: Content-Encoding is %q, want %q", path, response.Header.Get("Content-Encoding"), encoding)
	}
	return page, nil
}

// exporter is a running exporter.
type exporter struct {
	*process
	web
	config string // file
}

// startExporter starts the exporter with a configuration and waits until it is
// ready.
func startExporter(ctx context.Context, b *bench, config []byte, flags ...string) (*exporter, error) {
	file, err := os.CreateTemp(b.dir, "*.yml")
	if err != nil {
		return nil, err
	}
	_ = file.Close()
	if err := os.WriteFile(file.Name(), config, 0o600); err != nil {
		return nil, err
	}
	flags = append([]string{
		"--config.file=" + file.Name(), "--log.level=warn", "--web.enable-lifecycle", "--web.enable-pprof",
	}, flags...)
	var e *exporter
	err = withFreePort(func(port int) error {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		p, err := start("exporter", nil, b.exporter, append(flags, "--web.listen-address="+addr)...)
		if err != nil {
			return err
		}
		p.watch()
		e = &exporter{process: p, web: newWeb(addr), config: file.Name()}
		return e.awaitReady(ctx, "/-/ready")
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// awaitReady waits until path is answered, and stops the process where that
// does not come about.
func (e *exporter) awaitReady(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("not ready after a minute"))
	defer cancel()
	for {
		if _, err := e.get(ctx, path, ""); err == nil {
			return nil
		}
		select {
		case <-e.gone:
			return fmt.Errorf("%s ended: %s", e.name, e.said)
		case <-ctx.Done():
			e.stop()
			return fmt.Errorf("%s: %w: %s", e.name, context.Cause(ctx), e.said)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// portTries is how often something else may take a port between our looking
// and the program's listening.
const portTries = 3

func withFreePort(fn func(port int) error) error {
	var errs []error
	for range portTries {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if err = fn(port); err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// scrape scrapes the whole fleet and returns the page and how long it took.
func (e *exporter) scrape(ctx context.Context, encoding string) ([]byte, time.Duration, error) {
	begin := time.Now()
	page, err := e.get(ctx, "/metrics", encoding)
	return page, time.Since(begin), err
}

// scrapes scrapes n times without a pause and returns the times in ms.
func (e *exporter) scrapes(ctx context.Context, n int, encoding string) ([]float64, error) {
	var times []float64
	for range n {
		_, took, err := e.scrape(ctx, encoding)
		if err != nil {
			return nil, err
		}
		times = append(times, ms(took))
	}
	return times, nil
}

// warm scrapes until as many connections are up as should be: opening thousands
// of sockets at once may take more than one scrape. It returns the last page.
func (e *exporter) warm(ctx context.Context, up int) ([]byte, error) {
	const tries = 20
	var err error
	for range tries {
		var page []byte
		if page, _, err = e.scrape(ctx, ""); err == nil {
			found := countValue(page, "redis_up", "1")
			if found == up {
				return page, nil
			}
			err = fmt.Errorf("%d connections are up, want %d: %s", found, up, e.said)
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, err
}

// steady scrapes a few times more, so that buffers and the heap have their size.
func (e *exporter) steady(ctx context.Context) error {
	_, err := e.scrapes(ctx, 5, "")
	return err
}

// reload has the exporter reload and returns how long that took.
func (e *exporter) reload(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	_, err := e.do(ctx, http.MethodPost, "/-/reload", "")
	return time.Since(begin), err
}

// profiled runs fn; with -profile again and again while the exporter's CPU
// profile is taken, and then takes one of its heap and a page of metrics.
func (e *exporter) profiled(ctx context.Context, b *bench, name string, fn func() error) error {
	if b.profile == "" {
		return fn()
	}
	if err := os.MkdirAll(b.profile, 0o755); err != nil {
		return err
	}
	taken := make(chan error, 1)
	go func() {
		profile, err := e.get(ctx, "/debug/pprof/profile?seconds=5", "")
		if err == nil {
			err = os.WriteFile(filepath.Join(b.profile, name+".cpu"), profile, 0o644)
		}
		taken <- err
	}()
	for {
		if err := fn(); err != nil {
			return errors.Join(err, <-taken)
		}
		select {
		case err := <-taken:
			if err != nil {
				return err
			}
			heap, err := e.get(ctx, "/debug/pprof/heap?gc=1", "")
			if err != nil {
				return err
			}
			page, err := e.get(ctx, "/metrics", "")
			if err != nil {
				return err
			}
			return errors.Join(
				os.WriteFile(filepath.Join(b.profile, name+".heap"), heap, 0o644),
				os.WriteFile(filepath.Join(b.profile, name+".metrics"), page, 0o644))
		default:
		}
	}
}

// countSeries counts the series of a page.
func countSeries(page []byte) int {
	n := 0
	for line := range bytes.Lines(page) {
		if line[0] != '#' && line[0] != '\n' {
			n++
		}
	}
	return n
}

// countFleetSeries leaves out the program's own.
func countFleetSeries(page []byte) int {
	n := 0
	for line := range bytes.Lines(page) {
		if line[0] != '#' && bytes.Contains(line, []byte(`connection="`)) {
			n++
		}
	}
	return n
}

// countValue counts the series of a metric that have the value.
func countValue(page []byte, metric, value string) int {
	n := 0
	for line := range bytes.Lines(page) {
		if bytes.HasPrefix(line, []byte(metric+"{")) && bytes.HasSuffix(line, []byte(" "+value+"\n")) {
			n++
		}
	}
	return n
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func mb(bytes float64) float64 { return bytes / 1e6 }
