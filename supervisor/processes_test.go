package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// An errand whose process does not come to an end, since it hangs in the
// kernel, is given up with the supervisor.
func TestErrandIsGivenUp(t *testing.T) {
	manager, err := proc.New(proc.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	m := newManaged(manager) // nobody passes on what becomes of its processes
	m.patience = 0
	spec := proc.Spec{Path: "/bin/true", Args: []string{"true"}, Dir: "/"}
	if os.Geteuid() == 0 {
		spec.User = &proc.Identity{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := m.run(ctx, proc.Launch{Spec: spec})
		ended <- err
	}()
	for running := 0; running == 0; <-time.After(time.Millisecond) {
		m.mu.Lock()
		running = len(m.errand)
		m.mu.Unlock()
	}
	cancel()
	m.close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the errand ends with %v", err)
	}
	if err := manager.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
