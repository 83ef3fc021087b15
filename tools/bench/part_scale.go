package main

import (
	"context"
	"fmt"
)

// realBesideFakes is how many real servers a fleet of fakes has beside it.
const realBesideFakes = 10

// runScale measures whole scrapes of a fleet with queues, and how CPU and memory
// grow with its size.
func runScale(ctx context.Context, b *bench) error {
	f, err := startFakes()
	if err != nil {
		return err
	}
	defer f.stop()
	servers, err := startServers(ctx, b, realBesideFakes)
	if err != nil {
		return err
	}
	defer stopServers(servers)
	if err := wholeFleet(ctx, b, f, servers); err != nil {
		return err
	}
	return growth(ctx, b, f)
}

// wholeFleet measures 1,000 connections with 1,000 queues.
func wholeFleet(ctx context.Context, b *bench, f *fakes, servers []*server) error {
	const connections = 1000
	addresses := repeat(f.addr, connections-len(servers))
	for _, s := range servers {
		addresses = append(addresses, s.addr)
	}
	e, err := startExporter(ctx, b, (&fleet{addresses: addresses, queues: connections}).yaml())
	if err != nil {
		return err
	}
	defer e.stop()
	page, err := e.warm(ctx, connections)
	if err != nil {
		return err
	}
	if read := countValue(page, "redis_queue_read_success", "1"); read != connections {
		return fmt.Errorf("%d queues were read, want %d", read, connections)
	}
	if err := e.steady(ctx); err != nil {
		return err
	}
	if err := scrapeTimes(ctx, b, e); err != nil {
		return err
	}
	if err := footprint(ctx, b, e); err != nil {
		return err
	}
	return e.profiled(ctx, b, "fleet", func() error { _, err := e.scrapes(ctx, 1, ""); return err })
}

// whole is how the rows of the whole fleet begin.
const whole = "1,000 connections, 1,000 queues"

func scrapeTimes(ctx context.Context, b *bench, e *exporter) error {
	n := b.pick(60, 15)
	for _, encoding := range []string{"", "gzip"} {
		var times []float64
		used, err := cpuOf(func() (err error) { times, err = e.scrapes(ctx, n, encoding); return err }, e.process)
		if err != nil {
			return err
		}
		what, limit := whole, atMost(250)
		if encoding != "" {
			what, limit = what+", gzip", nil
		}
		b.report.add(what+": scrape, p50", "ms", limit, quantile(times, 0.5))
		b.report.add(what+": scrape, p95", "ms", limit, quantile(times, 0.95))
		b.report.add(what+": CPU of a scrape", "ms", nil, ms(used)/float64(n))
	}
	return nil
}

// footprint reports the memory and the page.
func footprint(ctx context.Context, b *bench, e *exporter) error {
	m, err := e.memory()
	if err != nil {
		return err
	}
	page, _, err := e.scrape(ctx, "")
	if err != nil {
		return err
	}
	packed, _, err := e.scrape(ctx, "gzip")
	if err != nil {
		return err
	}
	b.report.add(whole+": RSS after the scrapes", "MB", atMost(90), mb(m.resident))
	b.report.add(whole+": RSS at its peak", "MB", nil, mb(m.peak))
	b.report.add(whole+": page", "MB", nil, mb(float64(len(page))))
	b.report.add(whole+": page, gzip", "MB", nil, mb(float64(len(packed))))
	b.report.add(whole+": series", "", nil, float64(countSeries(page)))
	return nil
}

// size is what a fleet of one size costs.
type size struct {
	connections int
	cpu         []float64 // µs a connection and scrape, of each round
	resident    float64   // bytes
}

// growth measures fleets without queues from 100 connections to 10,000.
func growth(ctx context.Context, b *bench, f *fakes) error {
	counts := []int{100, 1000, 10000}
	if b.quick {
		counts = []int{100, 1000}
	}
	if most, need := b.report.Machine.Files, counts[len(counts)-1]+500; most < need {
		b.report.remark("growth was measured up to 1,000 connections only: a process may open %d files here, %d are needed", most, need)
		counts = []int{100, 1000}
	}
	var first size
	for _, n := range counts {
		s, err := measureSize(ctx, b, f, n)
		if err != nil {
			return fmt.Errorf("%d connections: %w", n, err)
		}
		if first.connections == 0 {
			first = s
		}
		b.reportSize(first, s)
	}
	return nil
}

// reportSize reports a size and how it compares with the first one: growth is
// linear or better where a connection of a larger fleet costs no more.
func (b *bench) reportSize(first, s size) {
	name := count(s.connections) + " connections"
	b.report.add(name+": CPU of a connection and scrape", "µs", nil, s.cpu...)
	b.report.add(name+": RSS", "MB", nil, mb(s.resident))
	if s.connections == first.connections {
		return
	}
	by := ", by that of " + count(first.connections)
	b.report.add(name+": CPU of a connection"+by, "×", atMost(1), median(s.cpu)/median(first.cpu))
	b.report.add(name+": RSS of a connection"+by, "×", atMost(1), s.resident/float64(s.connections)/(first.resident/float64(first.connections)))
	b.report.add(fmt.Sprintf("%s: RSS of each connection beyond %s", name, count(first.connections)), "kB", nil,
		(s.resident-first.resident)/float64(s.connections-first.connections)/1e3)
}

func measureSize(ctx context.Context, b *bench, f *fakes, n int) (size, error) {
	e, err := startExporter(ctx, b, (&fleet{addresses: repeat(f.addr, n)}).yaml())
	if err != nil {
		return size{}, err
	}
	defer e.stop()
	if _, err := e.warm(ctx, n); err != nil {
		return size{}, err
	}
	if err := e.steady(ctx); err != nil {
		return size{}, err
	}
	// About as many probes for each size.
	const rounds = 5
	s := size{connections: n}
	scrapes := max(b.pick(100000, 20000)/n/rounds, 1)
	for range rounds {
		used, err := cpuOf(func() error { _, err := e.scrapes(ctx, scrapes, ""); return err }, e.process)
		if err != nil {
			return size{}, err
		}
		s.cpu = append(s.cpu, us(used)/float64(scrapes*n))
	}
	m, err := e.memory()
	if err != nil {
		return size{}, err
	}
	s.resident = m.resident
	return s, e.profiled(ctx, b, fmt.Sprintf("size-%d", n), func() error { _, err := e.scrapes(ctx, 1, ""); return err })
}
