package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// stubborn is a configuration whose workers ignore the wish to leave.
func stubborn(t *testing.T) string {
	t.Helper()
	server := redistest.Start(t, redistest.Options{})
	user := ""
	if os.Geteuid() == 0 {
		user = "user: nobody, group: nogroup, "
	}
	return write(t, filepath.Join(t.TempDir(), "queuefleet.yml"), fmt.Sprintf(`
connections: [{name: main, address: %q}]
applications: [{slug: shop, connections: [{connection: main, primary: true}]}]
queues:
  - name: stubborn
    application: shop
    connection: main
    queue_names: [default]
    balance: off
    worker: {preset: exec, %sdirectory: /, command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]}
`, server.Addr, user))
}

func TestSignalsPauseAndEnd(t *testing.T) {
	config, state := stubborn(t), t.TempDir()
	p := startProcess(t, config, "--state.dir="+state)
	p.await("a worker", func() bool { return len(p.pids("stubborn")) == 1 })
	p.signal(syscall.SIGUSR2)
	p.await("the pause", func() bool { return p.pool("stubborn").Paused })
	p.signal(syscall.SIGTERM)
	p.await("the end of readiness", func() bool { status, _ := p.try("/-/ready"); return status == 503 })
	p.signal(syscall.SIGTERM)
	p.logged("Workers get little time", 1)
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}

	// With a state directory a pause outlives a restart.
	p = startProcess(t, config, "--state.dir="+state)
	p.await("the pause", func() bool { return p.pool("stubborn").Paused })
	p.signal(syscall.SIGCONT)
	p.await("the end of the pause", func() bool { pool := p.pool("stubborn"); return !pool.Paused && pool.Workers.Running == 1 })
	for n := 1; n <= 3; n++ {
		p.signal(syscall.SIGTERM)
		p.logged([]string{"msg=Stopping", "Workers get little time", "Workers are killed"}[n-1], 1)
	}
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestCommandLine(t *testing.T) {
	good := write(t, filepath.Join(t.TempDir(), "good.yml"), "connections: []\n")
	bad := write(t, filepath.Join(t.TempDir(), "bad.yml"), "conections: []\n")
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"help":              {[]string{"--help"}, 0, "--supervisor.name"},
		"version":           {[]string{"--version"}, 0, "queuefleet_supervisor"},
		"check":             {[]string{"--config.check", "--config.file=" + good}, 0, "is valid"},
		"check of mistakes": {[]string{"--config.check", "--config.file=" + bad}, 1, "did you mean"},
		"mistakes":          {[]string{"--config.file=" + bad, "--web.listen-address=127.0.0.1:0"}, 1, "did you mean"},
		"unknown flag":      {[]string{"--colour"}, 2, "try --help"},
		"no directory":      {[]string{"--state.dir=" + good}, 2, "not a directory"},
		"missing directory": {[]string{"--state.dir=/nonexistent"}, 2, "no such file"},
		"negative rate":     {[]string{"--supervisor.start-rate=-1"}, 2, "start-rate is not a number"},
		"no number":         {[]string{"--supervisor.start-rate=NaN"}, 2, "start-rate is not a number"},
		"negative interval": {[]string{"--config.auto-reload-interval=-1s"}, 2, "negative"},
		"URL with password": {[]string{"--web.external-url=http://a:b@c"}, 2, "without user"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(tt.args, &stdout, &stderr)
		if text := stdout.String() + stderr.String(); code != tt.code || !strings.Contains(text, tt.says) {
			t.Errorf("%s: exit code %d, %q; want %d and %q", name, code, text, tt.code, tt.says)
		}
	}
}
