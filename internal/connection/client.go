// Package connection keeps named Redis clients: plain, TLS, Unix socket,
// Sentinel and Cluster, held open between probes and across reloads, with every
// byte that a server sends checked before go-redis sees it.
package connection

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
)

// Client is one named connection. It dials when it is first used.
type Client struct {
	name   string
	dialer *dialer

	mu     sync.Mutex
	redis  redis.UniversalClient // nil before the first use
	closed bool
}

// New returns a client on its own, for a caller that closes it itself.
func New(c configs.Connection) *Client {
	return newClient(c.Name, specOf(&c), secretsOf(&c), newKeyring(secretsOf(&c).tls))
}

func newClient(name string, s spec, secret secrets, k *keyring) *Client {
	c := &Client{name: name, dialer: &dialer{spec: s}}
	c.rotate(secret, k)
	return c
}

// rotate gives new secrets to the sockets to come; the open ones stay.
func (c *Client) rotate(s secrets, k *keyring) {
	c.dialer.secrets.Store(&s)
	c.dialer.keyring.Store(k)
}

// Name returns the connection's name in the configuration.
func (c *Client) Name() string { return c.name }

// Mode returns ModeStandalone, ModeSentinel or ModeCluster.
func (c *Client) Mode() string { return c.dialer.spec.mode }

// Redis returns the go-redis client: a *redis.ClusterClient of a cluster, else
// a *redis.Client. It is good until the Client is closed or released.
func (c *Client) Redis() redis.UniversalClient {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.redis == nil {
		c.redis = c.open()
		if c.closed {
			_ = c.redis.Close() // it has no socket yet
		}
	}
	return c.redis
}

func (c *Client) open() redis.UniversalClient {
	switch c.Mode() {
	case ModeCluster:
		return newCluster(c.dialer)
	case ModeSentinel:
		return redis.NewClient(c.dialer.masterOptions())
	default:
		return redis.NewClient(c.dialer.options(c.dialer.spec.network, c.dialer.spec.addresses))
	}
}

// CertificateExpiry returns when the certificate of the server ends that was
// shown in the last TLS handshake, one that failed for its sake included.
func (c *Client) CertificateExpiry() (time.Time, bool) {
	end := c.dialer.certificateEnd.Load()
	return time.Unix(end, 0).UTC(), end != 0
}

// RoundTrip returns how long the last answer took to begin: from the request
// written to the first byte read. It is 0 before the first answer. In a cluster
// it is that of the node that was asked last.
func (c *Client) RoundTrip() time.Duration { return time.Duration(c.dialer.roundTrip.Load()) }

// Pipelined sends what fn queues in one round trip and returns the commands
// with the first of their errors. A request that dies with a socket which had
// been idle, before a byte of the reply, is sent once more on another socket:
// commands must bear being executed twice.
func (c *Client) Pipelined(ctx context.Context, fn func(redis.Pipeliner)) ([]redis.Cmder, error) {
	return Pipelined(ctx, c.Redis(), fn)
}

// Pipelined is Client.Pipelined for a client got elsewhere, as from
// ForEachNode.
func Pipelined(ctx context.Context, client redis.UniversalClient, fn func(redis.Pipeliner)) ([]redis.Cmder, error) {
	pipe := client.Pipeline()
	fn(pipe)
	cmds, err := pipe.Exec(ctx)
	if !Retryable(err) || ctx.Err() != nil {
		return cmds, err
	}
	for _, cmd := range cmds {
		cmd.SetErr(nil)
		_ = pipe.Process(ctx, cmd) // queues it
	}
	return pipe.Exec(ctx)
}

// ForEachNode calls fn for every node of a cluster, masters and replicas, in
// parallel; node is its host:port. Of any other connection it calls fn once,
// with an empty node. It returns an error where the nodes cannot be told, or
// the first that fn returned.
func (c *Client) ForEachNode(ctx context.Context, fn func(ctx context.Context, node string, client *redis.Client) error) error {
	switch r := c.Redis().(type) {
	case *redis.ClusterClient:
		return r.ForEachShard(ctx, func(ctx context.Context, node *redis.Client) error {
			return fn(ctx, hosted(node.Options().Addr), node)
		})
	case *redis.Client:
		return fn(ctx, "", r)
	default:
		return redis.ErrClosed
	}
}

// Close closes the sockets. What is in flight on them fails.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	if c.redis == nil {
		return nil
	}
	return c.redis.Close()
}
