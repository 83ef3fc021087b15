package collector

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// BenchmarkScrape scrapes a fleet that runs in a process of its own and reports
// this process's CPU for each connection.
func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			addr, _ := redistest.StartFleet(b)
			logger := slog.New(slog.DiscardHandler)
			set := connection.NewSet(logger)
			defer set.Close()
			c := New(set, Options{Logger: logger, Registerer: prometheus.NewRegistry(), QueueAges: true})
			defer c.Close()
			yaml := strings.Builder{}
			yaml.WriteString("connections:\n")
			for i := range n {
				yaml.WriteString(connectionYAML(fmt.Sprintf("connection-%d", i), addr, "team: payments", "region: eu-west-1"))
			}
			cfg, err := configs.Parse("bench.yml", []byte(yaml.String()))
			if err != nil {
				b.Fatal(err)
			}
			set.Apply(cfg.Connections)
			c.Apply(cfg)
			scrape := func() []byte {
				ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
				defer cancel()
				page, err := c.Scrape(ctx, nil)
				if err != nil {
					b.Fatal(err)
				}
				return pageText(b, page)
			}
			page := scrape()
			if up := strings.Count(string(page), "\nredis_up{"); up != n {
				b.Fatalf("%d connections on the page, want %d", up, n)
			}
			before := cpu(b)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				page = scrape()
			}
			used := cpu(b) - before
			b.ReportMetric(float64(used.Microseconds())/float64(b.N*n), "cpu-µs/connection")
			b.ReportMetric(float64(strings.Count(string(page), "\n"))/float64(n), "lines/connection")
		})
	}
}

func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
