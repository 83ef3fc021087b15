package supervisor

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// procStatus reads a figure of /proc/self/status.
func procStatus(b *testing.B, name string) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("/proc/self/status says nothing of %s", name)
	return 0
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// thousand is the configuration of a thousand pools of one sleep each.
func (r *real) thousand(changed int) *configs.Config {
	r.t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "connections:\n  - name: main\n    address: %s\napplications:\n  - slug: shop\nqueues:\n", r.server.Addr)
	for i := range 1000 {
		seconds := "100000"
		if i == changed {
			seconds = "100001"
		}
		fmt.Fprintf(&text, "  - {name: pool-%04d, application: shop, connection: main, queue_names: [q%[1]d], min_processes: 1, max_processes: 1,\n"+
			"     worker: {preset: exec, command: [/bin/sleep, \"%[2]s\"], directory: /, user: root}}\n", i, seconds)
	}
	cfg, err := configs.Parse("bench.yml", []byte(text.String()))
	if err != nil {
		r.t.Fatal(err)
	}
	return cfg
}

func (r *real) allRunning() {
	r.t.Helper()
	r.until("a thousand running", func(s *State) bool {
		n := 0
		for _, p := range s.Pools {
			n += p.Counts.Running - p.Outdated
		}
		return n == 1000
	})
}

// BenchmarkThousandWorkers runs a thousand pools of one worker each: the
// figures that docs/performance.md compares with other supervisors.
func BenchmarkThousandWorkers(b *testing.B) {
	for b.Loop() {
		r := newReal(b, nil)
		cfg := r.thousand(-1)
		r.set.Apply(cfg.Connections)
		rss := procStatus(b, "VmRSS")
		begin := time.Now()
		r.Apply(cfg)
		r.allRunning()
		b.ReportMetric(time.Since(begin).Seconds(), "start-s")
		r.benchIdle(b)
		b.ReportMetric((procStatus(b, "VmRSS")-rss)/1024, "growth-MiB")
		b.ReportMetric(procStatus(b, "Threads"), "threads")
		r.benchCrash(b)
		r.benchReload(b)
		b.ReportMetric(loopP99(r.State())*1000, "loop-p99-ms")
		begin = time.Now()
		r.stop()
		<-r.done
		b.ReportMetric(time.Since(begin).Seconds(), "stop-s")
	}
}

func (r *real) benchIdle(b *testing.B) {
	const settle, idle = 10 * time.Second, 30 * time.Second
	<-time.After(settle)
	before := cpuTime(b)
	<-time.After(idle)
	b.ReportMetric(float64((cpuTime(b)-before).Milliseconds())*float64(time.Minute/idle), "idle-cpu-ms/min")
}

// benchCrash kills workers and reports how long it takes until another one has
// become the worker.
func (r *real) benchCrash(b *testing.B) {
	var delays []time.Duration
	for i := range 200 {
		pool, _ := r.State().Pool(fmt.Sprintf("pool-%04d", i))
		pid := pool.Workers[0].PID
		killed := time.Now()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		r.until("replaced", func(s *State) bool {
			p, _ := s.Pool(pool.Name)
			if len(p.Workers) != 1 || p.Workers[0].PID == pid || p.Workers[0].StartedAt.Before(killed) {
				return false
			}
			delays = append(delays, p.Workers[0].StartedAt.Sub(killed))
			return true
		})
	}
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds())/1000, "crash-p50-ms")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds())/1000, "crash-p99-ms")
}

// benchReload changes the command of one pool and reports how long it takes
// until its worker is another one. The others must not be touched.
func (r *real) benchReload(b *testing.B) {
	before := map[string]int{}
	for _, w := range r.State().Workers() {
		before[w.Pool] = w.PID
	}
	const changed = 500
	cfg := r.thousand(changed)
	begin := time.Now()
	r.Apply(cfg)
	name := fmt.Sprintf("pool-%04d", changed)
	var started time.Time
	r.until("replaced", func(s *State) bool {
		p, _ := s.Pool(name)
		if p.Generation != 2 || len(p.Workers) != 1 || p.Workers[0].Outdated || p.Workers[0].State != Running {
			return false
		}
		started = p.Workers[0].StartedAt
		return true
	})
	b.ReportMetric(float64(started.Sub(begin).Microseconds())/1000, "reload-ms")
	for _, w := range r.State().Workers() {
		if w.Pool != name && before[w.Pool] != w.PID {
			b.Errorf("the worker of %s was touched", w.Pool)
		}
	}
}

// BenchmarkStopFiftyPools tells fifty pools to leave whose workers need 3 s for
// it: all leave at the same time.
func BenchmarkStopFiftyPools(b *testing.B) {
	for b.Loop() {
		r := newReal(b, nil)
		var text strings.Builder
		fmt.Fprintf(&text, "connections:\n  - name: main\n    address: %s\napplications:\n  - slug: shop\nqueues:\n", r.server.Addr)
		for i := range 50 {
			fmt.Fprintf(&text, "  - {name: pool-%02d, application: shop, connection: main, queue_names: [q%[1]d], min_processes: 1, max_processes: 1,\n"+
				"     worker: {preset: exec, command: [/bin/sh, -c, \"trap 'sleep 3; exit 0' TERM; echo up; while :; do sleep 0.1; done\"], directory: /, user: root}}\n", i)
		}
		cfg, err := configs.Parse("bench.yml", []byte(text.String()))
		if err != nil {
			b.Fatal(err)
		}
		r.set.Apply(cfg.Connections)
		r.Apply(cfg)
		r.until("up", func(*State) bool { return r.log.count("line=up") == 50 })
		begin := time.Now()
		r.stop()
		<-r.done
		b.ReportMetric(time.Since(begin).Seconds(), "stop-s")
		for _, p := range r.State().Pools {
			if p.Counters.BusyKilled > 0 {
				b.Errorf("the worker of %s was killed", p.Name)
			}
		}
	}
}
