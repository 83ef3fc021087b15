package connection

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) {
	redistest.ServeFleetIfAsked()
	RedirectGoRedisLog(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

// planted is the password of every test; no error may show it.
const planted = "hunter2-s3cr3t"

// at is a connection to address as Load would complete it.
func at(address string) configs.Connection {
	return configs.Connection{
		Name: "shop", Address: address, Active: true,
		Options: configs.ConnectionOptions{
			DialTimeout: configs.Duration(time.Second), ReadTimeout: configs.Duration(time.Second), WriteTimeout: configs.Duration(time.Second),
			PoolSize: 2, ClientName: "queuefleet",
		},
	}
}

// hasty shortens the timeouts, for what hangs.
func hasty(c configs.Connection) configs.Connection {
	d := configs.Duration(200 * time.Millisecond)
	c.Options.DialTimeout, c.Options.ReadTimeout, c.Options.WriteTimeout = d, d, d
	return c
}

func withPassword(c configs.Connection, user, password string) configs.Connection {
	c.Username, c.Password = user, configs.NewSecret(password)
	return c
}

// withTLS has c trust p's authority and, where mutual, show its client certificate.
func withTLS(t testing.TB, c configs.Connection, p *redistest.PKI, mutual bool) configs.Connection {
	t.Helper()
	c.TLS = &configs.TLS{CA: text(t, p.CA)}
	if mutual {
		c.TLS.Cert, c.TLS.Key = text(t, p.ClientCert), configs.NewSecret(text(t, p.ClientKey))
	}
	return c
}

func text(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// open returns a client of c that ends with the test.
func open(t testing.TB, c configs.Connection) *Client {
	t.Helper()
	client := New(c)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// probe does what the exporter does: PING and INFO in one round trip.
func probe(ctx context.Context, c *Client) (info string, err error) {
	var ping *redis.StatusCmd
	var reply *redis.StringCmd
	_, err = c.Pipelined(ctx, func(p redis.Pipeliner) {
		ping = p.Ping(ctx)
		reply = p.Info(ctx)
	})
	if err == nil && ping.Val() != "PONG" {
		err = protocolErrorf("PING is answered %q", ping.Val())
	}
	return reply.Val(), err
}

func mustProbe(t testing.TB, c *Client) (info string) {
	t.Helper()
	info, err := probe(t.Context(), c)
	if err != nil {
		t.Fatalf("probe: %v", err)
	}
	return info
}

// field returns a field of INFO.
func field(t testing.TB, info, name string) string {
	t.Helper()
	for line := range strings.SplitSeq(info, "\r\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return value
		}
	}
	t.Fatalf("INFO has no %s", name)
	return ""
}
