package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// binary is the supervisor as TestMain has built it.
type binary struct{ path string }

// built is where the tests find it. Only TestMain writes it.
var built binary

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "queuefleet-supervisor-test-")
	if err != nil {
		panic(err)
	}
	built.path = filepath.Join(dir, "queuefleet_supervisor")
	build := exec.Command("go", "build", "-o", built.path, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is a running supervisor.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	addr   string
	socket string
	log    *output
	exited chan struct{}
	tcp    *http.Client
	unix   *http.Client // through the control socket
}

// startProcess runs the supervisor until the test ends, and waits until it is
// ready.
func startProcess(t *testing.T, config string, flags ...string) *process {
	t.Helper()
	return startProcessAs(t, nil, config, flags...)
}

// startProcessAs is startProcess under another identity, nil = the test's own.
func startProcessAs(t *testing.T, who *syscall.Credential, config string, flags ...string) *process {
	t.Helper()
	return startProcessIn(t, syscall.SysProcAttr{Credential: who}, config, flags...)
}

// startProcessIn is startProcess with attributes of the system's, such as
// namespaces.
func startProcessIn(t *testing.T, attributes syscall.SysProcAttr, config string, flags ...string) *process {
	t.Helper()
	who := attributes.Credential
	p := &process{t: t, addr: redistest.FreeAddr(t), log: &output{}, exited: make(chan struct{})}
	dir := t.TempDir()
	if who != nil {
		open(t, dir)
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	p.socket = filepath.Join(dir, "control")
	p.tcp = &http.Client{Transport: &http.Transport{}}
	p.unix = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", p.socket)
	}}}
	p.cmd = exec.Command(built.path, append([]string{
		"--config.file=" + config, "--web.listen-address=" + p.addr, "--web.control-socket=" + p.socket,
	}, flags...)...)
	p.cmd.Stderr, p.cmd.Stdout = p.log, p.log
	p.cmd.SysProcAttr = &attributes
	if attributes.Cloneflags&syscall.CLONE_NEWPID != 0 {
		p.cmd.Path = "/bin/sh"
		p.cmd.Args = append([]string{"sh", "-c", `mount -t proc proc /proc && exec "$0" "$@"`}, p.cmd.Args...)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.tcp.CloseIdleConnections()
		p.unix.CloseIdleConnections()
		select {
		case <-p.exited:
		default:
			_ = p.cmd.Process.Kill()
			<-p.exited
		}
		if t.Failed() {
			t.Logf("the supervisor's log:\n%s", p.log)
		}
	})
	p.await("readiness", func() bool {
		status, _ := p.try("/-/ready")
		return status == 200
	})
	return p
}

// try is a GET that may fail: status 0 then.
func (p *process) try(path string) (int, string) {
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.addr+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	status, text, err := send(p.tcp, r)
	if err != nil {
		return 0, ""
	}
	return status, text
}

func send(client *http.Client, r *http.Request) (status int, text string, err error) {
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// get is a request that must come through.
func (p *process) get(path string) string {
	p.t.Helper()
	status, text := p.try(path)
	if status != 200 {
		p.t.Fatalf("GET %s: %d %s", path, status, text)
	}
	return text
}

// post sends an order through the control socket.
func (p *process) post(path string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://control"+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	status, text, err := send(p.unix, r)
	if err != nil {
		p.t.Fatalf("POST %s: %v", path, err)
	}
	return status, text
}

// pool is what the tests look at of a pool.
type pool struct {
	State       string
	Max         int `json:"max_processes"`
	Desired     int
	Outdated    int
	Paused      bool
	CannotStart *struct{ Reason, Text string } `json:"cannot_start"`
	Workers     struct{ Running, Starting, Stopping, Backoff int }
	List        []worker `json:"worker_list"`
}

type worker struct {
	PID    int
	State  string
	Paused bool
	Busy   *bool
}

// pool is empty while the supervisor has not got to it yet.
func (p *process) pool(name string) pool {
	p.t.Helper()
	var answer struct{ Data pool }
	path := "/api/v1/pools/" + name
	if status, _ := p.try(path); status == http.StatusNotFound {
		return pool{}
	}
	if err := json.Unmarshal([]byte(p.get(path)), &answer); err != nil {
		p.t.Fatal(err)
	}
	return answer.Data
}

// pids are the processes of a pool's running workers.
func (p *process) pids(name string) map[int]bool {
	p.t.Helper()
	pids := map[int]bool{}
	for _, w := range p.pool(name).List {
		if w.State == "running" {
			pids[w.PID] = true
		}
	}
	return pids
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// await waits for a condition as long as the supervisor lives.
func (p *process) await(what string, done func() bool) {
	p.t.Helper()
	redistest.WaitFor(p.t, what, func() bool {
		select {
		case <-p.exited:
			p.t.Fatalf("%s: the supervisor has ended", what)
		default:
		}
		return done()
	})
}

// logged waits until the log holds a text for the nth time. It may be the last
// thing that the supervisor says.
func (p *process) logged(text string, n int) {
	p.t.Helper()
	redistest.WaitFor(p.t, "the log line "+text, func() bool { return strings.Count(p.log.String(), text) >= n })
}

// exit waits for the end of the process.
func (p *process) exit() int {
	p.t.Helper()
	<-p.exited
	return p.cmd.ProcessState.ExitCode()
}

// open lets everybody into a directory.
func open(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
