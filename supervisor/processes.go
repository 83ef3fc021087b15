package supervisor

import (
	"cmp"
	"context"
	"sync"
	"syscall"
	"time"

	"github.com/queuefleet/queuefleet/internal/mailbox"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// child is what the loop needs of a process. *proc.Child is one.
type child interface {
	Signal(syscall.Signal) error
	Stop(grace time.Duration) error
	Usage() (proc.Usage, error)
	Catches(syscall.Signal) (bool, error)
	Dropped() uint64
}

// processEvent is a proc.Event of such a child.
type processEvent struct {
	Kind  proc.Kind
	Child child
	PID   int // of Started: asked for here, so that the loop need not wait for a process's lock
	At    time.Time
	Err   *proc.StartError
	Exit  *proc.Exit
	Count int
}

// processes starts children and tells what becomes of them. Neither waits.
type processes interface {
	start(proc.Launch) child
	events() *mailbox.Mailbox[processEvent]
}

// managed is the processes of a proc.Manager. Children that are run to their
// end by runOnce are kept apart from the loop's.
type managed struct {
	manager *proc.Manager
	out     *mailbox.Mailbox[processEvent]

	errands sync.WaitGroup // runs of run
	over    chan struct{}  // closed when errands are no longer waited for

	patience time.Duration // errandsEnd, but in tests

	mu     sync.Mutex
	closed bool // no further errand
	errand map[*proc.Child]*mailbox.Mailbox[proc.Event]
}

func newManaged(m *proc.Manager) *managed {
	return &managed{manager: m, out: mailbox.New[processEvent](0), over: make(chan struct{}), patience: errandsEnd, errand: map[*proc.Child]*mailbox.Mailbox[proc.Event]{}}
}

func (m *managed) start(l proc.Launch) child { return m.manager.Start(l) }

func (m *managed) events() *mailbox.Mailbox[processEvent] { return m.out }

// pump passes events on until ctx ends.
func (m *managed) pump(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-m.manager.Events():
			m.pass(e)
		}
	}
}

func (m *managed) pass(e proc.Event) {
	m.mu.Lock()
	to, isErrand := m.errand[e.Child]
	if isErrand && e.Kind == proc.Gone {
		delete(m.errand, e.Child)
	}
	m.mu.Unlock()
	if !isErrand {
		event := processEvent{Kind: e.Kind, Child: e.Child, At: e.At, Err: e.Err, Exit: e.Exit, Count: e.Count}
		if e.Kind == proc.Started {
			event.PID = e.Child.PID()
		}
		m.out.Put(event)
		return
	}
	to.Put(e)
}

// errandsEnd is how long the end of errands is waited for that were killed.
const errandsEnd = 5 * time.Second

// close waits for the errands under way, whose contexts have ended. What cannot
// be killed, since it hangs in the kernel, is not waited for.
func (m *managed) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	defer close(m.over)
	done := make(chan struct{})
	go func() {
		m.errands.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(m.patience):
	}
}

// run starts a child and returns how it ended once its output has been read.
// The end of ctx kills it.
func (m *managed) run(ctx context.Context, l proc.Launch) (*proc.Exit, error) {
	events := mailbox.New[proc.Event](0)
	m.mu.Lock() // no event is passed before the child is known
	if m.closed {
		m.mu.Unlock()
		return nil, context.Canceled
	}
	m.errands.Add(1)
	defer m.errands.Done()
	c := m.manager.Start(l)
	m.errand[c] = events
	m.mu.Unlock()
	var exit *proc.Exit
	var failure error
	done := ctx.Done()
	for {
		select {
		case <-done:
			done = nil
			failure = context.Cause(ctx)
			_ = c.Stop(0) // what cannot be killed ends by itself
		case <-m.over: // nobody passes events on any more
			return exit, cmp.Or(failure, context.Canceled)
		case <-events.Ready():
			for _, e := range events.Take() {
				switch e.Kind {
				case proc.Failed:
					failure = e.Err
				case proc.Exited:
					exit = e.Exit
				case proc.Gone:
					return exit, failure
				case proc.Started, proc.Leaked:
				}
			}
		}
	}
}
