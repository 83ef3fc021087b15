package redistest_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

func pong(t *testing.T, c *redis.Client) {
	t.Helper()
	if got, err := c.Ping(t.Context()).Result(); err != nil || got != "PONG" {
		t.Fatalf("PING: %q, %v", got, err)
	}
}

func TestStart(t *testing.T) {
	for name, o := range map[string]redistest.Options{
		"plain":      {},
		"password":   {RequirePass: "s3cret"},
		"tls":        {TLS: true},
		"mutual tls": {MutualTLS: true},
		"expired":    {ExpiredCertificate: true},
		"lines":      {Lines: []string{"maxclients 64"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pong(t, redistest.Start(t, o).Client())
		})
	}
}

func TestUnixSocket(t *testing.T) {
	s := redistest.Start(t, redistest.Options{UnixSocket: true})
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket})
	defer func() { _ = c.Close() }()
	pong(t, c)
}

func TestACLUser(t *testing.T) {
	s := redistest.Start(t, redistest.Options{Users: []string{"exporter on >s3cret ~* +ping"}})
	c := redis.NewClient(&redis.Options{Addr: s.Addr, Username: "exporter", Password: "s3cret", DisableIdentity: true, Protocol: 2})
	defer func() { _ = c.Close() }()
	pong(t, c)
	if err := c.Get(t.Context(), "k").Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
		t.Errorf("GET: %v, want NOPERM", err)
	}
}

func TestRestartKeepsThePort(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	before := s.PID()
	s.Restart()
	if s.PID() == before || s.PID() == 0 {
		t.Errorf("pid %d after %d", s.PID(), before)
	}
	pong(t, s.Client())
	s.Stop()
	if conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", s.Addr); err == nil {
		_ = conn.Close()
		t.Error("the port is still open after Stop")
	}
}

func TestSentinelFailover(t *testing.T) {
	for name, o := range map[string]redistest.Options{"plain": {}, "tls and password": {TLS: true, RequirePass: "s3cret"}} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Sentinel(t, o, o.RequirePass)
			s.Failover()
			if role, err := s.Replica.Client().Do(t.Context(), "ROLE").Slice(); err != nil || role[0] != "master" {
				t.Errorf("role of the former replica: %v, %v", role, err)
			}
		})
	}
}

func TestCluster(t *testing.T) {
	for name, o := range map[string]redistest.Options{"plain": {}, "tls and password": {TLS: true, RequirePass: "s3cret"}} {
		t.Run(name, func(t *testing.T) {
			c := redistest.StartCluster(t, o)
			for _, n := range c.Nodes {
				pong(t, n.Client())
			}
			if err := c.Nodes[0].Client().Set(t.Context(), "foo", "v", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "MOVED") {
				t.Errorf("SET at the wrong node: %v, want MOVED", err)
			}
		})
	}
}
