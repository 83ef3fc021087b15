package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func loopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// start runs a server until the test ends, or until stop is called. stop
// returns what Run returned.
func start(t *testing.T, o ServerOptions) (stop func() error) {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	server, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	stopped := false
	stop = func() error {
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if !stopped {
			if err := stop(); err != nil {
				t.Errorf("Run returned %v", err)
			}
		}
	})
	return stop
}

func unixClient(t *testing.T, path string) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func tcpClient(t *testing.T, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// send makes a request and returns the status.
func send(t *testing.T, c *http.Client, method, url, user string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestControlSocketHasFullRights(t *testing.T) {
	f := newFixture(t, nil)
	act(f)
	path := filepath.Join(t.TempDir(), "control.sock")
	tcp := loopback(t)
	stop := start(t, ServerOptions{Handler: f, Listeners: []net.Listener{tcp}, ControlSocket: path})

	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
	socket := unixClient(t, path)
	for _, target := range []string{"/-/reload", "/api/v1/act"} {
		if got := send(t, socket, "POST", "http://control"+target, ""); got != 200 {
			t.Errorf("%s over the socket: %d", target, got)
		}
		if got := send(t, tcpClient(t, nil), "POST", "http://"+tcp.Addr().String()+target, ""); got != 403 {
			t.Errorf("%s over TCP: %d", target, got)
		}
	}
	if got := send(t, socket, "GET", "http://control/metrics", ""); got != 200 {
		t.Errorf("/metrics over the socket: %d", got)
	}
	if err := stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestControlSocketTakesItsPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control.sock")
	// A program that died left its socket behind.
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	first, err := listenControl(path)
	if err != nil {
		t.Fatalf("over a dead socket: %v", err)
	}
	if _, err := listenControl(path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("over a live socket: %v", err)
	}
	// One that lost its place to a successor leaves the successor's alone.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := listenControl(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = first.Close()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the successor's socket: %v", err)
	}
	_ = second.Close()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the last one closed: %v", err)
	}

	ordinary := file(t, "notes.txt", "precious")
	if _, err := listenControl(ordinary); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("over a file: %v", err)
	}
	if _, err := listenControl(filepath.Join(t.TempDir(), "none", "c.sock")); err == nil {
		t.Error("in a directory that does not exist: no error")
	}
}

func TestBasicAuthOverTCP(t *testing.T) {
	config := webConfig(t, "alice", "bob")
	f := newFixture(t, func(o *Options) { o.EnableAdminAPI, o.WebConfigFile = true, config })
	f.store.config = &configs.Config{Access: configs.Access{Users: []configs.User{{User: "alice", Role: "admin"}}}}
	act(f)
	first, second := loopback(t), loopback(t)
	start(t, ServerOptions{
		Handler: f, Listeners: []net.Listener{first, second},
		Toolkit: &toolkit.FlagConfig{WebConfigFile: &config},
	})
	client := tcpClient(t, nil)
	for _, l := range []net.Listener{first, second} {
		url := "http://" + l.Addr().String()
		for _, tt := range []struct {
			method, path, user string
			want               int
		}{
			{"GET", "/metrics", "", 401}, {"GET", "/metrics", "bob", 200},
			{"POST", "/api/v1/act", "", 401}, {"POST", "/api/v1/act", "mallory", 401},
			{"POST", "/api/v1/act", "bob", 403}, {"POST", "/api/v1/act", "alice", 200},
		} {
			if got := send(t, client, tt.method, url+tt.path, tt.user); got != tt.want {
				t.Errorf("%s %s as %q: %d, want %d", tt.method, tt.path, tt.user, got, tt.want)
			}
		}
	}
	// As soon as the file names no users, exporter-toolkit lets credentials
	// through unverified. They must not count.
	if err := os.WriteFile(config, []byte("basic_auth_users: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := "http://" + first.Addr().String()
	if got := send(t, client, "GET", url+"/metrics", ""); got != 200 {
		t.Fatalf("exporter-toolkit still asks for a user: %d", got)
	}
	if got := send(t, client, "POST", url+"/api/v1/act", "alice"); got != 403 {
		t.Errorf("unverified credentials: %d, want 403", got)
	}
}

func TestClientCertificatesOverTLS(t *testing.T) {
	pki := redistest.NewPKI(t)
	config := file(t, "web.yml", "tls_server_config:\n  cert_file: "+pki.ServerCert+"\n  key_file: "+pki.ServerKey+
		"\n  client_ca_file: "+pki.CA+"\n  client_auth_type: VerifyClientCertIfGiven\n")
	f := newFixture(t, func(o *Options) { o.EnableAdminAPI, o.WebConfigFile = true, config })
	f.store.config = &configs.Config{Access: configs.Access{Users: []configs.User{{User: "exporter", Role: "admin"}}}}
	act(f)
	l := loopback(t)
	start(t, ServerOptions{Handler: f, Listeners: []net.Listener{l}, Toolkit: &toolkit.FlagConfig{WebConfigFile: &config}})
	url := "https://" + l.Addr().String()
	if got := send(t, tcpClient(t, pki.ClientConfig(true)), "POST", url+"/api/v1/act", ""); got != 200 {
		t.Errorf("with a certificate: %d", got)
	}
	without := tcpClient(t, pki.ClientConfig(false))
	if got := send(t, without, "POST", url+"/api/v1/act", ""); got != 403 {
		t.Errorf("without a certificate: %d", got)
	}
	if got := send(t, without, "GET", url+"/metrics", ""); got != 200 {
		t.Errorf("reading without a certificate: %d", got)
	}
}

func TestListenErrors(t *testing.T) {
	taken := loopback(t)
	defer func() { _ = taken.Close() }()
	yes, none := true, ""
	tests := map[string]ServerOptions{
		"a port that is taken":     {Toolkit: &toolkit.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0", taken.Addr().String()}}},
		"no address":               {Toolkit: &toolkit.FlagConfig{WebListenAddresses: &[]string{"nonsense"}}},
		"no socket from systemd":   {Toolkit: &toolkit.FlagConfig{WebSystemdSocket: &yes, WebConfigFile: &none}},
		"a control socket nowhere": {ControlSocket: filepath.Join(t.TempDir(), "no", "c.sock"), Toolkit: &toolkit.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}}},
	}
	for name, o := range tests {
		if _, err := Listen(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestABrokenWebConfigStopsTheServer(t *testing.T) {
	config := file(t, "web.yml", "no_such_key: 1\n")
	server, err := Listen(ServerOptions{
		Handler: http.NotFoundHandler(), Listeners: []net.Listener{loopback(t)}, Grace: time.Second,
		Toolkit: &toolkit.FlagConfig{WebConfigFile: &config}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no_such_key") {
		t.Errorf("got %v", err)
	}
}
