package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) {
	if role, ok := os.LookupEnv(roleVariable); ok {
		os.Exit(play(role, os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func TestFlags(t *testing.T) {
	for _, args := range []string{"-only peer,nothing", "stray", "-only ,", "-no-such"} {
		if _, err := parseFlags(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	s, err := parseFlags(strings.Fields("-only hung,reload -quick"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !s.quick || len(s.only) != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", 101049: "101049", 0.1: "0.100", 0.0392: "0.0392", 18.13: "18.1", 231.6: "232", 4.999: "5.00", 0.00000123: "0.000001", -2.5: "-2.50",
	} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1,000", 10000: "10,000", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{4, 1, 3, 2, 5}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.75: 4, 0.9: 4.6, 1: 5} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile(%v) = %v, want %v", q, got, want)
		}
	}
	if got := median([]float64{1, 2}); got != 1.5 {
		t.Errorf("median = %v, want 1.5", got)
	}
	if values[0] != 4 {
		t.Error("quantile has sorted the caller's values")
	}
}

func testReport() *report {
	r := &report{titles: map[string]string{}, Machine: machine{CPU: "Abacus", Cores: 2, Memory: "1 kB", Kernel: "6", Exporter: "exporter 1", Peer: "peer 2", Redis: "redis 3"},
		Started: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Seconds: 7, LoadFrom: "0 0 0", LoadTo: "1 1 1"}
	r.begin("first", "one thing")
	r.add("CPU", "ms", atMost(0.1), 0.05, 0.07, 0.06)
	r.begin("second", "another")
	r.add("ratio", "×", atLeast(30), 29)
	r.add("calls", "", exactly(0), 0)
	r.add("size", "MB", nil, 12.5)
	r.remark("a %s", "remark")
	return r
}

func TestTable(t *testing.T) {
	const want = `date: 2026-01-02 03:04 UTC
machine: Abacus, 2 cores, 1 kB, Linux 6
load: 0 0 0 at the start, 1 1 1 at the end
exporter: exporter 1
peer: peer 2
Redis: redis 3
run: 7 s

figure  median     range            target

first: one thing
CPU     0.0600 ms  0.0500 – 0.0700  ≤ 0.100 ms  met

second: another
ratio   29×                         ≥ 30×       MISSED
calls   0                           = 0         met
size    12.5 MB

note: a remark
2 of 3 targets met
`
	if got := testReport().table(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMarkdown(t *testing.T) {
	got := testReport().markdown()
	for _, want := range []string{
		"- run: 7 s\n", "\n### first: one thing\n\n| figure | median | range | target |  |\n|---|---:|---:|---:|---|\n| CPU | 0.0600 ms | 0.0500 – 0.0700 | ≤ 0.100 ms | met |\n",
		"| ratio | 29× |  | ≥ 30× | MISSED |\n", "- a remark\n- 2 of 3 targets met\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func TestWriteInto(t *testing.T) {
	file := t.TempDir() + "/performance.md"
	if err := os.WriteFile(file, []byte("# Title\n"+markBegin+"old\n"+markEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := testReport()
	for range 2 { // the second time changes nothing
		if err := r.writeInto(file); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if want := "# Title\n" + markBegin + "\n" + r.markdown() + "\n" + markEnd + "after\n"; string(got) != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	if err := os.WriteFile(file, []byte("# Title\n"+markBegin), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.writeInto(file); err == nil {
		t.Error("a file without the second mark was written")
	}
}

func TestBusy(t *testing.T) {
	for load, want := range map[string]bool{"0.10 0 0": false, "0.51 9 9": true, "12.00 1 1": true, "unknown": false} {
		if got := busy(load, 2); got != want {
			t.Errorf("busy(%q) = %v, want %v", load, got, want)
		}
	}
}

func TestConfigurationLoads(t *testing.T) {
	for name, f := range map[string]*fleet{
		"connections alone": {addresses: repeat("127.0.0.1:1", 3)},
		"queues":            {addresses: repeat("127.0.0.1:1", 250), queues: 300, notes: "version-1"},
		"names":             {addresses: repeat("127.0.0.1:1", 1), names: []string{"work-1", "work-2"}},
	} {
		cfg, err := configs.Parse("bench.yml", f.yaml())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(cfg.Connections) != len(f.addresses) || len(cfg.Queues) != f.queues+min(len(f.names), 1) {
			t.Errorf("%s: %d connections and %d queue configurations", name, len(cfg.Connections), len(cfg.Queues))
		}
		if cfg.Global.ProbeTimeout.Std() != probeTimeout {
			t.Errorf("%s: probe timeout %v, want %v", name, cfg.Global.ProbeTimeout, probeTimeout)
		}
	}
}

func TestReply(t *testing.T) {
	c := talk(t, "+OK\r\n:12\r\n$4\r\na\r\nb\r\n$-1\r\n*2\r\n$1\r\nx\r\n*1\r\n:7\r\n-ERR no\r\n?\r\n")
	for _, want := range []string{"OK", "12", "a\r\nb", "", "x\n7"} {
		if got, err := c.reply(); err != nil || got != want {
			t.Errorf("reply = %q, %v, want %q", got, err, want)
		}
	}
	for _, want := range []string{"ERR no", "not a reply", "EOF"} {
		if got, err := c.reply(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("reply = %q, %v, want an error with %q", got, err, want)
		}
	}
}

func TestSkip(t *testing.T) {
	c := talk(t, "+PONG\r\n$20\r\n01234567890123456789\r\n+PONG\r\n-ERR no\r\n")
	for range 3 {
		if err := c.skip(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.skip(); err == nil || !strings.Contains(err.Error(), "ERR no") {
		t.Errorf("skip of an error: %v", err)
	}
}

// talk returns a connection to something that says text and hangs up.
func talk(t *testing.T, text string) *redisConn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := dialRedis(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if _, err := io.WriteString(peer, text); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFloorAsksEachConnection(t *testing.T) {
	f := redistest.NewFleet(t, redistest.FleetOptions{})
	var out bytes.Buffer
	if err := serveFloor(strings.NewReader(f.Addr+" "+f.Addr+"\n3\n"), &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "ready\ndone\n" {
		t.Errorf("said %q", got)
	}
	const want = 2 * 3 * 2 // connections, rounds, commands
	if got := f.Commands(); got != want {
		t.Errorf("%d commands, want %d", got, want)
	}
}

func TestFakesInTheirOwnProcess(t *testing.T) {
	f, err := startFakes()
	if err != nil {
		t.Fatal(err)
	}
	defer f.stop()
	c, err := dialRedis(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if pong, err := c.do("PING"); err != nil || pong != "PONG" {
		t.Errorf("PING = %q, %v", pong, err)
	}
	if n, err := f.accepted(); err != nil || n != 1 {
		t.Errorf("accepted %d, %v, want 1", n, err)
	}
	if used, err := f.cpu(); err != nil || used <= 0 {
		t.Errorf("CPU time %v, %v", used, err)
	}
	if m, err := f.memory(); err != nil || m.resident <= 0 || m.peak < m.resident {
		t.Errorf("memory %+v, %v", m, err)
	}
	if n, err := f.files(); err != nil || n < 5 { // three standard ones, two listeners
		t.Errorf("%d files, %v", n, err)
	}
	f.stop()
	if _, err := f.accepted(); err == nil {
		t.Error("a stopped process answers")
	}
}

func TestUnknownRole(t *testing.T) {
	var said bytes.Buffer
	if code := play("clown", strings.NewReader(""), io.Discard, &said); code != exitFailed || !strings.Contains(said.String(), "clown") {
		t.Errorf("code %d, said %q", code, said.String())
	}
}

func TestApply(t *testing.T) {
	file := t.TempDir() + "/queuefleet.yml"
	if err := os.WriteFile(file, (&fleet{addresses: repeat("127.0.0.1:1", 3), queues: 3}).yaml(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := serveApply(strings.NewReader(file+"\n"+file+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 2 {
		t.Errorf("said %q", out.String())
	}
	if err := serveApply(strings.NewReader(file+".missing\n"), &out); err == nil {
		t.Error("a missing file was applied")
	}
}

func TestProxy(t *testing.T) {
	f := redistest.NewFleet(t, redistest.FleetOptions{Replies: map[string]string{"GET": "$1\r\nx\r\n"}})
	p, err := startProxy(f.Addr, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	c, err := dialRedis(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		if got, err := c.do("GET", "key"); err != nil || got != "x" {
			t.Fatalf("GET = %q, %v", got, err)
		}
	}
}

func TestCountSeries(t *testing.T) {
	page := []byte("# HELP redis_up x\n# TYPE redis_up gauge\nredis_up{connection=\"a\"} 1\nredis_up{connection=\"b\"} 0\nredis_upstream{connection=\"b\"} 1\n\ngo_goroutines 1\n")
	if got := countSeries(page); got != 4 {
		t.Errorf("series = %d, want 4", got)
	}
	if got := countFleetSeries(page); got != 3 {
		t.Errorf("fleet series = %d, want 3", got)
	}
	if got := countValue(page, "redis_up", "1"); got != 1 {
		t.Errorf("redis_up 1 = %d, want 1", got)
	}
}
