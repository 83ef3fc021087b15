package connection

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// keepAlive lets the kernel find a peer that has vanished. It is slower than
// the usual interval between scrapes, so that it costs nothing where those come.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

// dialer opens the sockets of one client: TCP or Unix, TLS on top where asked
// for, the guard above it.
type dialer struct {
	spec           spec
	secrets        atomic.Pointer[secrets] // what the next socket authenticates with
	keyring        atomic.Pointer[keyring]
	certificateEnd atomic.Int64 // Unix seconds; 0 before the first handshake
	roundTrip      atomic.Int64 // nanoseconds; 0 before the first answer
	buffers        buffers
}

// credentials is what go-redis asks at the start of each socket.
func (d *dialer) credentials(context.Context) (username, password string, err error) {
	return d.spec.username, d.secrets.Load().password.Reveal(), nil
}

func (d *dialer) sentinelCredentials(context.Context) (username, password string, err error) {
	return d.spec.sentinelUsername, d.secrets.Load().sentinel.Reveal(), nil
}

// dial is go-redis' way to a socket. It never fails (see failedConn).
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return settle(d.open(ctx, network, hosted(address))), nil
}

func settle(c net.Conn, err error) net.Conn {
	if err != nil {
		return &failedConn{err: err}
	}
	return c
}

func (d *dialer) open(ctx context.Context, network, address string) (net.Conn, error) {
	netDialer := net.Dialer{KeepAliveConfig: keepAlive}
	socket, err := netDialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, dialFailure(address, err)
	}
	c := &conn{Conn: socket, roundTrip: &d.roundTrip, buffers: &d.buffers}
	c.socket, _ = socket.(syscall.Conn)
	if !d.spec.secure {
		return c, nil
	}
	c.secure = true
	if c.Conn, err = d.handshake(ctx, socket, address); err != nil {
		_ = socket.Close()
		return nil, err
	}
	return c, nil
}

// dialFailure says what failed and where, in the same words each time. A dial
// that was cut off by its context is a timeout, whatever it was doing.
func dialFailure(address string, err error) error {
	f := &failure{reason: Classify(err), cause: err}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		f.text = fmt.Sprintf("look up %s: %s", withoutUser(dns.Name), dns.Err)
		return f
	}
	shown := withoutUser(address)
	f.text = fmt.Sprintf("connect to %s: %s", shown, strings.ReplaceAll(innermost(err), address, shown))
	return f
}

// withoutUser cuts off what somebody may have put before the host as in a URL.
// Load refuses such an address, for it is where passwords stand.
func withoutUser(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}
