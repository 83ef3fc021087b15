package connection

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// recorder keeps what is written to it and answers PONG for ever.
type recorder struct {
	net.Conn
	writes [][]byte
	fail   error
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.fail != nil {
		return 0, r.fail
	}
	r.writes = append(r.writes, bytes.Clone(p))
	return len(p), nil
}

func (r *recorder) Read(p []byte) (int, error) { return copy(p, "+PONG\r\n"), nil }

func newRecorded() (*conn, *recorder) {
	r := &recorder{}
	return &conn{Conn: r, roundTrip: new(atomic.Int64), buffers: new(buffers)}, r
}

// Whatever the sizes of its parts, a request arrives whole before the answer is
// awaited, and a large one takes few system calls.
func TestRequestsAreSentInLargePieces(t *testing.T) {
	for _, size := range []int{1, writeBuffer - 1, writeBuffer, writeBuffer + 1, 3 * writeBuffer, sendBuffer, sendBuffer + writeBuffer, 450_000} {
		c, sent := newRecorded()
		w := bufio.NewWriterSize(c, writeBuffer)
		request := strings.Repeat("LLEN a queue\r\n", size/14+1)[:size]
		for i, part := 0, 0; i < size; i += part {
			part = min(1+i%97, size-i)
			if _, err := w.WriteString(request[i : i+part]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
		if got := string(bytes.Join(sent.writes, nil)); got != request {
			t.Errorf("%d bytes: something else arrived (%d bytes)", size, len(got))
		}
		if most := size/sendBuffer + 2; len(sent.writes) > most {
			t.Errorf("%d bytes took %d writes, want at most %d", size, len(sent.writes), most)
		}
	}
}

func TestFailedRequestIsToldBeforeTheAnswerIsAwaited(t *testing.T) {
	c, sent := newRecorded()
	sent.fail = io.ErrClosedPipe
	if _, err := c.Write(make([]byte, writeBuffer)); err != nil {
		t.Fatalf("a piece that waits for more cannot have failed: %v", err)
	}
	if _, err := c.Read(make([]byte, 64)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the failure of the request", err)
	}
}
