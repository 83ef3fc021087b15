package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
)

var errUnanswered = errors.New("no answer within the scrape's time")

// TestResult is what connecting to a Redis once from nothing showed.
type TestResult struct {
	Name           string   `json:"name"`
	Address        string   `json:"address"`
	OK             bool     `json:"ok"`
	Reason         string   `json:"reason,omitempty"`
	Error          string   `json:"error,omitempty"`
	ConnectSeconds *float64 `json:"connect_seconds,omitempty"` // dial, TLS, authentication and the first PING
	PingSeconds    *float64 `json:"ping_seconds,omitempty"`
	InfoSeconds    *float64 `json:"info_seconds,omitempty"`
	RedisVersion   string   `json:"redis_version,omitempty"`
	Role           string   `json:"role,omitempty"`
}

// Test connects anew to the named connection, active or not, and returns what
// it saw. The error is ErrUnknownConnection or nil.
func (c *Collector) Test(ctx context.Context, name string) (TestResult, error) {
	conn, ok := c.current.Load().plan.config.Connection(name)
	if !ok {
		return TestResult{}, fmt.Errorf("%w: %q", ErrUnknownConnection, name)
	}
	return TestConnection(ctx, *conn), nil
}

// TestConnection connects to conn with a client of its own: so a stale socket
// or rotated credentials cannot hide behind a connection that is already open.
func TestConnection(ctx context.Context, conn configs.Connection) TestResult {
	t := TestResult{Name: conn.Name, Address: conn.DisplayAddress()}
	client := connection.New(conn)
	defer client.Close()
	if err := t.try(ctx, client); err != nil {
		t.Reason, t.Error = string(connection.Classify(err)), err.Error()
		return t
	}
	t.OK = true
	return t
}

func (t *TestResult) try(ctx context.Context, client *connection.Client) error {
	if err := timed(&t.ConnectSeconds, func() error { return ping(ctx, client) }); err != nil {
		return err
	}
	if err := timed(&t.PingSeconds, func() error { return ping(ctx, client) }); err != nil {
		return err
	}
	var text string
	err := timed(&t.InfoSeconds, func() (err error) {
		text, err = client.Redis().Info(ctx).Result()
		return err
	})
	switch {
	case isReply(err): // a user who may not read INFO can still be connected
		t.InfoSeconds = nil
		return nil
	case err != nil:
		return err
	}
	var info infoResult
	parseInfo(text, time.Now(), &info)
	t.RedisVersion, t.Role = info.version, info.role
	return nil
}

func ping(ctx context.Context, client *connection.Client) error {
	reply, err := client.Redis().Ping(ctx).Result()
	if err == nil && reply != "PONG" {
		return errNotPong
	}
	return err
}

func timed(seconds **float64, do func() error) error {
	start := time.Now()
	err := do()
	if err == nil || errors.Is(err, redis.Nil) {
		took := time.Since(start).Seconds()
		*seconds = &took
	}
	return err
}
