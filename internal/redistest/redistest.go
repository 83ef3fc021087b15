// Package redistest gives tests the real thing: redis-server and redis-sentinel
// on loopback, plain, over TLS, with ACL users, on a Unix socket, as a Sentinel
// trio or a six-node cluster. Beside them stand servers that misbehave in the
// ways real ones do, and a fleet of cheap fakes for benchmarks.
//
// Everything listens on 127.0.0.1 only and ends with the test.
package redistest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience bounds every wait of this package. It is never slept through: only a
// test that fails anyway gets this far.
const patience = 30 * time.Second

// Need skips the test, naming the binary, where it is not installed. With CI
// set in the environment the test fails instead: a pipeline must not turn green
// because its packages are missing.
func Need(t testing.TB, binary string) {
	t.Helper()
	if _, err := exec.LookPath(binary); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", binary)
	}
	t.Skipf("%s is not installed", binary)
}

// Options say what kind of redis-server Start starts. The zero value is a plain
// one without a password.
type Options struct {
	TLS                bool // Addr speaks TLS; there is no plain port
	MutualTLS          bool // and asks for a client certificate; implies TLS
	ExpiredCertificate bool // the server's certificate has expired; implies TLS
	PKI                *PKI // certificates to use; nil makes new ones where TLS is on

	RequirePass string   // password of the default user
	Users       []string // ACL users as redis.conf has them, without the word "user": "exporter on >secret ~* +ping +info"
	UnixSocket  bool     // listens on Server.Socket too
	Lines       []string // further lines of redis.conf
}

// Server is a running redis-server or redis-sentinel.
type Server struct {
	Addr   string // 127.0.0.1:port
	Host   string
	Port   int
	Socket string // path of the Unix socket, where asked for
	Dir    string // its working directory, with redis.conf
	PKI    *PKI   // its certificates; nil without TLS

	t        testing.TB
	binary   string
	password string
	mutual   bool
	ports    []int // Port, and the cluster bus where there is one
	lines    []string

	mu      sync.Mutex
	cmd     *exec.Cmd
	done    chan struct{} // closed once cmd is reaped
	output  *bytes.Buffer // written by cmd, read after done
	clients []*redis.Client
}

// Start starts a redis-server and waits until it answers.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	return start(t, "redis-server", o, nil)
}

// start runs binary with a configuration made of o and of what late adds once
// the ports are known. A port that somebody else took meanwhile is replaced.
func start(t testing.TB, binary string, o Options, late func(*Server) []string) *Server {
	t.Helper()
	Need(t, binary)
	s := &Server{t: t, binary: binary, Host: "127.0.0.1", Dir: shortDir(t), PKI: o.PKI, password: o.RequirePass, mutual: o.MutualTLS}
	if o.TLS = o.TLS || o.MutualTLS || o.ExpiredCertificate; o.TLS && s.PKI == nil {
		s.PKI = NewPKI(t)
	}
	if o.UnixSocket {
		s.Socket = filepath.Join(s.Dir, "redis.sock")
	}
	t.Cleanup(s.close)
	for attempt := 1; ; attempt++ {
		s.ports = freePorts(t, 2)
		s.Port = s.ports[0]
		s.Addr = net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
		s.lines = s.configuration(o)
		if late != nil {
			s.lines = append(s.lines, late(s)...)
		}
		err := s.run()
		if err == nil {
			return s
		}
		if attempt == 5 || !errors.Is(err, errEnded) {
			t.Fatalf("%s: %v", binary, err)
		}
	}
}

func (s *Server) configuration(o Options) []string {
	lines := []string{"bind 127.0.0.1", "dir " + s.Dir, "daemonize no"}
	if o.TLS {
		cert, key := s.PKI.ServerCert, s.PKI.ServerKey
		if o.ExpiredCertificate {
			cert, key = s.PKI.ExpiredCert, s.PKI.ExpiredKey
		}
		auth := "no"
		if o.MutualTLS {
			auth = "yes"
		}
		lines = append(lines, "port 0", fmt.Sprintf("tls-port %d", s.Port), "tls-cert-file "+cert, "tls-key-file "+key,
			"tls-ca-cert-file "+s.PKI.CA, "tls-auth-clients "+auth, "tls-replication yes", "tls-cluster yes")
	} else {
		lines = append(lines, fmt.Sprintf("port %d", s.Port))
	}
	if s.binary == "redis-server" {
		lines = append(lines, `save ""`, "appendonly no")
	}
	if o.RequirePass != "" {
		lines = append(lines, "requirepass "+o.RequirePass)
	}
	for _, u := range o.Users {
		lines = append(lines, "user "+u)
	}
	if s.Socket != "" {
		lines = append(lines, "unixsocket "+s.Socket)
	}
	return append(lines, o.Lines...)
}

// errEnded: the process ended before it answered, most likely since its port
// was taken between finding and binding it.
var errEnded = errors.New("ended before it answered")

func (s *Server) run() error {
	conf := filepath.Join(s.Dir, "redis.conf")
	if err := os.WriteFile(conf, []byte(strings.Join(s.lines, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	output, done := new(bytes.Buffer), make(chan struct{})
	cmd := exec.Command(s.binary, conf)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	s.cmd, s.output, s.done = cmd, output, done
	if err := s.answers(); err != nil {
		_ = cmd.Process.Kill()
		<-done
		s.cmd = nil
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}

// answers waits until the server replies to PING with whatever it likes: an
// error reply is an answer too.
func (s *Server) answers() error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if s.ping() == nil {
			return nil
		}
		select {
		case <-s.done:
			return errEnded
		case <-deadline.C:
			return errors.New("does not answer")
		case <-again.C:
		}
	}
}

func (s *Server) ping() error {
	conn, err := s.dial()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("*1\r\n$4\r\nPING\r\n")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// Client returns a client of the default user, closed when the test ends.
func (s *Server) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: s.Addr, Password: s.password, Dialer: s.dialer(),
		PoolSize: 2, MaxRetries: 3, DisableIdentity: true, PipelinePoolSize: -1,
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = append(s.clients, c)
	return c
}

// PID is the process id, 0 while the server is stopped.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Stop kills the server, which frees its port and closes its sockets.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.done
	s.cmd = nil
}

// Restart stops the server and starts it on the same port with the same
// configuration. Its data is lost.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if err := s.run(); err != nil {
		s.t.Fatalf("restart of %s: %v", s.binary, err)
	}
}

// Freeze stops the process by SIGSTOP: the kernel still accepts connections,
// nobody answers. Thaw lets it go on.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.t.Fatalf("%s is not running", s.binary)
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signal %s: %v", s.binary, err)
	}
}

func (s *Server) close() {
	s.mu.Lock()
	clients := slices.Clone(s.clients)
	s.mu.Unlock()
	for _, c := range clients {
		_ = c.Close()
	}
	s.Stop()
	if s.t.Failed() && s.output != nil {
		s.t.Logf("output of %s on %s:\n%s", s.binary, s.Addr, s.output)
	}
}

// shortDir is a temporary directory whose path is short enough for a Unix
// socket in it (108 bytes), which that of t.TempDir is not always.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// freePorts finds ports that nobody listens on, all different.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// FreeAddr is an address on loopback on which nobody listens: dialing it is
// refused.
func FreeAddr(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(freePorts(t, 1)[0]))
}
