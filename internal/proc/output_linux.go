package proc

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readSize  = 32 << 10
	lastWords = 1 << 20 // bytes read at most of what is left when the reading time is over
)

// output is what becomes of one worker's output.
type output struct {
	child   *Child
	observe func(Line) // may be nil
	forward *forwarder // may be nil
	dropped atomic.Uint64
	queued  int // bytes waiting in forward, guarded by its mutex

	mu    sync.Mutex // one worker may have two streams
	limit limiter
	lost  uint64 // dropped since the last line that was passed on
}

func (o *output) line(stream string, text []byte, more, open bool) {
	line := Line{Stream: stream, More: more, Open: open}
	if o.observe != nil {
		line.Text = clean(text)
		o.observe(line)
	}
	if o.forward == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.limit.allow(len(text), time.Now()) {
		o.lose()
		return
	}
	if o.observe == nil {
		line.Text = clean(text)
	}
	line.Lost = o.lost
	if !o.forward.put(o.child, line) {
		o.lose()
		return
	}
	o.lost = 0
}

func (o *output) lose() {
	o.lost++
	o.dropped.Add(1)
	o.child.manager.stats.dropped.Add(1)
}

// reader reads one stream in its own goroutine. While it waits it holds neither
// thread nor buffer.
type reader struct {
	output  *output
	stream  Stream
	lines   splitter
	buffers *sync.Pool

	buffer *[readSize]byte
	n      int
	err    error
}

func newReader(o *output, stream Stream, buffers *sync.Pool) *reader {
	r := &reader{output: o, stream: stream, buffers: buffers}
	r.lines.emit = func(text []byte, more, open bool) { o.line(stream.Name, text, more, open) }
	return r
}

// run reads to the end, or until the file's read deadline. It reports whether
// somebody may still write.
func (r *reader) run() (abandoned bool) {
	defer r.stream.File.Close() //nolint:errcheck // nothing was written
	defer r.lines.end()
	raw, err := r.stream.File.SyscallConn()
	if err != nil {
		return true
	}
	for {
		err := raw.Read(r.try)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			_ = raw.Control(r.rest)
			return !r.stream.Endless && r.err != nil
		}
		if err != nil || r.err != nil {
			return true
		}
		if r.n == 0 {
			return false
		}
		r.pass()
	}
}

// try reads what there is. It returns false when there is nothing.
func (r *reader) try(fd uintptr) bool {
	r.buffer = r.buffers.Get().(*[readSize]byte)
	for {
		r.n, r.err = unix.Read(int(fd), r.buffer[:])
		if !errors.Is(r.err, syscall.EINTR) {
			break
		}
	}
	if r.n > 0 {
		return true
	}
	r.buffers.Put(r.buffer)
	if errors.Is(r.err, syscall.EAGAIN) {
		return false
	}
	r.n = 0
	return true
}

func (r *reader) pass() {
	r.lines.write(r.buffer[:r.n])
	r.buffers.Put(r.buffer)
}

// rest reads what is there without waiting for more. It leaves r.err nil where
// that was the end.
func (r *reader) rest(fd uintptr) {
	for total := 0; total < lastWords; total += r.n {
		if !r.try(fd) || r.n == 0 {
			return
		}
		r.pass()
	}
	r.err = errMore
}

var errMore = errors.New("there is more output")

// finishStreams gives the readers a last time to read: what the worker wrote before it
// ended is there already, but whoever else holds its output may never close it.
func finishStreams(streams []Stream, within time.Duration) {
	now := time.Now()
	for _, stream := range streams {
		deadline := now.Add(within)
		if stream.Endless {
			deadline = now
		}
		_ = stream.File.SetReadDeadline(deadline) // fails when it has been read to its end and closed
	}
}
