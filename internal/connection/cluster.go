package connection

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// topologyLifetime is how long a slot map is used before it is asked for again:
// less than between two scrapes, so that each begins with the present one.
const topologyLifetime = 5 * time.Second

// topology knows the nodes of a cluster. Left alone, go-redis asks a node drawn
// by lot each time that all nodes are visited, and waits for it where it hangs.
type topology struct {
	dialer  *dialer
	turn    chan struct{} // capacity 1: held by whoever asks
	known   atomic.Pointer[slotMap]
	clients sync.Map // address → *redis.Client, those that go-redis made
}

type slotMap struct {
	slots []redis.ClusterSlot
	from  string // the node that gave it
	at    time.Time
}

// newCluster returns a client of all nodes of a cluster.
func newCluster(d *dialer) *redis.ClusterClient {
	t := &topology{dialer: d, turn: make(chan struct{}, 1)}
	o := d.clusterOptions()
	o.ClusterSlots = t.slots
	o.NewClient = func(o *redis.Options) *redis.Client {
		c := redis.NewClient(o)
		t.clients.Store(o.Addr, c)
		return c
	}
	return redis.NewClusterClient(o)
}

// slots returns the slot map, not older than its lifetime.
func (t *topology) slots(ctx context.Context) ([]redis.ClusterSlot, error) {
	if m := t.fresh(); m != nil {
		return m.slots, nil
	}
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-t.turn }()
	if m := t.fresh(); m != nil {
		return m.slots, nil
	}
	m, err := t.ask(ctx)
	if err != nil {
		return nil, err
	}
	t.known.Store(m)
	t.forget(m)
	return m.slots, nil
}

// forget lets go of the clients of nodes that have left: go-redis closes them,
// and pods come with a new address each time.
func (t *topology) forget(m *slotMap) {
	present := map[string]bool{}
	for _, slot := range m.slots {
		for _, node := range slot.Nodes {
			present[node.Addr], present[hostless(node.Addr)] = true, true
		}
	}
	t.clients.Range(func(address, _ any) bool {
		if !present[address.(string)] {
			t.clients.Delete(address)
		}
		return true
	})
}

func (t *topology) fresh() *slotMap {
	if m := t.known.Load(); m != nil && time.Since(m.at) < topologyLifetime {
		return m
	}
	return nil
}

// ask asks the node that answered last, and where it fails every node that is
// configured or was seen, all at once: a hung one is waited for only once.
func (t *topology) ask(ctx context.Context) (*slotMap, error) {
	nodes := strings.Split(t.dialer.spec.addresses, ",")
	if last := t.known.Load(); last != nil {
		if m, err := t.askNode(ctx, last.from); err == nil {
			return m, nil
		}
		for _, slot := range last.slots {
			for _, node := range slot.Nodes {
				nodes = append(nodes, node.Addr)
			}
		}
		slices.Sort(nodes)
		nodes = slices.Compact(nodes)
	}
	m, errs := first(ctx, nodes, t.askNode)
	if errs != nil {
		return nil, errs[0]
	}
	return m, nil
}

func (t *topology) askNode(ctx context.Context, address string) (*slotMap, error) {
	c, release := t.client(address)
	defer release()
	slots, err := c.ClusterSlots(ctx).Result() //nolint:staticcheck // CLUSTER SHARDS came with Redis 7 only
	if err != nil {
		return nil, err
	}
	if len(slots) == 0 {
		return nil, &failure{reason: ReasonMasterDown, text: "the cluster serves no slots"}
	}
	for i := range slots {
		for j := range slots[i].Nodes {
			node := &slots[i].Nodes[j]
			node.Addr = reachable(node.Addr, address)
		}
	}
	return &slotMap{slots: slots, from: address, at: time.Now()}, nil
}

// client returns go-redis' client of the node, or one for this question alone.
func (t *topology) client(address string) (*redis.Client, func()) {
	for _, name := range []string{address, hostless(address)} {
		if c, ok := t.clients.Load(name); ok {
			return c.(*redis.Client), func() {}
		}
	}
	o := t.dialer.options("tcp", address)
	o.DB, o.PoolSize = 0, 1
	c := redis.NewClient(o)
	return c, func() { _ = c.Close() } // its error would concern a socket that is gone anyway
}

// reachable corrects the address of a node as the cluster gives it: one that
// does not know its own, or knows it as loopback only, is where the asked node
// is; a TLS-only cluster gives port 0.
func reachable(node, asked string) string {
	host, port, err := net.SplitHostPort(node)
	if err != nil {
		return node
	}
	askedHost, askedPort, err := net.SplitHostPort(asked)
	if err != nil {
		return node
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsLoopback() {
		host = askedHost
	}
	if port == "0" {
		port = askedPort
	}
	return net.JoinHostPort(host, port)
}

// go-redis replaces the host of a loopback node by that of the node that was
// asked, which it does not know where the slot map comes from us: ":7000" is
// left. These two go there and back.

func hostless(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsLoopback() {
		return ":" + port
	}
	return address
}

func hosted(address string) string {
	if strings.HasPrefix(address, ":") {
		return "127.0.0.1" + address
	}
	return address
}
