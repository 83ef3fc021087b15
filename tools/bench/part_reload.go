package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
)

// runReload measures reloads, and what scrapes notice of them.
func runReload(ctx context.Context, b *bench) error {
	f, err := startFakes()
	if err != nil {
		return err
	}
	defer f.stop()
	if err := reloadTimes(ctx, b, f, 1000, b.pick(15, 5), atMost(150)); err != nil {
		return err
	}
	if err := reloadTimes(ctx, b, f, 10000, b.pick(5, 2), atMost(1500)); err != nil {
		return err
	}
	if err := applyTimes(b, f, 10000, b.pick(5, 2)); err != nil {
		return err
	}
	return reloadUnderLoad(ctx, b, f)
}

// versions are two files that differ in what no socket depends on.
func (b *bench) versions(f *fleet) ([2]string, error) {
	var files [2]string
	for i := range files {
		f.notes = fmt.Sprintf("version-%d", i)
		files[i] = filepath.Join(b.dir, fmt.Sprintf("version-%d.yml", i))
		if err := os.WriteFile(files[i], f.yaml(), 0o600); err != nil {
			return files, err
		}
	}
	return files, nil
}

// put replaces the exporter's configuration as a careful editor does.
func (e *exporter) put(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.config+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(e.config+".new", e.config)
}

// reloadTimes measures POST /-/reload while nothing scrapes.
func reloadTimes(ctx context.Context, b *bench, f *fakes, n, reloads int, limit *target) error {
	parts := &fleet{addresses: repeat(f.addr, n), queues: n}
	files, err := b.versions(parts)
	if err != nil {
		return err
	}
	e, err := startExporter(ctx, b, parts.yaml())
	if err != nil {
		return err
	}
	defer e.stop()
	var times []float64
	var used time.Duration
	for i := range reloads + 1 {
		if err := e.put(files[i%2]); err != nil {
			return err
		}
		cpu, err := cpuOf(func() error {
			took, err := e.reload(ctx)
			if i > 0 { // the first one is not counted
				times = append(times, ms(took))
			}
			return err
		}, e.process)
		if err != nil {
			return err
		}
		if i > 0 {
			used += cpu
		}
	}
	name := reloadName(n)
	b.report.add(name+"reload", "ms", limit, times...)
	b.report.add(name+"CPU of a reload", "ms", nil, ms(used)/float64(reloads))
	if info, err := os.Stat(e.config); err == nil {
		b.report.add(name+"the file", "MB", nil, mb(float64(info.Size())))
	}
	return e.profiled(ctx, b, fmt.Sprintf("reload-%d", n), func() error { _, err := e.reload(ctx); return err })
}

func reloadName(n int) string {
	return fmt.Sprintf("%s connections, %s queue configurations: ", count(n), count(n))
}

// applyTimes measures, in a process of its own, the part of a reload that puts
// what was loaded into use.
func applyTimes(b *bench, f *fakes, n, reloads int) error {
	files, err := b.versions(&fleet{addresses: repeat(f.addr, n), queues: n})
	if err != nil {
		return err
	}
	p, err := startRole(roleApply)
	if err != nil {
		return err
	}
	defer p.stop()
	var times, cpu []float64
	for i := range reloads + 1 {
		line, err := p.ask(files[i%2])
		if err != nil {
			return err
		}
		var took, used int64
		if _, err := fmt.Sscan(line, &took, &used); err != nil {
			return fmt.Errorf("%s: %q: %w", p.name, line, err)
		}
		if i > 0 {
			times, cpu = append(times, ms(time.Duration(took))), append(cpu, ms(time.Duration(used)))
		}
	}
	b.report.add(reloadName(n)+"applying alone", "ms", atMost(100), times...)
	b.report.add(reloadName(n)+"CPU of applying", "ms", nil, cpu...)
	return nil
}

// serveApply loads the file of each line, applies it as the exporter does, and
// answers with the time and the CPU time of applying in nanoseconds.
func serveApply(stdin io.Reader, stdout io.Writer) error {
	logger := slog.New(slog.DiscardHandler)
	set := connection.NewSet(logger)
	defer set.Close()
	c := collector.New(set, collector.Options{Logger: logger, Registerer: prometheus.NewRegistry(), QueueAges: true})
	defer c.Close()
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		cfg, err := configs.Load(lines.Text())
		if err != nil {
			return err
		}
		runtime.GC() // of what loading has left behind
		before, err := cpuTime(os.Getpid())
		if err != nil {
			return err
		}
		begin := time.Now()
		set.Apply(cfg.Connections)
		c.Apply(cfg)
		took := time.Since(begin)
		after, err := cpuTime(os.Getpid())
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(stdout, took.Nanoseconds(), (after - before).Nanoseconds()); err != nil {
			return err
		}
	}
	return nil
}

// reloadUnderLoad reloads while two clients scrape without a pause.
func reloadUnderLoad(ctx context.Context, b *bench, f *fakes) error {
	const connections = 100
	reloads := b.pick(1000, 100)
	parts := &fleet{addresses: repeat(f.addr, connections), queues: connections}
	files, err := b.versions(parts)
	if err != nil {
		return err
	}
	e, err := startExporter(ctx, b, parts.yaml())
	if err != nil {
		return err
	}
	defer e.stop()
	if _, err := e.warm(ctx, connections); err != nil {
		return err
	}
	accepted, err := f.accepted()
	if err != nil {
		return err
	}
	load := startLoad(ctx, e, connections, 2)
	for i := range reloads {
		if err := errors.Join(e.put(files[i%2]), ignoreTime(e.reload(ctx))); err != nil {
			load.stop()
			return err
		}
	}
	load.stop()
	opened, err := f.accepted()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d reloads under load: ", reloads)
	b.report.add(name+"scrapes meanwhile", "", nil, float64(load.good.Load()+load.bad.Load()))
	b.report.add(name+"scrapes that failed or lacked a connection", "", exactly(0), float64(load.bad.Load()))
	b.report.add(name+"sockets opened anew", "", exactly(0), float64(opened-accepted))
	if last := load.last.Load(); last != nil {
		b.report.remark("the last scrape that failed under reloads: %s", strings.TrimSpace(*last))
	}
	return nil
}

func ignoreTime(_ time.Duration, err error) error { return err }

// load is clients that scrape all the time.
type load struct {
	good, bad atomic.Int64
	last      atomic.Pointer[string] // what was wrong last
	cancel    context.CancelFunc
	running   sync.WaitGroup
}

func startLoad(ctx context.Context, e *exporter, connections, clients int) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel}
	for range clients {
		l.running.Go(func() {
			for ctx.Err() == nil {
				page, _, err := e.scrape(ctx, "")
				up, read := countValue(page, "redis_up", "1"), countValue(page, "redis_queue_read_success", "1")
				switch {
				case ctx.Err() != nil: // the end
				case err == nil && up == connections && read == connections:
					l.good.Add(1)
				default:
					l.bad.Add(1)
					what := fmt.Sprintf("%d up, %d queues read, error: %v", up, read, err)
					l.last.Store(&what)
				}
			}
		})
	}
	return l
}

func (l *load) stop() {
	l.cancel()
	l.running.Wait()
}
