package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func testYard() *yard {
	return &yard{dir: "/run/bench", sleep: "/run/bench/sleep", slow: "/run/bench/slow.sh", redis: &server{addr: "127.0.0.1:1"}, workers: 7, pools: 2}
}

func TestSupervisorConfigurationsSayTheSame(t *testing.T) {
	y := testYard()
	for name, programs := range map[string][][]string{
		"none": nil, "sleep": y.programs(-1), "changed": y.programs(3), "slow": y.slowPrograms(),
	} {
		cfg, err := configs.Parse("bench.yml", y.yaml(programs))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ini := y.ini(programs)
		if got := bytes.Count(ini, []byte("[program:")); got != len(programs) || len(cfg.Queues) != got {
			t.Errorf("%s: %d pools and %d programs, want %d", name, len(cfg.Queues), got, len(programs))
		}
		for i, q := range cfg.Queues {
			command := strings.Join(q.Worker.Command, " ")
			if want := strings.Join(programs[i], " "); command != want {
				t.Errorf("%s: the pool runs %q, want %q", name, command, want)
			}
			if section := "[program:" + q.Name + "]\ncommand=" + command + "\n"; !bytes.Contains(ini, []byte(section)) {
				t.Errorf("%s: %q is missing in\n%s", name, section, ini)
			}
		}
	}
}

// A crash is one of a worker that has not crashed before.
func TestVictims(t *testing.T) {
	workers := make([]int, 1000)
	for i := range workers {
		workers[i] = 4000 + i
	}
	for _, n := range []int{0, 1, 34, 999, 1000, 1001} {
		seen := map[int]bool{}
		for _, pid := range victims(workers, n) {
			if seen[pid] || pid < 4000 || pid >= 5000 {
				t.Errorf("of %d victims %d is one twice, or no worker", n, pid)
			}
			seen[pid] = true
		}
		if len(seen) != min(n, len(workers)) {
			t.Errorf("%d victims, want %d", len(seen), n)
		}
	}
}

// TestExecs executes a program and is told.
func TestExecs(t *testing.T) {
	redistest.Need(t, "/bin/sleep")
	program := filepath.Join(t.TempDir(), "sleep")
	if err := copyProgram("/bin/sleep", program); err != nil {
		t.Fatal(err)
	}
	e, err := watchExecs(program)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	for range 2 {
		e.arm()
		if !e.latest().IsZero() {
			t.Error("what was before is not forgotten")
		}
		began := time.Now()
		if err := exec.Command(program, "0").Run(); err != nil {
			t.Fatal(err)
		}
		at, err := e.next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if at.Before(began) || e.latest().Before(at) {
			t.Errorf("executed at %s and last at %s, began at %s", at, e.latest(), began)
		}
	}
	e.arm()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.next(ctx); err == nil {
		t.Error("an execution that was not is told")
	}
}
