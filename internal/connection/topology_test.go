package connection

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestSentinelFollowsFailover(t *testing.T) {
	for name, o := range map[string]redistest.Options{"plain": {}, "tls and passwords": {TLS: true, RequirePass: planted}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trio := redistest.Sentinel(t, o, o.RequirePass)
			conn := withPassword(at(""), "", o.RequirePass)
			conn.Sentinel = &configs.Sentinel{
				Master: redistest.SentinelMaster, Password: configs.NewSecret(o.RequirePass),
				Addresses: append(trio.Addrs(), redistest.Silent(t).Addr), // a hung one is not waited for
			}
			if o.TLS {
				conn = withTLS(t, conn, trio.Master.PKI, false)
			}
			c := open(t, conn)
			port := func() string { return field(t, mustProbe(t, c), "tcp_port") }
			if got := port(); got != fmt.Sprint(trio.Master.Port) {
				t.Fatalf("port %s, want that of the master, %d", got, trio.Master.Port)
			}
			trio.Failover() // both alive: the old master's clients are killed
			if got := port(); got != fmt.Sprint(trio.Replica.Port) {
				t.Errorf("port %s after the failover, want %d", got, trio.Replica.Port)
			}

			trio.Replica.Stop() // and back, by death
			redistest.WaitFor(t, "election after the master's death", func() bool {
				info, err := probe(t.Context(), c)
				return err == nil && field(t, info, "tcp_port") == fmt.Sprint(trio.Master.Port)
			})
		})
	}
}

// A sentinel that still names the demoted master must not make its replica pass
// for the master.
func TestSentinelOfYesterday(t *testing.T) {
	replica := redistest.Start(t, redistest.Options{Lines: []string{"replicaof 127.0.0.1 1"}})
	host, port, err := net.SplitHostPort(replica.Addr)
	if err != nil {
		t.Fatal(err)
	}
	f := redistest.After(t, func(p *redistest.Peer) {
		p.Send(fmt.Sprintf("*2\r\n%s%s", bulk(host), bulk(port)))
		_, _ = p.Command()
	})
	conn := at("")
	conn.Sentinel = &configs.Sentinel{Master: "m", Addresses: []string{f.Addr}}
	if _, err := probe(t.Context(), open(t, conn)); Classify(err) != ReasonMasterDown {
		t.Errorf("reason %q of %v", Classify(err), err)
	}
}

// nodes probes every node and returns the names of those that answered.
func nodes(ctx context.Context, t *testing.T, c *Client) []string {
	t.Helper()
	var mu sync.Mutex
	var up []string
	if err := c.ForEachNode(ctx, func(ctx context.Context, node string, client *redis.Client) error {
		var ping *redis.StatusCmd
		if _, err := Pipelined(ctx, client, func(p redis.Pipeliner) { ping = p.Ping(ctx) }); err != nil {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if ping.Val() == "PONG" {
			up = append(up, node)
		}
		return nil
	}); err != nil {
		t.Errorf("ForEachNode: %v", err)
	}
	slices.Sort(up)
	return up
}

func TestCluster(t *testing.T) {
	for name, o := range map[string]redistest.Options{"plain": {}, "tls and password": {TLS: true, RequirePass: planted}} {
		t.Run(name, func(t *testing.T) {
			cluster := redistest.StartCluster(t, o)
			conn := withPassword(hasty(at("")), "", o.RequirePass)
			conn.Cluster = &configs.Cluster{Addresses: []string{redistest.FreeAddr(t), cluster.Nodes[4].Addr}}
			if o.TLS {
				conn = withTLS(t, conn, cluster.Nodes[0].PKI, false)
			}
			c := open(t, conn)
			all := slices.Sorted(slices.Values(cluster.Addrs()))
			if diff := cmp.Diff(all, nodes(t.Context(), t, c)); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
			keysEverywhere(t, c)

			cluster.Nodes[4].Freeze() // the one that gave the slot map
			others := slices.DeleteFunc(slices.Clone(all), func(a string) bool { return a == cluster.Nodes[4].Addr })
			for range 3 {
				if diff := cmp.Diff(others, nodes(t.Context(), t, c)); diff != "" {
					t.Errorf("nodes while one is frozen (-want +got):\n%s", diff)
				}
			}
			cluster.Nodes[4].Thaw()
			if diff := cmp.Diff(all, nodes(t.Context(), t, c)); diff != "" {
				t.Errorf("nodes afterwards (-want +got):\n%s", diff)
			}
		})
	}
}

// keysEverywhere reads keys of all slots in one pipeline.
func keysEverywhere(t *testing.T, c *Client) {
	t.Helper()
	for i := range 50 {
		if err := c.Redis().RPush(t.Context(), fmt.Sprint("queues:", i), i).Err(); err != nil {
			t.Fatal(err)
		}
	}
	cmds, err := c.Pipelined(t.Context(), func(p redis.Pipeliner) {
		for i := range 50 {
			p.LIndex(t.Context(), fmt.Sprint("queues:", i), 0)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, cmd := range cmds {
		if got := cmd.(*redis.StringCmd).Val(); got != fmt.Sprint(i) {
			t.Errorf("key %d holds %q", i, got)
		}
	}
}

func TestClusterFailover(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, redistest.Options{})
	conn := hasty(at(""))
	conn.Cluster = &configs.Cluster{Addresses: cluster.Addrs()}
	c := open(t, conn)
	keysEverywhere(t, c)
	cluster.Nodes[0].Stop()
	redistest.WaitFor(t, "election of a replica", func() bool {
		_, err := c.Pipelined(t.Context(), func(p redis.Pipeliner) {
			for i := range 50 {
				p.LIndex(t.Context(), fmt.Sprint("queues:", i), 0)
			}
		})
		return err == nil
	})
}

func TestReachable(t *testing.T) {
	for _, c := range []struct{ node, asked, want string }{
		{"10.0.0.1:7000", "redis.eu:6379", "10.0.0.1:7000"},
		{":7000", "redis.eu:6379", "redis.eu:7000"},
		{"127.0.0.1:7000", "redis.eu:6379", "redis.eu:7000"},
		{"127.0.0.1:7000", "127.0.0.1:7001", "127.0.0.1:7000"},
		{"10.0.0.1:0", "redis.eu:6379", "10.0.0.1:6379"},
		{"node.eu:7000", "redis.eu:6379", "node.eu:7000"},
		{"nonsense", "redis.eu:6379", "nonsense"},
	} {
		if got := reachable(c.node, c.asked); got != c.want {
			t.Errorf("%q from %q: %q, want %q", c.node, c.asked, got, c.want)
		}
	}
}
