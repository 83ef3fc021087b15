package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/queuefleet/queuefleet/internal/app"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

const fleet = `
global: {environment: test}
connections:
  - {name: main, address: %q, password: %q}
applications:
  - {slug: shop, connections: [{connection: main}]}
queues:
  - {application: shop, connection: main, queue_names: [default], key_prefix: ""}
`

func TestOneLife(t *testing.T) {
	redistest.Need(t, "redis-server")
	redis := redistest.Start(t, redistest.Options{RequirePass: "first-password"})
	if err := redis.Client().RPush(t.Context(), "queues:default", `{"uuid":"a"}`, `{"uuid":"b"}`).Err(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "queuefleet.yml")
	good := fmt.Sprintf(fleet, redis.Addr, "first-password")
	write(t, config, good)
	p := startProcess(t, processOptions{config: config, flags: []string{"--web.enable-lifecycle"}})

	page := p.get("/metrics")
	for _, want := range []string{
		`redis_up{connection="main",environment="test"} 1`,
		`redis_queue_jobs{application="shop",connection="main",queue="default",environment="test",state="ready"} 2`,
		"queuefleet_exporter_config_last_reload_successful 1",
		"queuefleet_exporter_build_info{",
		"go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(page, "\n"+want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	checkMetrics(t, page)
	checkMetrics(t, p.get("/probe?connection=main"))

	// A good file by SIGHUP.
	write(t, config, strings.ReplaceAll(good, "main", "renamed"))
	p.signal(syscall.SIGHUP)
	p.logged("Configuration is in force", 2)
	if page := p.get("/metrics"); !strings.Contains(page, `redis_up{connection="renamed",environment="test"} 1`) || strings.Contains(page, `connection="main"`) {
		t.Error("the renamed connection is not served alone")
	}

	// A broken one: everything stays, and says so.
	write(t, config, good+"no_such_key: 1\n")
	p.signal(syscall.SIGHUP)
	p.logged("Configuration was not reloaded", 1)
	page = p.get("/metrics")
	if !strings.Contains(page, `redis_up{connection="renamed",environment="test"} 1`) || !strings.Contains(page, "\nqueuefleet_exporter_config_last_reload_successful 0") {
		t.Error("after a broken file the fleet before is not served, or nothing tells")
	}
	if status, text, err := p.request("POST", "/-/reload"); err != nil || status != 422 || !strings.Contains(text, "no_such_key") {
		t.Errorf("POST of a broken file: %d %v %s", status, err, text)
	}
	if page := p.get("/"); !strings.Contains(page, "no_such_key") {
		t.Error("the landing page does not tell of the failed reload")
	}
	write(t, config, good)
	if status, text, err := p.request("POST", "/-/reload"); err != nil || status != 200 {
		t.Errorf("POST of a good file: %d %v %s", status, err, text)
	}
	if page := p.get("/metrics"); !strings.Contains(page, `redis_up{connection="main",environment="test"} 1`) {
		t.Error("the file that was mended is not in force")
	}

	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// tolerated is what promtool's linter says of names that redis_exporter has
// made what they are.
var tolerated = map[string]bool{
	`redis_total_error_replies counter metrics should have "_total" suffix`: true,
}

// checkMetrics lets promtool read and lint a page.
func checkMetrics(t *testing.T, page string) {
	t.Helper()
	redistest.Need(t, "promtool")
	cmd := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(page)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != lintStatus) {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" && !tolerated[line] {
			t.Errorf("promtool: %s", line)
		}
	}
}

// lintStatus is with what promtool ends where a page is valid but not pretty.
const lintStatus = 3

func TestEarlySIGHUPIsKept(t *testing.T) {
	config := write(t, filepath.Join(t.TempDir(), "queuefleet.yml"), "connections: []\n")
	p := startProcess(t, processOptions{config: config, waiting: func(p *process) {
		p.logged("Starting", 1)
		p.signal(syscall.SIGHUP)
	}})
	p.logged("Configuration is in force", 2)
	p.waitUntilReady()
	p.signal(syscall.SIGINT)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d after SIGINT", code)
	}
}

func TestAutoReload(t *testing.T) {
	config := write(t, filepath.Join(t.TempDir(), "queuefleet.yml"), "connections: []\n")
	p := startProcess(t, processOptions{config: config, flags: []string{"--config.auto-reload-interval=20ms"}})
	write(t, config, "connections: [{name: new, address: \"127.0.0.1:1\"}]\n")
	p.logged("Configuration is in force", 2)
	if text := p.get("/api/v1/connections"); !strings.Contains(text, `"name":"new"`) {
		t.Errorf("got %s", text)
	}
}

func TestSystemdIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = systemd.Close() }()
	told := func() string {
		buf := make([]byte, 4096)
		n, err := systemd.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	config := write(t, filepath.Join(t.TempDir(), "queuefleet.yml"), "connections: []\n")
	p := startProcess(t, processOptions{config: config, env: []string{"NOTIFY_SOCKET=" + socket}})
	if got := told(); got != "READY=1" {
		t.Errorf("at first %q", got)
	}
	p.signal(syscall.SIGHUP)
	if got := told(); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("then %q", got)
	}
	if got := told(); got != "READY=1" {
		t.Errorf("then %q", got)
	}
	p.signal(syscall.SIGTERM)
	if got := told(); got != "STOPPING=1" {
		t.Errorf("at last %q", got)
	}
	p.exit()
}

func TestControlSocket(t *testing.T) {
	dir := t.TempDir()
	config := write(t, filepath.Join(dir, "queuefleet.yml"), "connections: [{name: a, address: \"127.0.0.1:1\"}]\n")
	socket := filepath.Join(dir, "control.sock")
	p := startProcess(t, processOptions{config: config, flags: []string{"--web.control-socket=" + socket}})
	if status, text := p.control(socket, "POST", "/-/reload"); status != 200 {
		t.Errorf("reload: %d %s", status, text)
	}
	if status, text := p.control(socket, "POST", "/api/v1/connections/a/test"); status != 200 || !strings.Contains(text, `"reason":"refused"`) {
		t.Errorf("test: %d %s", status, text)
	}
	if status, text, err := p.request("POST", "/-/reload"); err != nil || status != 403 {
		t.Errorf("reload over TCP: %d %v %s", status, err, text)
	}
	p.logged("user=control-socket", 2)
	p.signal(syscall.SIGTERM)
	p.exit()
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	good := write(t, filepath.Join(dir, "good.yml"), "connections: [{name: a, address: \"127.0.0.1:1\"}]\n")
	bad := write(t, filepath.Join(dir, "bad.yml"), "connections:\n  - {name: a, adddress: x}\n  - {name: a/b, address: \"h:1\"}\n")
	roles := write(t, filepath.Join(dir, "roles.yml"), "access: {users: [{user: alice, role: admin}]}\n")
	web := write(t, filepath.Join(dir, "web.yml"), "basic_auth_users: {alice: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}\n")
	brokenWeb := write(t, filepath.Join(dir, "broken-web.yml"), "basic_auth_users: {alice: not-a-hash}\n")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	tests := []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"version", []string{"--version"}, 0, []string{"queuefleet_exporter, version"}},
		{"help", []string{"--help"}, 0, []string{"--config.file", "web.enable-lifecycle"}},
		{"unknown flag", []string{"--nope"}, 2, []string{"unknown long flag '--nope'", "--help"}},
		{"argument", []string{"file.yml"}, 2, []string{"unexpected file.yml"}},
		{"bad level", []string{"--log.level=loud"}, 2, []string{"loud"}},
		{"bad interval", []string{"--discovery.interval=0s"}, 2, []string{"--discovery.interval is not positive"}},
		{"negative offset", []string{"--web.timeout-offset=-1s"}, 2, []string{"--web.timeout-offset is negative"}},
		{"bad URL", []string{"--web.external-url=ftp://x"}, 2, []string{"--web.external-url"}},
		{"URL with a password", []string{"--web.external-url=http://u:hunter2@h/%zz"}, 2, []string{"not a URL"}},
		{"no such file", []string{"--config.file=" + filepath.Join(dir, "none.yml")}, 1, []string{"none.yml: no such file"}},
		{"a directory", []string{"--config.file=" + dir}, 1, []string{"directory"}},
		{"every mistake at once", []string{"--config.file=" + bad}, 1, []string{"bad.yml:2:", "adddress", "bad.yml:3:", "connections[1].name"}},
		{"check good", []string{"--config.check", "--config.file=" + good}, 0, []string{"good.yml is valid"}},
		{"check bad", []string{"--config.check", "--config.file=" + bad}, 1, []string{"bad.yml:2:", "bad.yml:3:"}},
		{"roles that nothing guards", []string{"--config.file=" + roles}, 1, []string{"without --web.config.file nobody is verified"}},
		{"check roles that nothing guards", []string{"--config.check", "--config.file=" + roles}, 1, []string{"nobody is verified"}},
		{"check guarded roles", []string{"--config.check", "--config.file=" + roles, "--web.config.file=" + web}, 0, []string{"valid"}},
		{"check a broken web configuration", []string{"--config.check", "--config.file=" + good, "--web.config.file=" + brokenWeb}, 1, []string{"bcrypt"}},
		{"port taken", []string{"--config.file=" + good, "--web.listen-address=" + taken.Addr().String()}, 1, []string{"address already in use"}},
		{"control socket nowhere", []string{"--config.file=" + good, "--web.control-socket=/no/such/dir/s"}, 1, []string{"control socket"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, text := runOnce(t, tt.args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d\n%s", code, tt.code, text)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("it does not say %q:\n%s", want, text)
				}
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("it repeats a password:\n%s", text)
			}
		})
	}
}

func TestMainIsThin(t *testing.T) {
	// run is what main calls: it must be usable without a process around it.
	var stdout, stderr bytes.Buffer
	if code := run([]string{"--version"}, &stdout, &stderr); code != app.ExitOK || !strings.Contains(stdout.String(), "queuefleet_exporter") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}
