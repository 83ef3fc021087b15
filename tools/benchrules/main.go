// Command benchrules measures what the mixin's rules and the overview cost a
// Prometheus that watches a large fleet: a synthetic page with every metric of
// the catalogue, and a history of 30 days of what the longest windows read.
//
//	go run ./benchrules -connections 1000 -queues 10000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

type settings struct {
	fleet fleet
	root  string
	warm  time.Duration
	days  int
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("benchrules", flag.ContinueOnError)
	flags.IntVar(&s.fleet.connections, "connections", 1000, "connections of the fleet")
	flags.IntVar(&s.fleet.queues, "queues", 10000, "queues of the fleet")
	flags.IntVar(&s.fleet.supervisors, "supervisors", 5, "supervisors that share the pools")
	flags.StringVar(&s.root, "root", "..", "the repository")
	flags.DurationVar(&s.warm, "warm", 4*time.Minute, "how long to scrape before looking")
	flags.IntVar(&s.days, "days", 30, "days of half-hours to write beforehand")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.fleet.connections < 1 || s.fleet.queues < s.fleet.connections || s.fleet.supervisors < 1 {
		return errors.New("at least one connection, one supervisor and one queue a connection are needed")
	}
	dir, err := os.MkdirTemp("", "benchrules")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return measure(ctx, s, dir, out)
}

// measure brings everything up, looks, and takes it down again.
func measure(ctx context.Context, s settings, dir string, out io.Writer) error {
	c, err := loadCatalogue(filepath.Join(s.root, "docs/metrics.yaml"))
	if err != nil {
		return err
	}
	targets, series, closeAll, err := serve(ctx, s.fleet, c)
	if err != nil {
		return err
	}
	defer closeAll()
	fmt.Fprintf(out, "%d connections, %d queues, %d pools: %d series in %d pages\n", s.fleet.connections, s.fleet.queues, s.fleet.connections, series, len(targets))

	p, err := startPrometheus(ctx, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	begin := time.Now()
	written, err := backfill(ctx, s, p.base)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d samples of history in %.0f s\n", written, time.Since(begin).Seconds())
	if err := p.configure(ctx, s.root, targets); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.warm):
	}
	if err := reportRules(ctx, p, out); err != nil {
		return err
	}
	return reportBoard(ctx, p.base, filepath.Join(s.root, "dashboards/queuefleet-overview.json"), out)
}

// serve serves the pages, each at an address of its own, by job.
func serve(ctx context.Context, f fleet, c *catalogue) (targets map[string]string, series int, closeAll func(), err error) {
	targets = map[string]string{}
	var servers []*http.Server
	closeAll = func() {
		for _, s := range servers {
			s.Close()
		}
	}
	pages := map[string][]byte{"queuefleet_exporter": f.exporterPage(c)}
	for i := range f.supervisors {
		pages[fmt.Sprintf("queuefleet_supervisor_%d", i)] = f.supervisorPage(c, i)
	}
	for job, page := range pages {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			closeAll()
			return nil, 0, nil, err
		}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			w.Write(page) //nolint:errcheck // whoever scrapes may leave
		})}
		servers = append(servers, server)
		go server.Serve(listener) //nolint:errcheck // it ends with closeAll
		targets[job] = listener.Addr().String()
		for _, b := range page {
			if b == '\n' {
				series++
			}
		}
	}
	return targets, series, closeAll, nil
}

// backfill writes, in order of time, half-hours of 30 days and minutes of the
// last hours: what the windows of the objectives read.
func backfill(ctx context.Context, s settings, base string) (int, error) {
	const breached = "queue:redis_queue_wait_breached:"
	now := time.Now().Truncate(time.Minute)
	written := 0
	// A step is half an hour; no sample of a step lies so far behind the newest
	// that Prometheus would refuse it.
	for at := now.AddDate(0, 0, -s.days); at.Before(now); at = at.Add(30 * time.Minute) {
		var r request
		for i := range s.fleet.connections {
			for q := range s.fleet.queues / s.fleet.connections {
				bad := 0.0
				if (i+q)%50 == 0 {
					bad = 1
				}
				r.add(recorded(breached+"slice30m", i, q), []sample{{at, bad}})
				written++
				if now.Sub(at) <= 6*time.Hour {
					var minutes []sample
					for m := at; m.Before(at.Add(30*time.Minute)) && m.Before(now); m = m.Add(time.Minute) {
						minutes = append(minutes, sample{m, bad})
					}
					r.add(recorded(breached+"bool", i, q), minutes)
					written += len(minutes)
				}
			}
			if len(r.series) > 4<<20 {
				if err := r.send(ctx, base); err != nil {
					return written, err
				}
			}
		}
		if err := r.send(ctx, base); err != nil {
			return written, err
		}
	}
	return written, nil
}

// prometheus is one that was started here.
type prometheus struct {
	command *exec.Cmd
	base    string
	config  string
}

func startPrometheus(ctx context.Context, dir string) (*prometheus, error) {
	path, err := exec.LookPath("prometheus")
	if err != nil {
		return nil, fmt.Errorf("prometheus is missing: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	listener.Close()
	p := &prometheus{base: "http://" + address, config: filepath.Join(dir, "prometheus.yml")}
	if err := os.WriteFile(p.config, []byte("global: {}\n"), 0o600); err != nil {
		return nil, err
	}
	//nolint:gosec // what is started is what was found
	p.command = exec.CommandContext(ctx, path, "--config.file="+p.config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--storage.tsdb.retention.time=40d", "--web.listen-address="+address, "--web.enable-lifecycle",
		"--web.enable-remote-write-receiver", "--log.level=error")
	p.command.Stderr = os.Stderr
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(200 * time.Millisecond) {
		if answer, err := http.Get(p.base + "/-/ready"); err == nil { //nolint:noctx // loopback
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return p, nil
			}
		}
	}
	p.stop()
	return nil, errors.New("prometheus did not get ready within a minute")
}

func (p *prometheus) stop() {
	p.command.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may be gone
	p.command.Wait()                          //nolint:errcheck // as it was told to
}

// configure has it scrape the pages and evaluate the rules.
func (p *prometheus) configure(ctx context.Context, root string, targets map[string]string) error {
	alerts, err := filepath.Abs(filepath.Join(root, "alerts"))
	if err != nil {
		return err
	}
	config := fmt.Sprintf("global: {scrape_interval: 30s, scrape_timeout: 20s, evaluation_interval: 30s}\nrule_files: [%q]\nscrape_configs:\n", alerts+"/queuefleet-*.yaml")
	for job, target := range targets {
		config += fmt.Sprintf("  - {job_name: %s, honor_labels: true, static_configs: [{targets: [%q]}]}\n", job, target)
	}
	if err := os.WriteFile(p.config, []byte(config), 0o600); err != nil {
		return err
	}
	reload, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+"/-/reload", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(reload)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("reload: %s: %s", answer.Status, text)
	}
	return nil
}
