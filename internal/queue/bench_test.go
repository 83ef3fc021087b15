package queue

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// BenchmarkRead reads 1,000 queues of one real Redis in one pipeline, go-redis
// included, and prints the CPU time of this process and of Redis per queue.
func BenchmarkRead(b *testing.B) {
	const queues = 1000
	server := redistest.Start(b, redistest.Options{})
	c := redis.NewClient(&redis.Options{Addr: server.Addr, ReadBufferSize: 8 << 10, WriteBufferSize: 8 << 10, ContextTimeoutEnabled: true})
	defer c.Close()
	const prefix = "web_shop_database_"
	hints := LaravelPrefixes("Web Shop", "shop", "") // seven
	targets := make([]Target, queues)
	for i := range targets {
		targets[i] = Target{Application: "shop", Connection: "main", Queue: fmt.Sprint("tenant-", i), PrefixHints: hints}
	}
	quiet := sample{ready: 20, delayed: 20, reserved: 20, age: 60}
	stuck := sample{ready: 20, delayed: 20, overdue: 10, reserved: 20, expired: 10, age: 60, overdueAge: 30}
	for _, bench := range []struct {
		name    string
		options Options
		sample  sample
	}{
		{"depths", Options{}, quiet},
		{"ages", Options{Ages: true}, quiet},
		{"ages-overdue", Options{Ages: true}, stuck},
		{"ages-prefix-unknown", Options{Ages: true}, sample{}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			pipe := c.Pipeline()
			pipe.FlushDB(b.Context())
			for i := range targets {
				laravelFixture.fill(b.Context(), pipe, prefix, targets[i].Queue, bench.sample)
			}
			if _, err := pipe.Exec(b.Context()); err != nil {
				b.Fatal(err)
			}
			before := heap()
			r := NewReader(bench.options)
			r.SetTargets(targets)
			for range 4 { // until all heads are asked for
				benchScrape(b, r, c, bench.sample.ready)
			}
			held := float64(heap()-before) / queues
			redisBefore, cpuBefore := serverCPU(b, c), processCPU(b)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				benchScrape(b, r, c, bench.sample.ready)
			}
			b.StopTimer()
			n := float64(b.N * queues)
			b.ReportMetric(float64((processCPU(b)-cpuBefore).Nanoseconds())/1e3/n, "cpu-µs/queue")
			b.ReportMetric(float64((serverCPU(b, c)-redisBefore).Nanoseconds())/1e3/n, "redis-cpu-µs/queue")
			b.ReportMetric(held, "heap-B/queue")
			runtime.KeepAlive(r)
		})
	}
}

func benchScrape(b *testing.B, r *Reader, c *redis.Client, ready int) {
	pipe := c.Pipeline()
	r.Enqueue(b.Context(), pipe, at)
	if _, err := pipe.Exec(b.Context()); err != nil && !errors.Is(err, redis.Nil) {
		b.Fatal(err)
	}
	r.Results(at, func(t *Target, reading *Reading) {
		if reading.Err != nil || reading.Jobs[Ready] != float64(ready) {
			b.Fatalf("%s: %+v", t.Queue, reading)
		}
	})
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// processCPU is the CPU time that this process has used, user and system.
func processCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// serverCPU is the CPU time that the server has used, by its own account.
func serverCPU(b *testing.B, c *redis.Client) time.Duration {
	info, err := c.Info(b.Context(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	sum := 0.0
	for line := range strings.Lines(info) {
		var seconds float64
		if name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); name == "used_cpu_sys" || name == "used_cpu_user" {
			if _, err := fmt.Sscan(value, &seconds); err != nil {
				b.Fatal(err)
			}
			sum += seconds
		}
	}
	return time.Duration(sum * float64(time.Second))
}
