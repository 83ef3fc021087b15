package redistest

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

//go:embed testdata/info-7.0.txt
var infoText string

// FleetOptions say what a fleet answers.
type FleetOptions struct {
	// Replies are raw RESP by command in upper case, over the usual ones.
	Replies map[string]string
}

// Fleet is a cheap stand-in for thousands of Redis servers: any number of
// connections may dial its one address, each gets canned answers. It holds about
// 5 KB a connection and spends a few microseconds a command.
type Fleet struct {
	Addr string // answers
	Hung string // accepts, never answers

	connections atomic.Int64
	commands    atomic.Int64
	replies     map[string][]byte
	listeners   []net.Listener
	running     sync.WaitGroup
	mu          sync.Mutex
	conns       map[net.Conn]bool
}

// NewFleet serves a fleet in this process until the test ends.
func NewFleet(t testing.TB, o FleetOptions) *Fleet {
	t.Helper()
	f, err := serveFleet(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.stop)
	return f
}

// Connections is how many sockets have been accepted so far.
func (f *Fleet) Connections() int64 { return f.connections.Load() }

// Commands is how many commands have been answered so far.
func (f *Fleet) Commands() int64 { return f.commands.Load() }

func serveFleet(o FleetOptions) (*Fleet, error) {
	f := &Fleet{replies: fleetReplies(o), conns: map[net.Conn]bool{}}
	for _, part := range []struct {
		addr  *string
		serve func(net.Conn)
	}{{&f.Addr, f.serve}, {&f.Hung, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); _, _ = io.Copy(io.Discard, c) }}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			f.stop()
			return nil, err
		}
		f.listeners = append(f.listeners, l)
		*part.addr = l.Addr().String()
		f.running.Go(func() { f.accept(l, part.serve) })
	}
	return f, nil
}

func (f *Fleet) stop() {
	for _, l := range f.listeners {
		_ = l.Close()
	}
	f.mu.Lock()
	for c := range f.conns {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.running.Wait()
}

func (f *Fleet) accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		f.connections.Add(1)
		f.mu.Lock()
		f.conns[c] = true
		f.mu.Unlock()
		f.running.Go(func() {
			serve(c)
			f.mu.Lock()
			defer f.mu.Unlock()
			delete(f.conns, c)
			_ = c.Close()
		})
	}
}

// serve answers what has arrived with one write, as Redis does.
func (f *Fleet) serve(c net.Conn) {
	in := bufio.NewReaderSize(c, 1<<10)
	var out []byte
	for {
		name, err := fleetCommand(in)
		if err != nil {
			return
		}
		f.commands.Add(1)
		reply, ok := f.replies[string(name)] // does not allocate
		if !ok {
			reply = f.replies[""]
		}
		out = append(out, reply...)
		if in.Buffered() > 0 && len(out) < 64<<10 {
			continue
		}
		if _, err := c.Write(out); err != nil {
			return
		}
		if out = out[:0]; cap(out) > 16<<10 {
			out = nil // between scrapes ten thousand of these would add up
		}
	}
}

var errFleet = errors.New("no command")

// fleetCommand reads a command and returns its name in upper case, good until
// the next call.
func fleetCommand(in *bufio.Reader) ([]byte, error) {
	count, err := fleetNumber(in)
	if err != nil || count < 1 {
		return nil, errors.Join(errFleet, err)
	}
	var name [16]byte
	length := 0
	for i := range count {
		size, err := fleetNumber(in)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			arg, err := in.Peek(min(size, len(name)))
			if err != nil {
				return nil, err
			}
			length = copy(name[:], bytes.ToUpper(arg))
		}
		if _, err := in.Discard(size + 2); err != nil {
			return nil, err
		}
	}
	return name[:length], nil
}

func fleetNumber(in *bufio.Reader) (int, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	n := 0
	for _, d := range line[1:] {
		if d >= '0' && d <= '9' {
			n = n*10 + int(d-'0')
		}
	}
	return n, nil
}

func bulk(s string) string { return "$" + strconv.Itoa(len(s)) + "\r\n" + s + "\r\n" }

// fleetReplies are those of a Redis 7.0 with an empty slow log and queues of
// three jobs.
func fleetReplies(o FleetOptions) map[string][]byte {
	job := bulk(`{"uuid":"3f2504e0-4f89-41d3-9a0c-0305e82c3301","displayName":"App\\Jobs\\Ship","job":"Illuminate\\Queue\\CallQueuedHandler@call","maxTries":null,"data":{},"id":"mQxUT8LsFfBzJ1Gd","attempts":0,"createdAt":1767225600}`)
	hello := "*14\r\n" + bulk("server") + bulk("redis") + bulk("version") + bulk("7.0.15") + bulk("proto") + ":2\r\n" +
		bulk("id") + ":1\r\n" + bulk("mode") + bulk("standalone") + bulk("role") + bulk("master") + bulk("modules") + "*0\r\n"
	replies := map[string][]byte{}
	for name, raw := range map[string]string{
		"": "-ERR unknown command\r\n", "HELLO": hello, "PING": "+PONG\r\n", "INFO": bulk(infoText),
		"AUTH": "+OK\r\n", "SELECT": "+OK\r\n", "CLIENT": "+OK\r\n", "READONLY": "+OK\r\n",
		"SLOWLOG": ":0\r\n", "LATENCY": "*0\r\n", "DBSIZE": ":3\r\n", "TIME": "*2\r\n" + bulk("1767225600") + bulk("0"),
		"LLEN": ":3\r\n", "ZCARD": ":3\r\n", "ZCOUNT": ":1\r\n", "SCARD": ":0\r\n", "HLEN": ":0\r\n", "STRLEN": ":0\r\n",
		"EXISTS": ":0\r\n", "TYPE": "+list\r\n", "TTL": ":-1\r\n", "MEMORY": ":64\r\n", "XLEN": ":0\r\n",
		"LINDEX": job, "LRANGE": "*1\r\n" + job, "ZRANGE": "*2\r\n" + job + bulk("1767225600"),
		"ZRANGEBYSCORE": "*2\r\n" + job + bulk("1767225600"), "ZREVRANGE": "*0\r\n",
		"GET": "$-1\r\n", "MGET": "*1\r\n$-1\r\n", "HGET": "$-1\r\n", "HMGET": "*1\r\n$-1\r\n", "HGETALL": "*0\r\n",
		"SMEMBERS": "*0\r\n", "SCAN": "*2\r\n" + bulk("0") + "*0\r\n", "ROLE": "*3\r\n" + bulk("master") + ":0\r\n*0\r\n",
	} {
		replies[name] = []byte(raw)
	}
	for name, raw := range o.Replies {
		replies[name] = []byte(raw)
	}
	return replies
}

const fleetVariable = "QUEUEFLEET_REDISTEST_FLEET"

// ServeFleetIfAsked makes this process a fleet where StartFleet started it as
// one, and then does not return. Call it first in TestMain.
func ServeFleetIfAsked() {
	if os.Getenv(fleetVariable) == "" {
		return
	}
	if err := ServeFleet(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// ServeFleet makes this process a fleet with the usual answers until in ends,
// which it does with the parent, however that ends. It writes the two addresses
// as a line to out, and then for each line of in the numbers of sockets accepted
// and of commands answered so far.
func ServeFleet(in io.Reader, out io.Writer) error {
	f, err := serveFleet(FleetOptions{})
	if err != nil {
		return err
	}
	defer f.stop()
	if _, err := fmt.Fprintln(out, f.Addr, f.Hung); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if _, err := fmt.Fprintln(out, f.Connections(), f.Commands()); err != nil {
			return err
		}
	}
	return nil
}

// StartFleet serves a fleet with the usual answers in a process of its own, so
// that its CPU time and memory are not counted as the test's. TestMain must
// call ServeFleetIfAsked.
func StartFleet(t testing.TB) (addr, hung string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fleetVariable+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("fleet: %v", err)
	}
	addr, hung, _ = strings.Cut(strings.TrimSpace(line), " ")
	return addr, hung
}
