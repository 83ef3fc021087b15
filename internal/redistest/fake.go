package redistest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fake is a server on loopback that misbehaves.
type Fake struct {
	Addr string

	listener net.Listener
	serve    func(*Peer)
	stopped  chan struct{}
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// Peer is one client of a Fake.
type Peer struct {
	net.Conn
	Stopped <-chan struct{} // closed when the fake stops

	in *bufio.Reader
}

// NewFake starts a fake that runs serve for each client and hangs up when it
// returns. It ends with the test.
func NewFake(t testing.TB, serve func(*Peer)) *Fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &Fake{Addr: l.Addr().String(), listener: l, serve: serve, stopped: make(chan struct{}), conns: map[net.Conn]bool{}}
	f.running.Go(f.accept)
	t.Cleanup(f.stop)
	return f
}

func (f *Fake) accept() {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns[c] = true
		f.mu.Unlock()
		f.running.Go(func() {
			f.serve(&Peer{Conn: c, Stopped: f.stopped, in: bufio.NewReader(c)})
			f.mu.Lock()
			defer f.mu.Unlock()
			delete(f.conns, c)
			_ = c.Close()
		})
	}
}

func (f *Fake) stop() {
	close(f.stopped)
	_ = f.listener.Close()
	f.mu.Lock()
	for c := range f.conns {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.running.Wait()
}

// Clients is how many are connected.
func (f *Fake) Clients() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.conns)
}

// Command reads the next command. It fails when the client has hung up.
func (p *Peer) Command() ([]string, error) {
	n, err := p.number('*')
	if err != nil {
		return nil, err
	}
	args := make([]string, n)
	for i := range args {
		size, err := p.number('$')
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(p.in, text); err != nil {
			return nil, err
		}
		args[i] = string(text[:size])
	}
	args[0] = strings.ToUpper(args[0])
	return args, nil
}

func (p *Peer) number(kind byte) (int, error) {
	line, err := p.in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, errors.New("no RESP command")
	}
	return strconv.Atoi(strings.TrimRight(line[1:], "\r\n"))
}

// Send writes raw bytes and reports whether the client took them.
func (p *Peer) Send(raw string) bool {
	_, err := io.WriteString(p, raw)
	return err == nil
}

// Replies is a fake that answers each command with what reply returns, as raw
// RESP; the command's name is in upper case. An empty reply hangs up.
func Replies(t testing.TB, reply func(args []string) string) *Fake {
	t.Helper()
	return NewFake(t, func(p *Peer) {
		for {
			args, err := p.Command()
			if err != nil {
				return
			}
			if raw := reply(args); raw == "" || !p.Send(raw) {
				return
			}
		}
	})
}

// Always is a fake that answers every command with the same raw RESP:
// "-LOADING Redis is loading the dataset in memory\r\n", "+OK\r\n".
func Always(t testing.TB, raw string) *Fake {
	t.Helper()
	return Replies(t, func([]string) string { return raw })
}

// After is a fake that behaves well, as a Redis of old that does not know
// HELLO, until it is asked for anything but HELLO, AUTH, SELECT and CLIENT:
// then serve takes over with the command already read.
func After(t testing.TB, serve func(*Peer)) *Fake {
	t.Helper()
	return NewFake(t, func(p *Peer) {
		for {
			args, err := p.Command()
			if err != nil {
				return
			}
			answer := "+OK\r\n"
			switch args[0] {
			case "HELLO":
				answer = fmt.Sprintf("-ERR unknown command `HELLO`, with args beginning with: `%s`, \r\n", strings.Join(args[1:], "`, `"))
			case "AUTH", "SELECT", "CLIENT":
			default:
				serve(p)
				return
			}
			if !p.Send(answer) {
				return
			}
		}
	})
}

// Silent accepts and never answers.
func Silent(t testing.TB) *Fake {
	t.Helper()
	return NewFake(t, func(p *Peer) { _, _ = io.Copy(io.Discard, p) })
}

// Garbage speaks another protocol.
func Garbage(t testing.TB) *Fake {
	t.Helper()
	return NewFake(t, func(p *Peer) {
		_, _ = p.Command()
		p.Send("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n400 Bad Request")
	})
}

// HugeBulk announces a value of 1 GiB and sends as much of it as is taken.
func HugeBulk(t testing.TB) *Fake {
	t.Helper()
	return After(t, func(p *Peer) { flood(p, "$1073741824\r\n") })
}

// HugeArray announces a thousand million elements and sends as many as are taken.
func HugeArray(t testing.TB) *Fake {
	t.Helper()
	return After(t, func(p *Peer) { flood(p, "*1000000000\r\n") })
}

// EndlessLine sends a status that never ends.
func EndlessLine(t testing.TB) *Fake {
	t.Helper()
	return After(t, func(p *Peer) { flood(p, "+") })
}

func flood(p *Peer, header string) {
	if !p.Send(header) {
		return
	}
	chunk := bytes.Repeat([]byte(":1\r\n"), 4<<10)
	for {
		if _, err := p.Write(chunk); err != nil {
			return
		}
	}
}

// ClosesInMiddle hangs up in the middle of its first answer.
func ClosesInMiddle(t testing.TB) *Fake {
	t.Helper()
	return After(t, func(p *Peer) { p.Send("$100\r\nhalf of it") })
}

// Drip answers correctly, one byte a second.
func Drip(t testing.TB) *Fake {
	t.Helper()
	return After(t, func(p *Peer) {
		each := time.NewTicker(time.Second)
		defer each.Stop()
		for _, b := range "+PONG is what I am about to say\r\n" {
			if !p.Send(string(b)) {
				return
			}
			select {
			case <-each.C:
			case <-p.Stopped:
				return
			}
		}
	})
}
