package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// planted must not be seen anywhere.
const planted = "hunter2-planted-in-the-configuration"

// shop is a Laravel application whose workers a supervisor runs.
type shop struct {
	*laraveltest.App
	t      *testing.T
	redis  *redis.Client
	addr   string
	config string // path
}

func newShop(t *testing.T) *shop {
	t.Helper()
	server := redistest.Start(t, redistest.Options{RequirePass: planted})
	s := &shop{App: laraveltest.New(t, server.Addr, "REDIS_PASSWORD="+planted), t: t, redis: server.Client(), addr: server.Addr}
	s.openToAll()
	s.config = filepath.Join(t.TempDir(), "queuefleet.yml")
	s.configure(3, "first")
	return s
}

// openToAll lets the workers' user into the application.
func (s *shop) openToAll() {
	s.t.Helper()
	open(s.t, s.Dir)
	err := filepath.WalkDir(s.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o777)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// configure writes the configuration.
func (s *shop) configure(most int, release string) {
	s.t.Helper()
	user := ""
	if os.Geteuid() == 0 {
		user = "user: nobody, group: nogroup, "
	}
	write(s.t, s.config, fmt.Sprintf(`
connections:
  - {name: main, address: %q, password: %q}
applications:
  - {slug: shop, connections: [{connection: main, primary: true}]}
queues:
  - name: mail
    application: shop
    connection: main
    queue_names: [default]
    max_processes: %d
    balance_max_shift: 10
    sleep: 1s
    worker: {preset: laravel, command: [php, artisan, "queue:work"], directory: %q, %senvironment: {RELEASE: %s}}
`, s.addr, planted, most, s.Dir, user, release))
}

// done is how many jobs have been done.
func (s *shop) done() int {
	s.t.Helper()
	text, err := s.redis.Get(context.Background(), "laravel_database_done:default").Result()
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestLifeOfARealApplication is what an operator lives through.
func TestLifeOfARealApplication(t *testing.T) {
	s := newShop(t)
	s.Push(200, "default", laraveltest.Job{})
	p := startProcess(t, s.config)
	p.await("200 jobs", func() bool { return s.done() == 200 })
	p.await("a quiet pool", func() bool { pool := p.pool("mail"); return pool.State == "ok" && pool.Desired == 1 })

	t.Log("a change of counts touches no worker")
	before := p.pids("mail")
	s.configure(5, "first")
	p.signal(syscall.SIGHUP)
	p.await("the new maximum", func() bool { return p.pool("mail").Max == 5 })
	if d := cmp.Diff(before, p.pids("mail")); d != "" || len(before) != 1 {
		t.Errorf("workers are others than before (-before +after):\n%s", d)
	}

	t.Log("a file with mistakes changes nothing")
	write(t, s.config, "queues: [{nme: mail}]\n")
	p.signal(syscall.SIGHUP)
	p.logged("Configuration was not reloaded", 1)
	if d := cmp.Diff(before, p.pids("mail")); d != "" || p.pool("mail").Max != 5 {
		t.Errorf("workers are others than before (-before +after):\n%s", d)
	}
	if text := p.get("/metrics"); !strings.Contains(text, "queuefleet_supervisor_config_last_reload_successful 0\n") {
		t.Error("metrics do not tell of the mistake")
	}

	t.Log("an operator's order holds, and ends")
	if status, text := p.post("/api/v1/pools/mail/scale?processes=2&for=1h"); status != 200 {
		t.Errorf("scale: %d %s", status, text)
	}
	p.await("two workers", func() bool { return len(p.pids("mail")) == 2 })
	if status, text := p.post("/api/v1/pools/mail/scale?processes=6"); status != 400 || !strings.Contains(text, "between 1 and 5") {
		t.Errorf("scale beyond the maximum: %d %s", status, text)
	}
	if status, text := p.post("/api/v1/pools/mail/scale?processes=auto"); status != 200 {
		t.Errorf("scale: %d %s", status, text)
	}

	t.Log("a change of the command replaces the workers")
	s.configure(5, "second")
	p.signal(syscall.SIGHUP)
	p.await("other workers", func() bool {
		pids := p.pids("mail")
		for pid := range pids {
			if before[pid] {
				return false
			}
		}
		return len(pids) > 0 && p.pool("mail").Outdated == 0
	})

	t.Log("metrics are those of the catalogue")
	catalogued(t, p.get("/metrics"))

	t.Log("nothing shows the password")
	s.secretIsKept(p)

	t.Log("the end waits for the job")
	s.Push(1, "default", laraveltest.Job{Milliseconds: 1500})
	p.await("a busy worker", func() bool {
		reserved, err := s.redis.ZCard(t.Context(), "laravel_database_queues:default:reserved").Result()
		return err == nil && reserved == 1
	})
	p.signal(syscall.SIGTERM)
	p.await("the end of readiness", func() bool { status, _ := p.try("/-/ready"); return status == 503 })
	if text := p.get("/metrics"); !strings.Contains(text, "queuefleet_supervisor_workers{") {
		t.Error("no metrics while draining")
	}
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := s.done(); got != 201 {
		t.Errorf("%d jobs were done, want 201", got)
	}
	if strings.Contains(p.log.String(), planted) {
		t.Error("the log shows the password")
	}
}

// secretIsKept looks for the password everywhere but in environments.
func (s *shop) secretIsKept(p *process) {
	s.t.Helper()
	texts := map[string]string{}
	for _, path := range []string{"/", "/config", "/metrics", "/workers", "/workers?pool=mail", "/api/v1/pools", "/api/v1/pools/mail",
		"/api/v1/pools/mail/why", "/api/v1/workers", "/api/v1/events?limit=1000"} {
		texts[path] = p.get(path)
	}
	pids := p.pids("mail")
	pids[p.cmd.Process.Pid] = true
	for pid := range pids {
		argv, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			s.t.Error(err)
		}
		texts[fmt.Sprintf("argv of %d", pid)] = string(argv)
	}
	if len(texts) < 12 {
		s.t.Errorf("only %d texts were looked at", len(texts))
	}
	for where, text := range texts {
		if strings.Contains(text, planted) || len(text) == 0 {
			s.t.Errorf("%s shows the password, or nothing:\n%s", where, text)
		}
	}
}
