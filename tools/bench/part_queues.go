package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	manyQueues   = 1000
	jobsPerQueue = 20 // of each list and sorted set
)

// runQueues measures what queues cost beyond their connection: on one real
// Redis, an exporter without any, one that reads depths and one that reads ages
// too take turns.
func runQueues(ctx context.Context, b *bench) error {
	s, err := startServer(ctx, b)
	if err != nil {
		return err
	}
	defer s.stop()
	names, err := s.fill()
	if err != nil {
		return err
	}
	bare := &fleet{addresses: []string{s.addr}}
	full := &fleet{addresses: []string{s.addr}, names: names}
	var list []*exporter
	for _, try := range []struct {
		fleet *fleet
		flags []string
	}{{bare, nil}, {full, []string{"--no-collector.queue-ages"}}, {full, nil}} {
		e, err := startExporter(ctx, b, try.fleet.yaml(), try.flags...)
		if err != nil {
			return err
		}
		defer e.stop()
		if _, err := e.warm(ctx, 1); err != nil {
			return err
		}
		if err := e.steady(ctx); err != nil {
			return err
		}
		list = append(list, e)
	}
	if err := checkQueues(ctx, list[2]); err != nil {
		return err
	}
	if err := queueSeries(ctx, b, list); err != nil {
		return err
	}
	if err := queueCosts(ctx, b, s, list); err != nil {
		return err
	}
	if err := scrapePath(ctx, b, s, list); err != nil {
		return err
	}
	if err := roundTrips(ctx, b, s, names); err != nil {
		return err
	}
	for i, name := range []string{"no-queues", "depths", "ages"} {
		if err := list[i].profiled(ctx, b, name, func() error { _, err := list[i].scrapes(ctx, 1, ""); return err }); err != nil {
			return err
		}
	}
	return nil
}

// fill makes Laravel's queues: ready, delayed and reserved jobs, a few of them
// overdue or expired.
func (s *server) fill() ([]string, error) {
	var names []string
	now := time.Now().Unix()
	var commands [][]string
	for i := range manyQueues {
		name := fmt.Sprintf("work-%05d", i)
		names = append(names, name)
		key := "laravel_database_queues:" + name
		ready := []string{"RPUSH", key}
		delayed := []string{"ZADD", key + ":delayed"}
		reserved := []string{"ZADD", key + ":reserved"}
		for j := range jobsPerQueue {
			job := payload(i*jobsPerQueue+j, now-int64(j))
			ready = append(ready, job)
			delayed = append(delayed, strconv.FormatInt(now+int64(j-2)*60, 10), job)
			reserved = append(reserved, strconv.FormatInt(now+int64(j-1)*60, 10), job)
		}
		commands = append(commands, ready, delayed, reserved)
	}
	return names, s.doAll(commands)
}

// payload is a job as Laravel 11 writes it.
func payload(n int, created int64) string {
	return fmt.Sprintf(`{"uuid":"3f2504e0-4f89-41d3-9a0c-%012d","displayName":"App\\Jobs\\ShipOrder","job":"Illuminate\\Queue\\CallQueuedHandler@call",`+
		`"maxTries":3,"maxExceptions":null,"failOnTimeout":false,"backoff":null,"timeout":60,"retryUntil":null,"data":{"commandName":"App\\Jobs\\ShipOrder",`+
		`"command":"O:18:\"App\\Jobs\\ShipOrder\":1:{s:5:\"order\";i:%d;}"},"createdAt":%d,"id":"%032d","attempts":0}`, n, n, created, n)
}

// checkQueues makes sure that what is measured is what is meant.
func checkQueues(ctx context.Context, e *exporter) error {
	page, _, err := e.scrape(ctx, "")
	if err != nil {
		return err
	}
	for _, want := range []struct {
		metric, value string
		count         int
	}{
		{"redis_queue_read_success", "1", manyQueues},
		{"redis_queue_jobs", strconv.Itoa(jobsPerQueue), 3 * manyQueues},
	} {
		if got := countValue(page, want.metric, want.value); got != want.count {
			return fmt.Errorf("%d series of %s are %s, want %d", got, want.metric, want.value, want.count)
		}
	}
	if ages := bytes.Count(page, []byte("\nredis_queue_oldest_job_age_seconds{")); ages != manyQueues {
		return fmt.Errorf("%d queues have an age, want %d", ages, manyQueues)
	}
	return nil
}

// queueSeries reports how many series a queue has.
func queueSeries(ctx context.Context, b *bench, list []*exporter) error {
	var series []float64
	for _, e := range list {
		page, _, err := e.scrape(ctx, "")
		if err != nil {
			return err
		}
		series = append(series, float64(countFleetSeries(page)))
	}
	b.report.add("depths: series of a queue", "", nil, math.Round(beyond(series[1:2], series[:1])[0]))
	b.report.add("depths and ages: series of a queue", "", nil, math.Round(beyond(series[2:], series[:1])[0]))
	return nil
}

// queueCosts reports the CPU of a queue, the exporter's and Redis'.
func queueCosts(ctx context.Context, b *bench, s *server, list []*exporter) error {
	own, theirs := make([][]float64, len(list)), make([][]float64, len(list))
	n := b.pick(40, 10)
	for range b.pick(8, 3) {
		for i, e := range list {
			var used time.Duration
			redis, err := cpuOf(func() (err error) {
				used, err = cpuOf(func() error { _, err := e.scrapes(ctx, n, ""); return err }, e.process)
				return err
			}, s.process)
			if err != nil {
				return err
			}
			own[i] = append(own[i], us(used)/float64(n))
			theirs[i] = append(theirs[i], us(redis)/float64(n))
		}
	}
	b.report.add("one connection, no queue: CPU of a scrape, most of it for whatever size of fleet", "µs", nil, own[0]...)
	b.report.add("depths: CPU of a queue", "µs", atMost(5), beyond(own[1], own[0])...)
	b.report.add("depths and ages: CPU of a queue", "µs", atMost(15), beyond(own[2], own[0])...)
	b.report.add("depths: CPU of Redis for a queue", "µs", nil, beyond(theirs[1], theirs[0])...)
	b.report.add("depths and ages: CPU of Redis for a queue", "µs", nil, beyond(theirs[2], theirs[0])...)
	return nil
}

// beyond is what a queue costs more than none, round by round.
func beyond(with, without []float64) []float64 {
	list := make([]float64, len(with))
	for i := range with {
		list[i] = (with[i] - without[i]) / manyQueues
	}
	return list
}

// scrapePath reports by Redis' own statistics which commands a scrape sends and
// in how many pieces the request of a connection without queues arrives.
func scrapePath(ctx context.Context, b *bench, s *server, list []*exporter) error {
	const n = 20
	scrape := func(list ...*exporter) func() error {
		return func() error {
			for _, e := range list {
				if _, err := e.scrapes(ctx, n, ""); err != nil {
					return err
				}
			}
			return nil
		}
	}
	stats, err := s.counted("stats", scrape(list[0]))
	if err != nil {
		return err
	}
	reads, err := strconv.Atoi(stats["total_reads_processed"])
	if err != nil {
		return fmt.Errorf("total_reads_processed: %w", err)
	}
	const own = 1 // the INFO that told it
	b.report.add("reads by Redis for a scrape without queues", "", exactly(1), float64(reads-own)/n)

	calls, err := s.counted("commandstats", scrape(list...))
	if err != nil {
		return err
	}
	var seen []string
	forbidden := 0
	for key, value := range calls {
		name := strings.TrimPrefix(key, "cmdstat_")
		if name == "config|resetstat" { // ours
			continue
		}
		seen = append(seen, name)
		if slices.Contains([]string{"scan", "keys", "eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "sort", "lrange", "smembers"}, name) {
			times, _, _ := strings.Cut(strings.TrimPrefix(value, "calls="), ",")
			count, err := strconv.Atoi(times)
			if err != nil {
				return fmt.Errorf("INFO commandstats: %s: %w", name, err)
			}
			forbidden += count
		}
	}
	slices.Sort(seen)
	b.report.add("SCAN, KEYS, Lua and whole lists on the scrape path", "calls", exactly(0), float64(forbidden))
	b.report.remark("commands on the scrape path by Redis' own count: %s", strings.Join(seen, ", "))
	return nil
}

// roundTrips reports how many times the exporter waits for Redis in a scrape
// with a thousand queues: a proxy adds a delay that stands out of all else.
func roundTrips(ctx context.Context, b *bench, s *server, names []string) error {
	const delay = 300 * time.Millisecond
	proxy, err := startProxy(s.addr, delay)
	if err != nil {
		return err
	}
	defer proxy.stop()
	e, err := startExporter(ctx, b, (&fleet{addresses: []string{proxy.addr}, names: names}).yaml())
	if err != nil {
		return err
	}
	defer e.stop()
	if _, err := e.warm(ctx, 1); err != nil {
		return errors.Join(errors.New("behind a proxy"), err)
	}
	if err := e.steady(ctx); err != nil {
		return err
	}
	times, err := e.scrapes(ctx, 5, "")
	if err != nil {
		return err
	}
	b.report.add(fmt.Sprintf("round trips of a scrape with %d queues (whole delays of %d ms in it)", manyQueues, delay.Milliseconds()), "",
		exactly(1), float64(int(slices.Min(times)/ms(delay))))
	return nil
}
