package proc

import "sync"

// How many bytes of output wait to be forwarded at most, of all workers and of
// one. One worker cannot take the room of the others.
const (
	maxQueued      = 8 << 20
	maxQueuedChild = 1 << 20
	lineOverhead   = 128 // what a queued line takes besides its text
)

// forwarder hands lines to a function that may block, such as a log on a slow
// disk, without its callers ever waiting for it.
type forwarder struct {
	to func(*Child, Line)

	mu     sync.Mutex
	lines  []queued
	size   int
	wake   chan struct{}
	closed bool
}

type queued struct {
	child *Child
	line  Line
}

func (q *queued) size() int { return len(q.line.Text) + lineOverhead }

func newForwarder(to func(*Child, Line)) *forwarder {
	return &forwarder{to: to, wake: make(chan struct{}, 1)}
}

// put queues a line and reports whether there was room.
func (f *forwarder) put(child *Child, line Line) bool {
	q := queued{child, line}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.size+q.size() > maxQueued || child.output.queued+q.size() > maxQueuedChild {
		return false
	}
	f.lines = append(f.lines, q)
	f.size += q.size()
	child.output.queued += q.size()
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return true
}

// run forwards until close, and then what is still queued.
func (f *forwarder) run() {
	for range f.wake {
		for _, q := range f.take() {
			f.to(q.child, q.line)
			f.release(q)
		}
	}
}

func (f *forwarder) take() []queued {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines := f.lines
	f.lines = nil
	return lines
}

// release makes room once a line is out: until then it takes memory.
func (f *forwarder) release(q queued) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.size -= q.size()
	q.child.output.queued -= q.size()
}

func (f *forwarder) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	close(f.wake)
}
