package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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
	"time"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// programs are built once for all tests of the package.
var programs struct{ dir string }

func TestMain(m *testing.M) {
	code := func() int {
		if os.Getenv("QUEUEFLEET_LIVE") == "" {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "queuefleet-drill-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-o", dir, "./cmd/queuefleet_exporter", "./cmd/queuefleet_supervisor")
		build.Dir, build.Stderr = root, os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
		programs.dir = dir
		return m.Run()
	}()
	os.Exit(code)
}

// root is the project's folder as seen from this package's.
const root = "../.."

// live skips a test that takes minutes unless it was asked for.
func live(t *testing.T) {
	t.Helper()
	if os.Getenv("QUEUEFLEET_LIVE") == "" {
		t.Skip("takes a quarter of an hour: make mixin-live")
	}
	redistest.Need(t, "prometheus")
	redistest.Need(t, "prometheus-alertmanager")
}

// output is what a process has written.
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

// program is a process that answers HTTP and can be started again.
type program struct {
	t    testing.TB
	name string
	addr string
	args []string
	log  *output
	cmd  *exec.Cmd
	done chan struct{}
}

// start runs a program until the test ends. Its arguments may use %s for the
// address.
func start(t testing.TB, name, ready string, args ...string) *program {
	t.Helper()
	p := &program{t: t, name: name, addr: redistest.FreeAddr(t), log: &output{}}
	for _, a := range args {
		p.args = append(p.args, strings.ReplaceAll(a, "%ADDR%", p.addr))
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			text := p.log.String()
			t.Logf("the end of %s's log:\n%s", filepath.Base(name), text[max(0, len(text)-6000):])
		}
	})
	p.run(ready)
	return p
}

func (p *program) run(ready string) {
	p.t.Helper()
	p.cmd = exec.Command(p.name, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.done = make(chan struct{})
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(p.cmd, p.done)
	p.t.Logf("%s is at http://%s", filepath.Base(p.name), p.addr)
	redistest.WaitFor(p.t, filepath.Base(p.name)+" being ready", func() bool {
		answer, err := http.Get("http://" + p.addr + ready)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func (p *program) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// terminate ends the program in order and waits for it.
func (p *program) terminate() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.done
}

func (p *program) hangUp() { _ = p.cmd.Process.Signal(syscall.SIGHUP) }

// post sends an order through a program's control socket.
func post(t testing.TB, socket, path string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	answer, err := client.Post("http://control"+path, "", nil)
	if err != nil {
		t.Fatalf("POST %s: %v", path, err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode/100 != 2 {
		t.Fatalf("POST %s: %s %s", path, answer.Status, text)
	}
}

// getJSON asks and decodes; what does not come is an error of the test.
func getJSON(t testing.TB, url string, into any) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", url, answer.Status, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
}

// await polls for at most patience, since production's waits are divided but
// not zero. It returns whether ok became true.
func await(patience time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(250 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}

// hooks collects what Alertmanager sends, by receiver.
type hooks struct {
	mu   sync.Mutex
	sent map[string]string // receiver and alert → its last status
}

type message struct {
	Alerts []struct {
		Status string
		Labels map[string]string
	}
}

// startHooks serves until the test ends and returns the address to send to.
func startHooks(t testing.TB) (*hooks, string) {
	t.Helper()
	h := &hooks{sent: map[string]string{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-stopped
	})
	return h, "http://" + listener.Addr().String()
}

// ServeHTTP takes one message of Alertmanager's webhook.
func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range m.Alerts {
		if remembers(a.Labels) {
			continue
		}
		h.sent[strings.Trim(r.URL.Path, "/")+" "+title(a.Labels)] = a.Status
	}
}

// with lists what was last told with a status, as "receiver Alert{...}".
func (h *hooks) with(status string) map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := map[string]bool{}
	for key, s := range h.sent {
		if s == status {
			found[key] = true
		}
	}
	return found
}

func (h *hooks) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.sent)
}

// title is an alert with the labels that tell alerts of the drill apart.
func title(labels map[string]string) string {
	var parts []string
	for _, name := range []string{"severity", "long", "connection", "queue", "pool", "reason"} {
		if value := labels[name]; value != "" {
			parts = append(parts, fmt.Sprintf("%s=%s", name, value))
		}
	}
	return labels["alertname"] + "{" + strings.Join(parts, ",") + "}"
}
