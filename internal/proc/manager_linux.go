package proc

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/queuefleet/queuefleet/internal/mailbox"
)

// markName is the environment variable by which processes that a worker leaves
// behind are known to be its own.
const markName = "QUEUEFLEET_WORKER"

type stats struct{ leaked, strangers, dropped, abandoned atomic.Uint64 }

// Manager starts and reaps worker processes. A process has one.
type Manager struct {
	log     *slog.Logger
	options Options
	stub    stub
	adopts  bool
	mark    string   // makes this Manager's marks unique
	null    *os.File // the workers' standard input
	nextID  atomic.Uint64
	stats   stats

	starts    *mailbox.Mailbox[*Child]
	sweeps    *mailbox.Mailbox[*Child]
	events    *mailbox.Mailbox[Event]
	out       chan Event
	died      chan os.Signal
	forwarder *forwarder // nil without Forward
	buffers   sync.Pool
	program   program // the forking goroutine's

	closing    sync.Once
	done       chan struct{} // closed when the end begins
	ended      chan struct{}
	running    sync.WaitGroup // what ends by done
	reading    sync.WaitGroup
	forwarding sync.WaitGroup

	// mu is held while forking, so that no child is reaped before it is known,
	// and while reaping, so that numbers keep their meaning.
	mu       sync.Mutex
	children map[int]*Child // by pid, until reaped
	sweeping map[int]*Child // adopted processes that were killed, by whose they are
	cgroup   *cgroup        // nil = none
}

// New makes the process's Manager. It must run before other children exist.
func New(o Options) (*Manager, error) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		return nil, fmt.Errorf("proc: %s is not supported", runtime.GOARCH)
	}
	if o.Rate == (Rate{}) {
		o.Rate = Rate{Lines: 2000, Bytes: 1 << 20}
	}
	if o.DrainTime == 0 {
		o.DrainTime = time.Second
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	m := &Manager{
		log: o.Logger, options: o, null: null,
		mark:     fmt.Sprintf("%s=%d-%x", markName, os.Getpid(), time.Now().UnixNano()),
		starts:   mailbox.New[*Child](0),
		sweeps:   mailbox.New[*Child](0),
		events:   mailbox.New[Event](0),
		out:      make(chan Event),
		died:     make(chan os.Signal, 1),
		buffers:  sync.Pool{New: func() any { return new([readSize]byte) }},
		done:     make(chan struct{}),
		ended:    make(chan struct{}),
		children: map[int]*Child{},
		sweeping: map[int]*Child{},
	}
	if err := m.prepare(); err != nil {
		_ = null.Close()
		return nil, err
	}
	m.begin()
	return m, nil
}

// prepare finds out what this machine offers.
func (m *Manager) prepare() error {
	if m.options.stub != nil {
		m.stub = *m.options.stub
	} else if m.stub = nativeStub(); m.stub.code == nil || !m.stub.works(m.null) {
		m.stub = goStub()
		m.log.Info("workers are started by way of this program itself, which takes longer: the machine does not run code from memory")
	}
	m.adopts = m.options.Adopt || os.Getpid() == 1
	if m.adopts {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return os.NewSyscallError("prctl(PR_SET_CHILD_SUBREAPER)", err)
		}
		if _, err := orphans(); err != nil {
			m.log.Warn("processes that leave a worker's process group are not found: the kernel has no CONFIG_PROC_CHILDREN", "err", err)
		}
	}
	if m.options.CgroupDir == "" {
		return nil
	}
	var err error
	m.cgroup, err = openCgroup(m.options.CgroupDir)
	return err
}

func (m *Manager) begin() {
	signal.Notify(m.died, unix.SIGCHLD)
	if m.options.Forward != nil {
		m.forwarder = newForwarder(m.options.Forward)
		m.forwarding.Go(m.forwarder.run)
	}
	m.running.Add(1)
	go onOwnThread(func() {
		defer m.running.Done()
		m.forkLoop()
	})
	m.running.Go(m.reapLoop)
	m.running.Go(m.sweepLoop)
	m.running.Go(m.pump)
}

// onOwnThread runs f locked to a thread other than the main one: that is the
// thread to which the kernel gives adopted processes, and which therefore tells
// them from workers. It returns when f does; the thread goes on.
func onOwnThread(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Gettid() != os.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() { // cannot get the main thread while this goroutine holds it
		defer close(done)
		onOwnThread(f)
	}()
	<-done
}

// pump hands events to whoever receives them, in their order.
func (m *Manager) pump() {
	for {
		select {
		case <-m.events.Ready():
		case <-m.done:
			return
		}
		for _, event := range m.events.Take() {
			select {
			case m.out <- event:
			case <-m.done:
				return
			}
		}
	}
}

// Start has a worker started, in the order of the calls. It returns at once;
// what becomes of it is told by Events.
func (m *Manager) Start(l Launch) *Child {
	c := &Child{manager: m, id: m.nextID.Add(1), launch: l, pidfd: -1}
	c.mark = fmt.Sprintf("%s-%d", m.mark, c.id)
	c.output.child, c.output.observe, c.output.forward = c, l.Observe, m.forwarder
	c.output.limit = newLimiter(m.options.Rate, time.Now())
	m.starts.Put(c)
	return c
}

// Events returns the channel on which everything that happens to children is
// told. Nothing waits for the receiver; what it has not received is kept.
func (m *Manager) Events() <-chan Event { return m.out }

// Stats returns the counts.
func (m *Manager) Stats() Stats {
	return Stats{
		Leaked: m.stats.leaked.Load(), Strangers: m.stats.strangers.Load(),
		Dropped: m.stats.dropped.Load(), Abandoned: m.stats.abandoned.Load(),
	}
}

// MemoryMaxError returns why Spec.MemoryMax has no effect, nil if it has.
func (m *Manager) MemoryMaxError() error {
	if m.cgroup == nil {
		return errNoCgroup
	}
	return m.cgroup.noMemory
}

// Close ends everything but the children: it neither stops nor waits for them,
// and sends no event any more. Their output is no longer read. It returns when
// all lines have been forwarded, or with ctx's error.
func (m *Manager) Close(ctx context.Context) error {
	m.closing.Do(func() { go m.end() })
	select {
	case <-m.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the workers' output to be written: %w", ctx.Err())
	}
}

func (m *Manager) end() {
	defer close(m.ended)
	close(m.done)
	signal.Stop(m.died)
	if m.options.Adopt {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) // it worked with 1
	}
	m.endReading()
	m.running.Wait()
	m.endReading() // of what the last fork brought
	m.reading.Wait()
	if m.forwarder != nil {
		m.forwarder.close()
		m.forwarding.Wait()
	}
	_ = m.null.Close()
}

func (m *Manager) endReading() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.children {
		c.mu.Lock()
		finishStreams(c.streams, 0)
		if c.status != nil {
			_ = c.status.SetReadDeadline(time.Now())
		}
		c.mu.Unlock()
	}
}
