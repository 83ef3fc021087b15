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
	n := b.pick(60, 15)
	for _, encoding := range []string{"", "gzip"} {
		var times []float64
		used, err := cpuOf(func() (err error) { times, err = e.scrapes(ctx, n, encoding); return err }, e.process)
		if err != nil {
			return err
		}
		what, limit := "1,000 connections, 1,000 queues", atMost(250)
		if encoding != "" {
			what, limit = what+", gzip", nil
		}
		b.report.add(what+": scrape, p50", "ms", limit, quantile(times, 0.5))
		b.report.add(what+": scrape, p95", "ms", limit, quantile(times, 0.95))
		b.report.add(what+": CPU of a scrape", "ms", nil, ms(used)/float64(n))
	}
	m, err := e.memory()
	if err != nil {
		return err
	}
	b.report.add("1,000 connections, 1,000 queues: RSS after the scrapes", "MB", atMost(90), mb(m.resident))
	b.report.add("1,000 connections, 1,000 queues: RSS at its peak", "MB", nil, mb(m.peak))
	b.report.add("1,000 connections, 1,000 queues: page", "MB", nil, mb(float64(len(page))))
	b.report.add("1,000 connections, 1,000 queues: series", "", nil, float64(countSeries(page)))
	return e.profiled(ctx, b, "fleet", func() error { _, err := e.scrapes(ctx, 1, ""); return err })
}

// size is what a fleet of one size costs.
type size struct {
	connections int
	cpu         float64 // µs a connection and scrape
	resident    float64 // bytes
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
	var sizes []size
	for _, n := range counts {
		s, err := measureSize(ctx, b, f, n)
		if err != nil {
			return fmt.Errorf("%d connections: %w", n, err)
		}
		sizes = append(sizes, s)
	}
	for i, s := range sizes {
		name := count(s.connections) + " connections"
		b.report.add(name+": CPU of a connection and scrape", "µs", nil, s.cpu)
		b.report.add(name+": RSS", "MB", nil, mb(s.resident))
		if i == 0 {
			continue
		}
		last := sizes[i-1]
		b.report.add(fmt.Sprintf("%s: CPU of a connection, by that of %s", name, count(last.connections)), "×", atMost(1.1), s.cpu/last.cpu)
		more := (s.resident - last.resident) / float64(s.connections-last.connections)
		b.report.add(fmt.Sprintf("%s: RSS of each connection beyond %s", name, count(last.connections)), "kB", nil, more/1e3)
	}
	return nil
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
	rounds := max(b.pick(100000, 20000)/n, 3)
	used, err := cpuOf(func() error { _, err := e.scrapes(ctx, rounds, ""); return err }, e.process)
	if err != nil {
		return size{}, err
	}
	m, err := e.memory()
	if err != nil {
		return size{}, err
	}
	err = e.profiled(ctx, b, fmt.Sprintf("size-%d", n), func() error { _, err := e.scrapes(ctx, 1, ""); return err })
	return size{n, us(used) / float64(rounds*n), m.resident}, err
}
