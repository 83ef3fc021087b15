package redistest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

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
	output  *output
	clients []*redis.Client
}

// output is what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes more of it.
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

// ready reports whether a redis-server or a redis-sentinel says that it listens.
func (o *output) ready() bool {
	text := o.String()
	return strings.Contains(text, "Ready to accept connections") || strings.Contains(text, "Sentinel ID is")
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
	out, done := new(output), make(chan struct{})
	cmd := exec.Command(s.binary, conf)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	s.cmd, s.output, s.done = cmd, out, done
	if err := s.answers(); err != nil {
		_ = cmd.Process.Kill()
		<-done
		s.cmd = nil
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// answers waits until the server says that it has its port, which another may
// have taken and answer at, and replies to PING with whatever it likes: an error
// reply is an answer too.
func (s *Server) answers() error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if s.output.ready() && s.ping() == nil {
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
