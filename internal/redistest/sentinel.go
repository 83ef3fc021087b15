package redistest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// SentinelMaster is the name under which a trio watches its master.
const SentinelMaster = "mymaster"

// Trio is three sentinels that watch a master and its replica.
type Trio struct {
	Master    *Server // at the start; a failover changes the roles
	Replica   *Server
	Sentinels []*Server

	t testing.TB
}

// Sentinel starts a trio. Of o, TLS and RequirePass apply to the two servers
// and TLS to the sentinels, whose own password is sentinelPass where not empty.
// It returns once every sentinel sees the replica and the other sentinels.
func Sentinel(t testing.TB, o Options, sentinelPass string) *Trio {
	t.Helper()
	Need(t, "redis-sentinel")
	if o.TLS && o.PKI == nil {
		o.PKI = NewPKI(t)
	}
	o.Lines = append(slices.Clone(o.Lines), "repl-diskless-sync-delay 0")
	if o.RequirePass != "" {
		o.Lines = append(o.Lines, "masterauth "+o.RequirePass)
	}
	s := &Trio{t: t, Master: Start(t, o)}
	replica := o
	replica.Lines = append(slices.Clone(o.Lines), fmt.Sprintf("replicaof %s %d", s.Master.Host, s.Master.Port))
	s.Replica = Start(t, replica)
	s.Replica.waitForLink()
	for range 3 {
		s.Sentinels = append(s.Sentinels, s.startSentinel(o, sentinelPass))
	}
	for _, sentinel := range s.Sentinels {
		s.waitForView(sentinel)
	}
	return s
}

func (s *Trio) startSentinel(o Options, password string) *Server {
	s.t.Helper()
	watched := SentinelMaster
	lines := []string{
		fmt.Sprintf("sentinel monitor %s %s %d 2", watched, s.Master.Host, s.Master.Port),
		"sentinel down-after-milliseconds " + watched + " 500",
		"sentinel failover-timeout " + watched + " 3000",
	}
	if o.RequirePass != "" {
		lines = append(lines, "sentinel auth-pass "+watched+" "+o.RequirePass)
	}
	if password != "" {
		lines = append(lines, "sentinel sentinel-pass "+password)
	}
	return start(s.t, "redis-sentinel", Options{TLS: o.TLS, PKI: o.PKI, RequirePass: password, Lines: lines}, nil)
}

func (s *Trio) waitForView(sentinel *Server) {
	s.t.Helper()
	c := sentinel.sentinelClient()
	s.hasten(c, "INFO-PERIOD", 200)
	WaitFor(s.t, "discovery by the sentinel", func() bool {
		replicas, err := c.Replicas(s.t.Context(), SentinelMaster).Result()
		if err != nil || len(replicas) != 1 {
			return false
		}
		others, err := c.Sentinels(s.t.Context(), SentinelMaster).Result()
		return err == nil && len(others) == 2
	})
}

// hasten shortens one of the periods, of seconds by default, that make a
// failover take a quarter of a minute. Sentinels before 7.0 keep theirs.
func (s *Trio) hasten(c *redis.SentinelClient, period string, milliseconds int) {
	s.t.Helper()
	cmd := redis.NewStatusCmd(s.t.Context(), "SENTINEL", "DEBUG", period, milliseconds)
	if err := c.Process(s.t.Context(), cmd); err != nil {
		s.t.Logf("%s stays as it is: %v", period, err)
	}
}

// Addrs are the addresses of the sentinels.
func (s *Trio) Addrs() []string { return addrs(s.Sentinels) }

// Failover has the sentinels swap master and replica, both alive, and returns
// when the old master has become a replica.
func (s *Trio) Failover() {
	s.t.Helper()
	c := s.Sentinels[0].sentinelClient()
	WaitFor(s.t, "start of the failover", func() bool { // refused until the replica is known well enough
		return c.Failover(s.t.Context(), SentinelMaster).Err() == nil
	})
	s.WaitForMaster(s.Replica)
	// Not earlier: after four such periods a sentinel that has not heard of the
	// election makes the new master a replica again.
	for _, sentinel := range s.Sentinels {
		s.hasten(sentinel.sentinelClient(), "PUBLISH-PERIOD", 100)
	}
	old := s.Master.Client()
	WaitFor(s.t, "demotion of the old master", func() bool {
		info, err := old.Info(s.t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "role:slave")
	})
}

// WaitForMaster returns when every sentinel names server as the master.
func (s *Trio) WaitForMaster(server *Server) {
	s.t.Helper()
	for _, sentinel := range s.Sentinels {
		c := sentinel.sentinelClient()
		WaitFor(s.t, "election of a new master", func() bool {
			reply, err := c.GetMasterAddrByName(s.t.Context(), SentinelMaster).Result()
			return err == nil && len(reply) == 2 && net.JoinHostPort(reply[0], reply[1]) == server.Addr
		})
	}
}

// sentinelClient returns a client of the sentinel that ends with the test.
func (s *Server) sentinelClient() *redis.SentinelClient {
	c := redis.NewSentinelClient(&redis.Options{
		Addr: s.Addr, Password: s.password, Dialer: s.dialer(), PoolSize: 2, DisableIdentity: true,
	})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// waitForLink returns when the replica is in step with its master.
func (s *Server) waitForLink() {
	s.t.Helper()
	c := s.Client()
	WaitFor(s.t, "replication", func() bool {
		info, err := c.Info(s.t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
}

func addrs(servers []*Server) []string {
	out := make([]string, len(servers))
	for i, s := range servers {
		out[i] = s.Addr
	}
	return out
}
