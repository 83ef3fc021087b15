// Package redistest gives tests the real thing: redis-server and redis-sentinel
// on loopback, plain, over TLS, with ACL users, on a Unix socket, as a Sentinel
// trio or a six-node cluster. Beside them stand servers that misbehave in the
// ways real ones do, and a fleet of cheap fakes for benchmarks.
//
// Everything listens on 127.0.0.1 only and ends with the test.
package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
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
