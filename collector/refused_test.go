package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// TestWrongPasswordWithoutQueues: with PING and INFO alone in the pipeline no
// command carries the error of the connection that could not be made.
func TestWrongPasswordWithoutQueues(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	b.apply(t, fmt.Sprintf("connections: [{name: wrong, address: %q, username: nobody, password: not-this}]\n", redis.Addr))
	s := b.scrape(t)
	s.want(t, `redis_up{connection="wrong"}`, "0")
	s.want(t, `redis_probe_failures_total{connection="wrong",reason="auth"}`, "1")
	if text := b.Connections()[0].Error; strings.Contains(text, errNotPong.Error()) {
		t.Errorf("a PING that was never sent is complained of: %q", text)
	}
}
