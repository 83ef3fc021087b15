package preset

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
)

func TestMain(m *testing.M) {
	proc.RunStub()
	goleak.VerifyTestMain(m)
}

// load reads a configuration with a connection per line of connections and
// queue configurations by worker lines.
func load(t *testing.T, text string) *configs.Config {
	t.Helper()
	c, err := configs.Parse("test.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// input is the Input of the first queue configuration.
func input(t *testing.T, text string) Input {
	t.Helper()
	c := load(t, text)
	q := &c.Queues[0]
	in := Input{Config: c, Queue: q, Queues: q.QueueNames}
	in.App, _ = c.Application(q.Application)
	in.Connection, _ = c.Connection(q.Connection)
	for i := range c.Queues {
		in.Configurations = append(in.Configurations, c.Queues[i].Name)
	}
	return in
}

// one is a configuration with one connection and one queue configuration, each
// with more keys.
func one(connection, queue, worker string) string {
	return fmt.Sprintf(`
connections: [{name: eu, address: "redis-1.eu:6380"%s}]
applications: [{slug: shop, connections: [{connection: eu}]}]
queues: [{application: shop, connection: eu, queue_names: [high, default], retry_after: 1h%s, worker: {directory: /%s}}]
`, after(connection), after(queue), after(worker))
}

func after(more string) string {
	if more == "" {
		return ""
	}
	return ", " + strings.TrimSuffix(more, ", ")
}

// runner runs processes by a Manager of its own.
type runner struct {
	manager *proc.Manager
	mu      sync.Mutex
	waiting map[*proc.Child]chan proc.Event
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	m, err := proc.New(proc.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{manager: m, waiting: map[*proc.Child]chan proc.Event{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-m.Events():
				r.mu.Lock()
				to := r.waiting[e.Child]
				r.mu.Unlock()
				to <- e
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// start starts a process and returns its events.
func (r *runner) start(l proc.Launch) (*proc.Child, <-chan proc.Event) {
	events := make(chan proc.Event, 64)
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.manager.Start(l)
	r.waiting[c] = events
	return c, events
}

// run is a Runner.
func (r *runner) run(ctx context.Context, l proc.Launch) (*proc.Exit, error) {
	c, events := r.start(l)
	var exit *proc.Exit
	var failure error
	for done := ctx.Done(); ; {
		select {
		case <-done:
			done, failure = nil, ctx.Err()
			_ = c.Stop(0)
		case e := <-events:
			switch e.Kind {
			case proc.Failed:
				failure = e.Err
			case proc.Exited:
				exit = e.Exit
			case proc.Gone:
				return exit, failure
			}
		}
	}
}

// asUser is the part of a worker's configuration that a supervisor which runs as
// root needs.
func asUser() string {
	if os.Geteuid() != 0 {
		return ""
	}
	return "user: nobody, "
}
