package main

import (
	"bytes"
	"context"
	"errors"
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

// binary is the exporter as TestMain has built it.
type binary struct{ path string }

// built is where the tests find it. Only TestMain writes it.
var built binary

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "queuefleet-exporter-test-")
	if err != nil {
		panic(err)
	}
	built.path = filepath.Join(dir, "queuefleet_exporter")
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

// process is a running exporter.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	addr   string
	log    *output
	exited chan struct{}
	client *http.Client
}

type processOptions struct {
	config  string // path
	flags   []string
	env     []string
	waiting func(*process) // called instead of waiting until it is ready
}

// startProcess runs the exporter until the test ends.
func startProcess(t *testing.T, o processOptions) *process {
	t.Helper()
	p := &process{t: t, addr: redistest.FreeAddr(t), log: &output{}, exited: make(chan struct{}), client: &http.Client{Transport: &http.Transport{}}}
	args := append([]string{"--config.file=" + o.config, "--web.listen-address=" + p.addr}, o.flags...)
	p.cmd = exec.Command(built.path, args...)
	p.cmd.Env = append(os.Environ(), o.env...)
	p.cmd.Stderr, p.cmd.Stdout = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		select {
		case <-p.exited:
		default:
			_ = p.cmd.Process.Kill()
			<-p.exited
		}
		if t.Failed() {
			t.Logf("the exporter's log:\n%s", p.log)
		}
	})
	if o.waiting != nil {
		o.waiting(p)
		return p
	}
	p.waitUntilReady()
	return p
}

func (p *process) waitUntilReady() {
	p.t.Helper()
	redistest.WaitFor(p.t, "/-/ready", func() bool {
		select {
		case <-p.exited:
			p.t.Fatalf("the exporter has ended:\n%s", p.log)
		default:
		}
		status, _, err := p.request("GET", "/-/ready")
		return err == nil && status == 200
	})
}

func (p *process) request(method, path string) (status int, text string, err error) {
	r, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.addr+path, nil)
	if err != nil {
		return 0, "", err
	}
	return send(p.client, r)
}

func send(client *http.Client, r *http.Request) (status int, text string, err error) {
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// get is a request that must come through.
func (p *process) get(path string) string {
	p.t.Helper()
	status, text, err := p.request("GET", path)
	if err != nil || status != 200 {
		p.t.Fatalf("GET %s: %d %v %s", path, status, err, text)
	}
	return text
}

// control sends a request through the control socket.
func (p *process) control(socket, method, path string) (int, string) {
	p.t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(p.t.Context(), method, "http://control"+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	status, text, err := send(&http.Client{Transport: transport}, r)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	return status, text
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// logged waits until the log holds a text for the nth time.
func (p *process) logged(text string, n int) {
	p.t.Helper()
	redistest.WaitFor(p.t, "the log line "+text, func() bool {
		select {
		case <-p.exited:
			p.t.Fatalf("the exporter has ended:\n%s", p.log)
		default:
		}
		return strings.Count(p.log.String(), text) >= n
	})
}

// exit waits for the end of the process.
func (p *process) exit() int {
	p.t.Helper()
	<-p.exited
	return p.cmd.ProcessState.ExitCode()
}

// runOnce runs the exporter with flags that make it end by itself.
func runOnce(t *testing.T, args ...string) (code int, text string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), built.path, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
