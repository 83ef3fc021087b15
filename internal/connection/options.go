package connection

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// readBuffer takes the reply to INFO in one read; writeBuffer takes the
	// requests of a few queues in one write. Larger pipelines take more system
	// calls, smaller buffers would for all: at 1,000 connections each KiB is one
	// MB of memory.
	readBuffer  = 8 << 10
	writeBuffer = 2 << 10

	// idleTime is long enough that regular scrapes never dial, and that of a
	// pool that was once used by several the surplus goes away.
	idleTime = 10 * time.Minute

	// lifetime bounds how old the answer to "which server, which certificate"
	// may become where it can change under an open socket: the address behind a
	// host name, the certificate of a server.
	lifetime       = 15 * time.Minute
	lifetimeJitter = 3 * time.Minute
)

// options are those of a client of one server.
//
// RESP2 is spoken, not RESP3: nothing we ask needs the newer types, and without
// push messages every byte on an idle socket means that it is done for.
func (d *dialer) options(network, address string) *redis.Options {
	o := &redis.Options{
		Network: network, Addr: address, Dialer: d.dial, OnConnect: d.greet, Protocol: 2,
		CredentialsProviderContext: d.credentials, DB: d.spec.database,
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: d.spec.dialTimeout, ReadTimeout: d.spec.readTimeout, WriteTimeout: d.spec.writeTimeout,
		ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer,
		PoolSize: d.spec.poolSize, PipelinePoolSize: -1, ConnMaxIdleTime: idleTime,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	switch {
	case d.spec.mode == ModeSentinel:
		o.ConnMaxLifetime, o.ConnMaxLifetimeJitter = sentinelLifetime, sentinelLifetime/10
	case d.mayMove(network, address):
		o.ConnMaxLifetime, o.ConnMaxLifetimeJitter = lifetime, lifetimeJitter
	}
	return o
}

func (d *dialer) mayMove(network, address string) bool {
	if network == "unix" {
		return false
	}
	host, _, err := net.SplitHostPort(address)
	return d.spec.secure || err != nil || net.ParseIP(host) == nil
}

func (d *dialer) masterOptions() *redis.Options {
	o := d.options("tcp", "sentinel:"+d.spec.master)
	o.Dialer = d.dialMaster
	o.OnConnect = func(ctx context.Context, c *redis.Conn) error {
		if err := checkMaster(ctx, c); err != nil {
			return err
		}
		return d.greet(ctx, c)
	}
	return o
}

func (d *dialer) clusterOptions() *redis.ClusterOptions {
	addresses := strings.Split(d.spec.addresses, ",")
	o := d.options("tcp", addresses[0])
	return &redis.ClusterOptions{
		Addrs: addresses, ClusterStateReloadInterval: topologyLifetime,
		// A key that has moved is asked for at its new node, once.
		MaxRedirects: 1, MinRetryBackoff: time.Millisecond, MaxRetryBackoff: 8 * time.Millisecond,
		// Routing policies would fetch the table of all commands first.
		DisableRoutingPolicies: true,

		Dialer: o.Dialer, OnConnect: o.OnConnect, Protocol: o.Protocol,
		CredentialsProviderContext: o.CredentialsProviderContext,
		MaxRetries:                 o.MaxRetries, DialerRetries: o.DialerRetries, ContextTimeoutEnabled: o.ContextTimeoutEnabled,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		ReadBufferSize: o.ReadBufferSize, WriteBufferSize: o.WriteBufferSize,
		PoolSize: o.PoolSize, PipelinePoolSize: o.PipelinePoolSize, ConnMaxIdleTime: o.ConnMaxIdleTime,
		ConnMaxLifetime: o.ConnMaxLifetime, ConnMaxLifetimeJitter: o.ConnMaxLifetimeJitter,
		DisableIdentity: o.DisableIdentity, MaintNotificationsConfig: o.MaintNotificationsConfig,
	}
}

// greet gives the socket its name. go-redis' own option would fail the socket
// of a user who may not set one.
func (d *dialer) greet(ctx context.Context, c *redis.Conn) error {
	if d.spec.clientName == "" {
		return nil
	}
	err := c.ClientSetName(ctx, d.spec.clientName).Err()
	if _, replied := errors.AsType[redis.Error](err); replied {
		return nil
	}
	return err
}
