package connection

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// cpu is the processor time of this process so far.
func cpu(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// bare is the floor: a client that writes both commands and reads both replies
// and does nothing else.
type bare struct {
	net.Conn
	in   *bufio.Reader
	text []byte
}

func dialBare(b *testing.B, addr string) *bare {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return &bare{Conn: c, in: bufio.NewReaderSize(c, readBuffer)}
}

func (c *bare) probe() error {
	if _, err := io.WriteString(c, "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nINFO\r\n"); err != nil {
		return err
	}
	if _, err := c.in.ReadSlice('\n'); err != nil {
		return err
	}
	header, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(header[1 : len(header)-2]))
	if err != nil {
		return err
	}
	if n += 2; cap(c.text) < n {
		c.text = make([]byte, 2*n)
	}
	_, err = io.ReadFull(c.in, c.text[:n])
	return err
}

// BenchmarkPingInfo compares a probe with the floor, in turns in one run, and
// prints the processor time of each.
func BenchmarkPingInfo(b *testing.B) {
	servers := map[string]string{"redis": redistest.Start(b, redistest.Options{}).Addr}
	servers["fleet"], _ = redistest.StartFleet(b)
	for name, addr := range servers {
		b.Run(name, func(b *testing.B) {
			floor, ours := dialBare(b, addr), open(b, at(addr))
			var spent [2]time.Duration
			const turn = 100
			rounds := 0
			b.ReportAllocs()
			for b.Loop() {
				rounds++
				for i, one := range []func() error{floor.probe, func() error { _, err := probe(b.Context(), ours); return err }} {
					start := cpu(b)
					for range turn {
						if err := one(); err != nil {
							b.Fatal(err)
						}
					}
					spent[i] += cpu(b) - start
				}
			}
			each := func(i int) float64 { return float64(spent[i].Microseconds()) / float64(turn*rounds) }
			b.ReportMetric(each(0), "floor-µs/probe")
			b.ReportMetric(each(1), "ours-µs/probe")
			b.ReportMetric(each(1)-each(0), "more-µs/probe")
		})
	}
}

// BenchmarkFleet probes a thousand connections at once, and prints what they
// cost in processor time and in memory once they idle.
func BenchmarkFleet(b *testing.B) {
	addr, _ := redistest.StartFleet(b)
	long := configs.Duration(time.Minute)
	patient := configs.ConnectionOptions{DialTimeout: long, ReadTimeout: long, WriteTimeout: long, PoolSize: 2}
	for _, size := range []int{1000, 4000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			before := resident(b)
			set := NewSet(slog.New(slog.DiscardHandler))
			defer set.Close()
			conns := make([]configs.Connection, size)
			for i := range conns {
				conns[i] = at(addr)
				conns[i].Name, conns[i].Options = strconv.Itoa(i), patient
			}
			set.Apply(conns)
			round(b, set, size)
			start, rounds := cpu(b), 0
			for b.Loop() {
				round(b, set, size)
				rounds++
			}
			b.ReportMetric(float64((cpu(b)-start).Microseconds())/float64(size*rounds), "µs/probe")
			b.ReportMetric(float64(resident(b)-before)/float64(size)/1024, "KiB/connection")
		})
	}
}

func round(b *testing.B, set *Set, size int) {
	var running sync.WaitGroup
	for i := range size {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
			defer cancel()
			client, release, _ := set.Acquire(strconv.Itoa(i))
			defer release()
			if _, err := probe(ctx, client); err != nil {
				b.Error(err)
			}
		})
	}
	running.Wait()
}

// resident is the memory in use after a collection, in bytes.
func resident(b *testing.B) int64 {
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib << 10
}
