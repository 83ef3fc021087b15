package redistest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const clusterSlots = 16384

// Cluster is six nodes: Nodes[0:3] began as masters, Nodes[3:6] as their
// replicas in the same order.
type Cluster struct {
	Nodes []*Server

	t testing.TB
}

// StartCluster starts a cluster with o for every node and returns when all of
// them find it whole.
func StartCluster(t testing.TB, o Options) *Cluster {
	t.Helper()
	Need(t, "redis-server")
	if o.TLS && o.PKI == nil {
		o.PKI = NewPKI(t)
	}
	o.Lines = append(slices.Clone(o.Lines), "cluster-enabled yes", "cluster-node-timeout 2000",
		"cluster-replica-validity-factor 0", "repl-diskless-sync-delay 0",
		"repl-ping-replica-period 1") // a replica is told of once it has had a ping
	if o.RequirePass != "" {
		o.Lines = append(o.Lines, "masterauth "+o.RequirePass)
	}
	c := &Cluster{t: t}
	for range 6 {
		c.Nodes = append(c.Nodes, start(t, "redis-server", o, func(s *Server) []string {
			return []string{fmt.Sprintf("cluster-port %d", s.ports[1])}
		}))
	}
	c.join()
	return c
}

func (c *Cluster) join() {
	c.t.Helper()
	first := c.Nodes[0].Client()
	for i, n := range c.Nodes {
		client := n.Client()
		c.must(client.Do(c.t.Context(), "CLUSTER", "SET-CONFIG-EPOCH", i+1))
		if i < 3 {
			c.must(client.Do(c.t.Context(), "CLUSTER", "ADDSLOTSRANGE", i*clusterSlots/3, (i+1)*clusterSlots/3-1))
		}
		if i > 0 {
			c.must(first.Do(c.t.Context(), "CLUSTER", "MEET", n.Host, n.Port, n.ports[1]))
		}
	}
	c.waitForInfo("meeting of the nodes", "cluster_known_nodes:6")
	for i, n := range c.Nodes[3:] {
		master, err := c.Nodes[i].Client().Do(c.t.Context(), "CLUSTER", "MYID").Text()
		if err != nil {
			c.t.Fatal(err)
		}
		client := n.Client()
		WaitFor(c.t, "replication of "+master, func() bool { // refused until the handshake with that node is over
			return client.Do(c.t.Context(), "CLUSTER", "REPLICATE", master).Err() == nil
		})
	}
	c.waitForInfo("completion of the cluster", "cluster_state:ok")
	for _, n := range c.Nodes[3:] {
		n.waitForLink()
	}
	c.waitForSlots()
}

// waitForSlots returns when every node tells of three masters with a replica each.
func (c *Cluster) waitForSlots() {
	c.t.Helper()
	for _, n := range c.Nodes {
		client := n.Client()
		WaitFor(c.t, "spread of the slot map", func() bool {
			slots, err := client.ClusterSlots(c.t.Context()).Result() //nolint:staticcheck // CLUSTER SHARDS came with Redis 7 only
			if err != nil || len(slots) != 3 {
				return false
			}
			for _, slot := range slots {
				if len(slot.Nodes) != 2 {
					return false
				}
			}
			return true
		})
	}
}

func (c *Cluster) waitForInfo(what, line string) {
	c.t.Helper()
	for _, n := range c.Nodes {
		client := n.Client()
		WaitFor(c.t, what, func() bool {
			info, err := client.ClusterInfo(c.t.Context()).Result()
			return err == nil && strings.Contains(info, line)
		})
	}
}

func (c *Cluster) must(cmd *redis.Cmd) {
	c.t.Helper()
	if err := cmd.Err(); err != nil {
		c.t.Fatalf("%v: %v", cmd.Args(), err)
	}
}

// Addrs are the addresses of all nodes.
func (c *Cluster) Addrs() []string { return addrs(c.Nodes) }
