package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// probeTimeout is that of the configurations here, see fleet.yaml.
const probeTimeout = 2 * time.Second

// hungShare is one in how many connections hangs.
const hungShare = 5

// runHung measures a fleet a fifth of which accepts connections and never
// answers, and what is left behind by clients that give up.
func runHung(ctx context.Context, b *bench) error {
	f, err := startFakes()
	if err != nil {
		return err
	}
	defer f.stop()
	n := b.pick(1000, 200)
	addresses := repeat(f.addr, n)
	for i := 0; i < n; i += hungShare {
		addresses[i] = f.hung
	}
	hung := n / hungShare
	e, err := startExporter(ctx, b, (&fleet{addresses: addresses}).yaml())
	if err != nil {
		return err
	}
	defer e.stop()

	_, took, err := e.scrapeHung(ctx, n, hung)
	if err != nil {
		return err
	}
	const margin = 500 * time.Millisecond // for 1,000 first dials and a page
	b.report.add(fmt.Sprintf("%d of %d connections hung: first scrape", hung, n), "ms", atMost(ms(probeTimeout+margin)), ms(took))
	times, wrong, err := e.scrapesHung(ctx, b.pick(40, 10), n, hung)
	if err != nil {
		return err
	}
	b.report.add("scrapes after it, p50", "ms", atMost(300), quantile(times, 0.5))
	b.report.add("scrapes after it, p95", "ms", atMost(300), quantile(times, 0.95))
	b.report.add("scrapes that lacked a redis_up of a connection", "", exactly(0), float64(wrong))
	return abandoned(ctx, b, e, n, hung)
}

// scrapeHung scrapes and reports whether each connection says what it should.
func (e *exporter) scrapeHung(ctx context.Context, n, hung int) (right bool, took time.Duration, err error) {
	page, took, err := e.scrape(ctx, "")
	if err != nil {
		return false, took, err
	}
	return countValue(page, "redis_up", "0") == hung && countValue(page, "redis_up", "1") == n-hung, took, nil
}

// scrapesHung scrapes every quarter of a second, so that the scrapes fall on
// all phases of the retries in the background.
func (e *exporter) scrapesHung(ctx context.Context, scrapes, n, hung int) (times []float64, wrong int, err error) {
	// Sockets that could not be opened in the first scrape's time are opened now.
	for range 3 {
		if _, _, err := e.scrapeHung(ctx, n, hung); err != nil {
			return nil, 0, err
		}
	}
	for range scrapes {
		right, took, err := e.scrapeHung(ctx, n, hung)
		if err != nil {
			return nil, 0, err
		}
		if !right {
			wrong++
		}
		times = append(times, ms(took))
		if err := wait(ctx, 250*time.Millisecond); err != nil {
			return nil, 0, err
		}
	}
	return times, wrong, nil
}

// abandoned has clients give up their scrapes and reports what stays behind.
func abandoned(ctx context.Context, b *bench, e *exporter, n, hung int) error {
	const clients = 200
	before, err := e.memory()
	if err != nil {
		return err
	}
	filesBefore, err := e.files()
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	gate := make(chan struct{}, 8)
	for range clients {
		gate <- struct{}{}
		running.Go(func() {
			defer func() { <-gate }()
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			_, _, _ = e.scrape(ctx, "") // most end with the client's patience
		})
	}
	running.Wait()
	if err := wait(ctx, probeTimeout+time.Second); err != nil { // what was in flight has ended
		return err
	}
	right, _, err := e.scrapeHung(ctx, n, hung)
	if err != nil {
		return err
	}
	if !right {
		return errors.New("after scrapes that were given up, a connection says something else than before")
	}
	after, err := e.memory()
	if err != nil {
		return err
	}
	filesAfter, err := e.files()
	if err != nil {
		return err
	}
	b.report.add(fmt.Sprintf("RSS after %d scrapes that were given up, more than before", clients), "MB", atMost(10), mb(after.resident-before.resident))
	b.report.add(fmt.Sprintf("files open after %d scrapes that were given up, more than before", clients), "", atMost(float64(hung)), float64(filesAfter-filesBefore))
	return nil
}
