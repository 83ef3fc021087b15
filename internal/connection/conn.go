package connection

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is the socket under a go-redis client. It guards the stream, knows
// whether a failure hit a socket that had been idle, and tells what the server
// said before it closed.
type conn struct {
	net.Conn              // TLS or the socket itself
	socket   syscall.Conn // what lies below TLS

	guard   guard
	spare   [2 * headerSize]byte // for reads too small for a held header
	waiting []byte               // filtered bytes in spare that nobody has read yet

	secure   bool
	greeted  bool   // the server has sent something
	answered bool   // it has sent something since the last request began
	reused   bool   // it had answered an earlier request
	refusal  string // its first words, where they say why it will hang up

	unsent  []byte // of the request at hand, waiting for more of it
	buffers *buffers

	sent      time.Time     // when the last request was written
	roundTrip *atomic.Int64 // takes how long its answer took to begin; shared by the client's sockets
}

// Read reads what the guard lets through. Who waits for an answer has said all.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.send(); err != nil {
		return 0, err
	}
	if len(c.waiting) == 0 && len(p) > headerSize {
		return c.read(p)
	}
	if len(c.waiting) == 0 && len(p) > 0 {
		n, err := c.read(c.spare[:])
		if c.waiting = c.spare[:n]; n == 0 {
			return 0, err // with bytes the error comes again on the next call
		}
	}
	n := copy(p, c.waiting)
	c.waiting = c.waiting[n:]
	return n, nil
}

func (c *conn) read(p []byte) (int, error) {
	if c.guard.err != nil {
		return 0, c.guard.err
	}
	for {
		held := copy(p, c.guard.held())
		n, err := c.Conn.Read(p[held:])
		if n == 0 {
			return 0, c.failed("read", err)
		}
		if !c.answered {
			c.roundTrip.Store(int64(time.Since(c.sent)))
		}
		c.answered = true
		passed, err := c.guard.filter(p[:held+n])
		if !c.greeted {
			c.greeted = true
			c.refusal = refusal(p[:passed])
		}
		if passed > 0 || err != nil {
			return passed, err
		}
	}
}

// Write sends a part of a request. go-redis writes in pieces of its buffer,
// which is small for the sake of a thousand idle sockets; a full piece says that
// more is coming, so it waits for company. The pipeline of a thousand queues
// would otherwise be hundreds of system calls.
func (c *conn) Write(p []byte) (int, error) {
	if len(p) != writeBuffer && len(c.unsent) == 0 {
		return c.write(p)
	}
	if c.unsent == nil {
		c.unsent = c.buffers.get()
	}
	c.unsent = append(c.unsent, p...)
	if len(p) == writeBuffer && len(c.unsent) < sendBuffer {
		return len(p), nil
	}
	if err := c.send(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// send writes what waits for company.
func (c *conn) send() error {
	if len(c.unsent) == 0 {
		return nil
	}
	_, err := c.write(c.unsent)
	c.buffers.put(c.unsent)
	c.unsent = nil
	return err
}

func (c *conn) write(p []byte) (int, error) {
	if c.answered {
		c.reused, c.answered = true, false
	}
	n, err := c.Conn.Write(p)
	if err == nil {
		c.sent = time.Now()
		return n, nil
	}
	if isClosed(err) && !c.reused {
		// The server hung up before it was asked. It may have said why.
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, said := c.read(c.spare[:]); said != nil && Classify(said) != ReasonEOF {
			return n, said
		}
	}
	return n, c.failed("write", err)
}

// sendBuffer is how much of a request is sent at a time.
const sendBuffer = 32 << 10

// buffers lends memory for requests under way. An idle socket has none.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return (*p)[:0]
	}
	return make([]byte, 0, sendBuffer+writeBuffer)
}

func (b *buffers) put(p []byte) {
	if cap(p) <= 2*sendBuffer { // one large request is not worth keeping its memory
		b.pool.Put(&p)
	}
}

// failed names a failure of the socket so that it reads the same each time: an
// ephemeral port in it would make every one of them a new text.
func (c *conn) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	if c.refusal != "" && isClosed(err) {
		return &failure{reason: classifyReply(c.refusal), text: c.refusal, cause: err}
	}
	f := &failure{reason: Classify(err), cause: err, stale: c.reused && !c.answered && isClosed(err)}
	if c.secure && f.reason == ReasonOther {
		f.reason = ReasonTLS // a broken record, for example
	}
	f.text = fmt.Sprintf("%s: %s", op, innermost(err))
	return f
}

// SyscallConn gives go-redis the socket for its check whether an idle one has
// been closed or has something to say. Under TLS too: all that a server may
// send unasked there are session tickets, and those come before its first
// answer, so what lies in the socket is the alert before an end.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if c.socket == nil {
		return nil, errors.ErrUnsupported
	}
	return c.socket.SyscallConn()
}

// refusal returns the server's first words where they are one of the errors
// after which it closes the connection, whatever it is asked.
func refusal(greeting []byte) string {
	line, _, whole := bytes.Cut(greeting, []byte("\r\n"))
	if !whole || len(line) == 0 || line[0] != '-' {
		return ""
	}
	text := string(line[1:])
	switch classifyReply(text) {
	case ReasonMaxClients:
		return text
	case ReasonNoPerm:
		if strings.HasPrefix(text, "DENIED") {
			sentence, _, _ := strings.Cut(text, ". ") // an essay follows
			return sentence
		}
	}
	return ""
}

// innermost returns what the operating system says, without the addresses of
// the operation around it.
func innermost(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		if op.Op == "remote error" || op.Op == "local error" {
			return op.Op + ": " + op.Err.Error()
		}
		return innermost(op.Err)
	}
	return err.Error()
}

// failedConn stands for a socket that could not be opened. go-redis counts
// errors of its dialer: after a few it stops asking it, returns the last error
// instead and dials once a second on its own. So our dialer does not fail; the
// first use of its socket does.
type failedConn struct {
	net.Conn // nil
	err      error
}

// Read fails with what dialing failed with.
func (c *failedConn) Read([]byte) (int, error) { return 0, c.err }

// Write fails with what dialing failed with.
func (c *failedConn) Write([]byte) (int, error) { return 0, c.err }

// Close has nothing to close.
func (c *failedConn) Close() error { return nil }

// SetDeadline succeeds, so that the first failure is that of dialing.
func (c *failedConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline succeeds likewise.
func (c *failedConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline succeeds likewise.
func (c *failedConn) SetWriteDeadline(time.Time) error { return nil }

// LocalAddr is no address.
func (c *failedConn) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr is no address.
func (c *failedConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SyscallConn fails, by which go-redis sees that one it keeps is of no use: a
// dial may end after the probe that wanted it.
func (c *failedConn) SyscallConn() (syscall.RawConn, error) { return nil, c.err }
