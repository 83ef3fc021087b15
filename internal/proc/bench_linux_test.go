package proc

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const thousand = 1000

// statusNumber reads a number of /proc/self/status.
func statusNumber(b *testing.B, name string) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			number, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return number
		}
	}
	b.Fatalf("there is no %s in /proc/self/status", name)
	return 0
}

func cpu() time.Duration {
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func sleeper() Spec {
	return Spec{
		Path: "/bin/sleep", Args: []string{"sleep", "100000"}, Dir: "/", DeathSignal: syscall.SIGKILL,
		User: &Identity{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())},
	}
}

// BenchmarkThousand starts 1,000 children, kills and replaces 200 of them one at
// a time, and stops all.
func BenchmarkThousand(b *testing.B) {
	for b.Loop() {
		m, err := New(Options{Logger: discard(), Adopt: true, Forward: func(*Child, Line) {}})
		if err != nil {
			b.Fatal(err)
		}
		rss, begin, used := statusNumber(b, "VmRSS"), time.Now(), cpu()
		children := startThousand(m)
		b.ReportMetric(time.Since(begin).Seconds(), "start-s")
		b.ReportMetric((cpu() - used).Seconds(), "start-cpu-s")
		b.ReportMetric((statusNumber(b, "VmRSS")-rss)/1024, "RSS-growth-MiB")
		b.ReportMetric(statusNumber(b, "Threads"), "threads")
		took := replaceSome(b, m, children)
		b.ReportMetric(took[len(took)/2].Seconds()*1e3, "replace-p50-ms")
		b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "replace-p99-ms")
		begin = time.Now()
		stopAll(b, m, children)
		b.ReportMetric(time.Since(begin).Seconds(), "stop-s")
		if err := m.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func startThousand(m *Manager) []*Child {
	var children []*Child
	for range thousand {
		children = append(children, m.Start(Launch{Spec: sleeper()}))
	}
	for range children {
		<-m.Events() // Started
	}
	return children
}

func replaceSome(b *testing.B, m *Manager, children []*Child) []time.Duration {
	var took []time.Duration
	for i := range 200 {
		begin := time.Now()
		_ = unix.Kill(children[i].PID(), unix.SIGKILL)
		for running := false; !running; {
			switch e := <-m.Events(); e.Kind {
			case Exited:
				children[i] = m.Start(Launch{Spec: sleeper()})
			case Started:
				running = true
			case Failed:
				b.Fatal(e.Err)
			}
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took
}

func stopAll(b *testing.B, m *Manager, children []*Child) {
	for _, c := range children {
		if err := c.Stop(time.Minute); err != nil {
			b.Fatal(err)
		}
	}
	left := map[*Child]bool{}
	for _, c := range children {
		left[c] = true
	}
	for len(left) > 0 {
		if e := <-m.Events(); e.Kind == Gone {
			delete(left, e.Child)
		}
	}
}

// BenchmarkFloor starts the same children with nothing but fork and exec.
func BenchmarkFloor(b *testing.B) {
	for b.Loop() {
		begin := time.Now()
		var pids []int
		for range thousand {
			pid, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "100000"}, &syscall.ProcAttr{
				Sys: &syscall.SysProcAttr{Setsid: true},
			})
			if err != nil {
				b.Fatal(err)
			}
			pids = append(pids, pid)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "start-s")
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			_, _ = syscall.Wait4(pid, nil, 0, nil)
		}
	}
}
