package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/logging"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "queuefleet.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func options(t *testing.T, config string) (Options, net.Listener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	o.ConfigFile, o.Redactor, o.Logger = config, &logging.Redactor{}, slog.New(slog.DiscardHandler)
	o.Web.Listeners = []net.Listener{l}
	return o, l
}

func get(t *testing.T, l net.Listener, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestRunServesReloadsAndStops(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{})
	text := fmt.Sprintf("connections: [{name: first, address: %q}]\n", redis.Addr)
	o, l := options(t, configFile(t, text))
	reload, started := make(chan os.Signal, 1), make(chan struct{})
	o.Reload, o.Started = reload, func() { close(started) }

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, o) }()
	<-started
	if status, text := get(t, l, "/-/ready"); status != 200 {
		t.Errorf("/-/ready once started: %d %s", status, text)
	}
	if _, text := get(t, l, "/metrics"); !strings.Contains(text, `redis_up{connection="first"} 1`) {
		t.Errorf("got %s", text)
	}
	if err := os.WriteFile(o.ConfigFile, []byte(strings.Replace(text, "first", "second", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	reload <- os.Interrupt // which signal it was does not matter
	redistest.WaitFor(t, "the new configuration", func() bool {
		_, text := get(t, l, "/api/v1/connections")
		return strings.Contains(text, `"name":"second"`)
	})
	if _, text := get(t, l, "/metrics"); !strings.Contains(text, `redis_up{connection="second"} 1`) || strings.Contains(text, `connection="first"`) {
		t.Errorf("got %s", text)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
}

func TestOwnFamiliesAreNotTheFleets(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{})
	o, l := options(t, configFile(t, fmt.Sprintf("connections: [{name: a, address: %q}]\n", redis.Addr)))
	o.Collect.CommandStats, o.Collect.Latency = true, true
	started := make(chan struct{})
	o.Started = func() { close(started) }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, o) }()
	<-started
	_, page := get(t, l, "/metrics")
	seen := map[string]bool{}
	for line := range strings.Lines(page) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "# TYPE ") || len(fields) != 4 {
			continue
		}
		name := fields[2]
		if seen[name] {
			t.Errorf("a family twice: %s", name)
		}
		seen[name] = true
	}
	if len(seen) < 80 {
		t.Errorf("only %d families: the test looks at nothing", len(seen))
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
}

func TestRunRefusesToStart(t *testing.T) {
	none := ""
	tests := []struct {
		name, config, want string
		change             func(*Options)
	}{
		{"mistakes", "connections: [{nme: a}]\nqueue: []\n", "queue: unknown key", func(*Options) {}},
		{"roles without a guard", "access: {users: [{user: a, role: admin}]}\n", "nobody is verified", func(*Options) {}},
		{"a control socket nowhere", "connections: []\n", "control socket", func(o *Options) { o.Web.ControlSocket = "/no/such/dir/s" }},
		{"no web configuration", "connections: []\n", "no such file", func(o *Options) {
			missing := filepath.Join(t.TempDir(), "web.yml")
			o.Web.Toolkit = &toolkit.FlagConfig{WebConfigFile: &missing}
		}},
		{"nowhere to listen", "connections: []\n", toolkit.ErrNoListeners.Error(), func(o *Options) { o.Web.Listeners = nil }},
		{"a bad address", "connections: []\n", "address", func(o *Options) {
			o.Web.Listeners = nil
			o.Web.Toolkit = &toolkit.FlagConfig{WebConfigFile: &none, WebListenAddresses: &[]string{"127.0.0.1:99999"}}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, l := options(t, configFile(t, tt.config))
			defer func() { _ = l.Close() }()
			tt.change(&o)
			err := Run(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if len(o.Web.Listeners) > 0 {
				if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
					_ = conn.Close()
					t.Error("the listener is still open")
				}
			}
		})
	}
}

func TestCheck(t *testing.T) {
	o, l := options(t, configFile(t, "connections: [{name: a, address: \"h:1\", password: hunter2hunter2}]\n"))
	defer func() { _ = l.Close() }()
	if _, err := Check(o); err != nil {
		t.Errorf("got %v", err)
	}
	if got := o.Redactor.Mask("hunter2hunter2"); got != logging.Mask {
		t.Errorf("the redactor does not know the password: %q", got)
	}
	o.ConfigFile = configFile(t, "nothing: 1\n")
	if _, err := Check(o); err == nil {
		t.Error("a bad file is accepted")
	}
}

func TestLargeFleetsTradeCPUForMemory(t *testing.T) {
	cfg := &configs.Config{Connections: make([]configs.Connection, largeFleet)}
	if got := gcPercent(cfg); got != 100 {
		t.Errorf("%d%% where no connection is probed, want 100", got)
	}
	for i := range cfg.Connections {
		cfg.Connections[i].Active = true
	}
	if got := gcPercent(cfg); got != 50 {
		t.Errorf("%d%% for a large fleet, want 50", got)
	}
}
