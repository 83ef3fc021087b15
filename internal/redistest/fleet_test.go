package redistest_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) {
	redistest.ServeFleetIfAsked()
	goleak.VerifyTestMain(m)
}

func ask(t *testing.T, addr string) (info string, depth int64, err error) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2, MaxRetries: -1, ReadTimeout: 100 * time.Millisecond, PoolSize: 1, PipelinePoolSize: -1})
	defer func() { _ = c.Close() }()
	var text *redis.StringCmd
	var length *redis.IntCmd
	_, err = c.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		p.Ping(t.Context())
		text = p.Info(t.Context())
		length = p.LLen(t.Context(), "queues:default")
		return nil
	})
	return text.Val(), length.Val(), err
}

func TestFleet(t *testing.T) {
	f := redistest.NewFleet(t, redistest.FleetOptions{Replies: map[string]string{"LLEN": ":42\r\n"}})
	for range 3 {
		info, depth, err := ask(t, f.Addr)
		if err != nil || depth != 42 || !strings.Contains(info, "redis_version:7.0.15") {
			t.Errorf("LLEN %d, INFO %.20q, %v", depth, info, err)
		}
	}
	if n := f.Connections(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	if _, _, err := ask(t, f.Hung); !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hung member: %v, want a timeout", err)
	}
}

func TestFleetProcess(t *testing.T) {
	addr, hung := redistest.StartFleet(t)
	if _, depth, err := ask(t, addr); err != nil || depth != 3 {
		t.Errorf("LLEN %d, %v", depth, err)
	}
	if hung == "" || hung == addr {
		t.Errorf("hung members at %q", hung)
	}
}
