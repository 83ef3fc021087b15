package connection

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func real(o redistest.Options) func(*testing.T) configs.Connection {
	return func(t *testing.T) configs.Connection { return at(redistest.Start(t, o).Addr) }
}

func fake(start func(testing.TB) *redistest.Fake) func(*testing.T) configs.Connection {
	return func(t *testing.T) configs.Connection {
		return hasty(withPassword(at(start(t).Addr), "", planted))
	}
}

func answers(raw string) func(*testing.T) configs.Connection {
	return fake(func(t testing.TB) *redistest.Fake { return redistest.Always(t, raw) })
}

// causes bring about every reason in earnest.
var causes = map[string]struct {
	connection func(*testing.T) configs.Connection
	want       []Reason // more than one where chance or version decides
}{
	"unknown host": {func(*testing.T) configs.Connection { return at("no-such-host.invalid:6379") }, []Reason{ReasonDNS}},

	"nobody listens":      {func(t *testing.T) configs.Connection { return at(redistest.FreeAddr(t)) }, []Reason{ReasonRefused}},
	"no such Unix socket": {func(t *testing.T) configs.Connection { return at("unix://" + t.TempDir() + "/none") }, []Reason{ReasonRefused}},
	"no route":            {func(*testing.T) configs.Connection { return at("224.0.0.1:6379") }, []Reason{ReasonUnreachable}}, // TCP to a multicast group

	"silent":      {fake(redistest.Silent), []Reason{ReasonTimeout}},
	"dripping":    {fake(redistest.Drip), []Reason{ReasonTimeout}},
	"frozen":      {frozen, []Reason{ReasonTimeout}},
	"slow dial":   {slowDial, []Reason{ReasonTimeout}},
	"TLS, silent": {silentTLS, []Reason{ReasonTimeout}},

	"unknown authority":     {wrongCA, []Reason{ReasonTLS}},
	"expired certificate":   {expired, []Reason{ReasonTLS}},
	"other server's name":   {wrongName, []Reason{ReasonTLS}},
	"no client certificate": {noClientCertificate, []Reason{ReasonTLS}},
	"old TLS only":          {oldTLS, []Reason{ReasonTLS}},
	"TLS to a plain server": {tlsToPlain, []Reason{ReasonTLS}},
	"plain to a TLS server": {real(redistest.Options{TLS: true}), []Reason{ReasonTLS, ReasonEOF}},
	"certificates no PEM":   {noPEM, []Reason{ReasonTLS}},

	"no password given": {real(redistest.Options{RequirePass: planted}), []Reason{ReasonAuth}},
	"wrong password":    {authentication("", "not-"+planted), []Reason{ReasonAuth}},
	"wrong user":        {authentication("nobody", planted), []Reason{ReasonAuth}},
	"Redis 5, no auth":  {answers("-NOAUTH Authentication required.\r\n"), []Reason{ReasonAuth}},
	"Redis 5, wrong":    {answers("-ERR invalid password\r\n"), []Reason{ReasonAuth}},
	"Redis 5, no need":  {answers("-ERR Client sent AUTH, but no password is set\r\n"), []Reason{ReasonAuth}},

	"user may not ping":   {mayNotPing, []Reason{ReasonNoPerm}},
	"protected mode":      {fake(protected), []Reason{ReasonNoPerm}},
	"loading":             {answers("-LOADING Redis is loading the dataset in memory\r\n"), []Reason{ReasonLoading}},
	"full":                {full(redistest.Options{}), []Reason{ReasonMaxClients}},
	"full, password":      {full(redistest.Options{RequirePass: planted}), []Reason{ReasonMaxClients}},
	"full, TLS":           {full(redistest.Options{TLS: true}), []Reason{ReasonMaxClients, ReasonEOF}},
	"full, says a fake":   {answers("-ERR max number of clients reached\r\n"), []Reason{ReasonMaxClients}},
	"replica without":     {orphan, []Reason{ReasonMasterDown}},
	"sentinel, unknown":   {unknownMaster, []Reason{ReasonMasterDown}},
	"sentinels disagree":  {sentinelsDisagree, []Reason{ReasonMasterDown}},
	"sentinels refuse":    {noSentinel, []Reason{ReasonRefused}},
	"cluster of no slots": {noSlots, []Reason{ReasonMasterDown}},
	"cluster refuses":     {noCluster, []Reason{ReasonRefused}},

	"garbage":      {fake(redistest.Garbage), []Reason{ReasonProtocol}},
	"huge bulk":    {fake(redistest.HugeBulk), []Reason{ReasonProtocol}},
	"huge array":   {fake(redistest.HugeArray), []Reason{ReasonProtocol}},
	"endless line": {fake(redistest.EndlessLine), []Reason{ReasonProtocol}},
	"OK to all":    {answers("+OK\r\n"), []Reason{ReasonProtocol}},
	"OK after hello": {fake(func(t testing.TB) *redistest.Fake {
		return redistest.After(t, func(p *redistest.Peer) { p.Send("+OK\r\n+OK\r\n"); _, _ = p.Command() })
	}), []Reason{ReasonProtocol}},
	"array to all": {answers("*2\r\n:1\r\n:2\r\n"), []Reason{ReasonProtocol}},
	"echo":         {fake(echo), []Reason{ReasonProtocol}},

	"closes in middle":  {fake(redistest.ClosesInMiddle), []Reason{ReasonEOF}},
	"closes at once":    {fake(func(t testing.TB) *redistest.Fake { return redistest.NewFake(t, func(*redistest.Peer) {}) }), []Reason{ReasonEOF}},
	"closes when asked": {fake(func(t testing.TB) *redistest.Fake { return redistest.After(t, func(*redistest.Peer) {}) }), []Reason{ReasonEOF}},
	"unknown error":     {answers("-ERR what?\r\n"), []Reason{ReasonOther}},
}

func TestReasons(t *testing.T) {
	redistest.Need(t, "redis-server")
	for name, c := range causes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := open(t, c.connection(t))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			for attempt := range 3 { // it does not change as the pool fills with failures
				_, err := probeAny(ctx, client)
				if err == nil {
					t.Fatal("up")
				}
				if got := Classify(err); !slices.Contains(c.want, got) {
					t.Fatalf("attempt %d: reason %q, want %q: %v", attempt, got, c.want, err)
				}
				if strings.Contains(err.Error(), planted) {
					t.Errorf("the password is in %q", err)
				}
				if len(err.Error()) > 400 {
					t.Errorf("%d bytes of error text: %s", len(err.Error()), err)
				}
			}
		})
	}
}

// probeAny is probe; of a cluster it asks all nodes.
func probeAny(ctx context.Context, c *Client) (string, error) {
	if c.Mode() != ModeCluster {
		return probe(ctx, c)
	}
	return "", c.ForEachNode(ctx, func(ctx context.Context, _ string, node *redis.Client) error { return node.Ping(ctx).Err() })
}

func frozen(t *testing.T) configs.Connection {
	s := redistest.Start(t, redistest.Options{})
	s.Freeze()
	return hasty(at(s.Addr))
}

func slowDial(t *testing.T) configs.Connection {
	c := at(redistest.Silent(t).Addr)
	c.Options.DialTimeout = 1 // nanosecond
	return c
}

func silentTLS(t *testing.T) configs.Connection {
	return withTLS(t, hasty(at(redistest.Silent(t).Addr)), redistest.NewPKI(t), false)
}

func wrongCA(t *testing.T) configs.Connection {
	s := redistest.Start(t, redistest.Options{TLS: true})
	c := at(s.Addr)
	c.TLS = &configs.TLS{CA: text(t, s.PKI.OtherCA)}
	return c
}

func expired(t *testing.T) configs.Connection {
	s := redistest.Start(t, redistest.Options{ExpiredCertificate: true})
	return withTLS(t, at(s.Addr), s.PKI, false)
}

func wrongName(t *testing.T) configs.Connection {
	s := redistest.Start(t, redistest.Options{TLS: true})
	c := withTLS(t, at(s.Addr), s.PKI, false)
	c.TLS.ServerName = "elsewhere.test"
	return c
}

func noClientCertificate(t *testing.T) configs.Connection {
	s := redistest.Start(t, redistest.Options{MutualTLS: true})
	return withTLS(t, at(s.Addr), s.PKI, false)
}

func oldTLS(t *testing.T) configs.Connection {
	s := redistest.Start(t, redistest.Options{TLS: true, Lines: []string{`tls-protocols "TLSv1.2"`}})
	c := withTLS(t, at(s.Addr), s.PKI, false)
	c.TLS.MinVersion = "TLS13"
	return c
}

// tlsToPlain meets a server that answers the greeting with an error, as Redis
// does once a newline chances to be in it.
func tlsToPlain(t *testing.T) configs.Connection {
	f := redistest.NewFake(t, func(p *redistest.Peer) {
		_, _ = p.Read(make([]byte, 1))
		p.Send("-ERR unknown command '...'\r\n")
		_, _ = io.Copy(io.Discard, p)
	})
	return withTLS(t, at(f.Addr), redistest.NewPKI(t), false)
}

func noPEM(t *testing.T) configs.Connection {
	c := at(redistest.Silent(t).Addr)
	c.TLS = &configs.TLS{Cert: "no PEM", Key: configs.NewSecret(planted)}
	return c
}

func authentication(user, password string) func(*testing.T) configs.Connection {
	return func(t *testing.T) configs.Connection {
		return withPassword(at(redistest.Start(t, redistest.Options{RequirePass: planted}).Addr), user, password)
	}
}

func mayNotPing(t *testing.T) configs.Connection {
	s := redistest.Start(t, redistest.Options{Users: []string{"exporter on >" + planted + " ~* +info"}})
	return withPassword(at(s.Addr), "exporter", planted)
}

func protected(t testing.TB) *redistest.Fake {
	return redistest.NewFake(t, func(p *redistest.Peer) {
		p.Send("-DENIED Redis is running in protected mode because protected mode is enabled. " + strings.Repeat("Do this. ", 100) + "\r\n")
	})
}

// full is a server whose only place is taken.
func full(o redistest.Options) func(*testing.T) configs.Connection {
	return func(t *testing.T) configs.Connection {
		o.Lines = []string{"maxclients 1"}
		s := redistest.Start(t, o)
		redistest.WaitFor(t, "leaving of the other client", func() bool { return s.Client().Ping(t.Context()).Err() == nil })
		c := withPassword(at(s.Addr), "", o.RequirePass)
		if o.TLS {
			c = withTLS(t, c, s.PKI, false)
		}
		return c
	}
}

func orphan(t *testing.T) configs.Connection {
	return at(redistest.Start(t, redistest.Options{Lines: []string{
		"replicaof 127.0.0.1 1", "replica-serve-stale-data no",
	}}).Addr)
}

func sentinel(addresses ...string) configs.Connection {
	c := withPassword(at(""), "", planted)
	c.Sentinel = &configs.Sentinel{Master: redistest.SentinelMaster, Addresses: addresses, Password: configs.NewSecret(planted)}
	return hasty(c)
}

func unknownMaster(t *testing.T) configs.Connection {
	return sentinel(oldSentinel(t), oldSentinel(t))
}

// oldSentinel knows no HELLO and no master.
func oldSentinel(t *testing.T) string {
	return redistest.After(t, func(p *redistest.Peer) { p.Send("*-1\r\n"); _, _ = p.Command() }).Addr
}

func sentinelsDisagree(t *testing.T) configs.Connection {
	return sentinel(redistest.FreeAddr(t), oldSentinel(t), redistest.Silent(t).Addr)
}

func noSentinel(t *testing.T) configs.Connection {
	return sentinel(redistest.FreeAddr(t), redistest.FreeAddr(t))
}

func noSlots(t *testing.T) configs.Connection {
	c := at("")
	c.Cluster = &configs.Cluster{Addresses: []string{redistest.Start(t, redistest.Options{Lines: []string{"cluster-enabled yes", "cluster-port 0"}}).Addr}}
	return c
}

func noCluster(t *testing.T) configs.Connection {
	c := at("")
	c.Cluster = &configs.Cluster{Addresses: []string{redistest.FreeAddr(t), redistest.FreeAddr(t)}}
	return c
}

func echo(t testing.TB) *redistest.Fake {
	return redistest.NewFake(t, func(p *redistest.Peer) { _, _ = io.Copy(p, p) })
}

func TestAddressesAreShownWithoutPassword(t *testing.T) {
	free := redistest.FreeAddr(t)
	for _, address := range []string{
		"redis://exporter:" + planted + "@" + free, "exporter:" + planted + "@" + free, planted + "@localhost.invalid:6379",
		planted + "@" + free, ":" + planted + "@" + free + "/0", "unix:///tmp/" + planted + "@none.sock",
	} {
		_, err := probe(t.Context(), open(t, at(address)))
		if err == nil || strings.Contains(err.Error(), planted) {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestClassifyPlainErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Reason
	}{
		{nil, ""},
		{context.DeadlineExceeded, ReasonTimeout},
		{fmt.Errorf("scrape: %w", os.ErrDeadlineExceeded), ReasonTimeout},
		{redis.ErrPoolTimeout, ReasonTimeout},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ETIMEDOUT)}, ReasonTimeout},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}}, ReasonDNS},
		{&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, ReasonUnreachable},
		{&net.OpError{Op: "dial", Err: syscall.EACCES}, ReasonNoPerm},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(42)}, ReasonTLS},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, ReasonEOF},
		{io.ErrUnexpectedEOF, ReasonEOF},
		{fmt.Errorf("%w: INFO is empty", ErrProtocol), ReasonProtocol},
		{errors.Join(errors.New("a"), io.EOF), ReasonEOF},
		{redis.ErrClosed, ReasonOther},
		{redis.Nil, ReasonOther},
		{context.Canceled, ReasonOther},
	} {
		if got := Classify(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestReasonsAreAClosedSet(t *testing.T) {
	all := Reasons()
	for _, r := range replyReasons {
		if !slices.Contains(all, r.reason) {
			t.Errorf("%q of %q is not in the set", r.reason, r.prefix)
		}
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(all))); len(distinct) != 13 || len(all) != 13 {
		t.Errorf("%d reasons, %d of them distinct, want 13", len(all), len(distinct))
	}
}
