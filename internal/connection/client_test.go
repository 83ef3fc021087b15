package connection

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// variants are the ways to one server.
var variants = map[string]struct {
	options redistest.Options
	connect func(*testing.T, *redistest.Server) configs.Connection
}{
	"plain": {redistest.Options{}, func(_ *testing.T, s *redistest.Server) configs.Connection { return at(s.Addr) }},
	"password": {redistest.Options{RequirePass: planted}, func(_ *testing.T, s *redistest.Server) configs.Connection {
		return withPassword(at(s.Addr), "", planted)
	}},
	"user": {
		redistest.Options{Users: []string{"exporter on >" + planted + " ~* +ping +info"}}, // and not CLIENT SETNAME
		func(_ *testing.T, s *redistest.Server) configs.Connection {
			return withPassword(at(s.Addr), "exporter", planted)
		},
	},
	"unix": {redistest.Options{UnixSocket: true}, func(_ *testing.T, s *redistest.Server) configs.Connection {
		return at("unix://" + s.Socket)
	}},
	"tls": {redistest.Options{TLS: true}, func(t *testing.T, s *redistest.Server) configs.Connection {
		return withTLS(t, at(s.Addr), s.PKI, false)
	}},
	"tls 1.2, server name": {
		redistest.Options{TLS: true, Lines: []string{`tls-protocols "TLSv1.2"`}},
		func(t *testing.T, s *redistest.Server) configs.Connection {
			c := withTLS(t, at(s.Addr), s.PKI, false)
			c.TLS.ServerName = "redis.test"
			return c
		},
	},
	"mutual tls": {redistest.Options{MutualTLS: true}, func(t *testing.T, s *redistest.Server) configs.Connection {
		return withTLS(t, at(s.Addr), s.PKI, true)
	}},
	"unverified": {redistest.Options{ExpiredCertificate: true}, func(_ *testing.T, s *redistest.Server) configs.Connection {
		c := at(s.Addr)
		c.TLS = &configs.TLS{InsecureSkipVerify: true}
		return c
	}},
	"database": {redistest.Options{}, func(_ *testing.T, s *redistest.Server) configs.Connection {
		c := at(s.Addr)
		c.Database = 5
		return c
	}},
}

func TestVariants(t *testing.T) {
	for name, v := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, v.options)
			c := open(t, v.connect(t, s))
			before := field(t, mustProbe(t, c), "total_connections_received")
			for range 20 {
				if after := field(t, mustProbe(t, c), "total_connections_received"); after != before {
					t.Fatalf("probes dial: %s connections after %s", after, before)
				}
			}
			// A restart closes the idle socket. That is no outage.
			for range 3 {
				s.Restart()
				mustProbe(t, c)
				s.Restart()
				if err := c.Redis().Ping(t.Context()).Err(); err != nil {
					t.Errorf("PING after a restart: %v", err)
				}
			}
			if c.RoundTrip() <= 0 {
				t.Errorf("round trip of %s", c.RoundTrip())
			}
		})
	}
}

func TestDatabaseAndName(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	c := at(s.Addr)
	c.Database = 5
	mustProbe(t, open(t, c))
	list, err := s.Client().ClientList(t.Context()).Result()
	if err != nil || !strings.Contains(list, "name=queuefleet ") || !strings.Contains(list, " db=5 ") {
		t.Errorf("CLIENT LIST says %q, %v", list, err)
	}
}

// A server that closes after the idle socket was found healthy: only the retry helps.
func TestPipelinedRetriesOnce(t *testing.T) {
	for name, c := range map[string]struct {
		lives int64 // requests that a socket outlives, of old ones
		fails bool
	}{"one socket gone": {1, false}, "all sockets go": {0, true}} {
		t.Run(name, func(t *testing.T) {
			var sockets, requests atomic.Int64
			f := redistest.NewFake(t, func(p *redistest.Peer) {
				first := sockets.Add(1) == 1
				for served := int64(0); ; {
					args, err := p.Command()
					if err != nil {
						return
					}
					answer := "+OK\r\n"
					switch args[0] {
					case "HELLO":
						answer = "-ERR unknown command\r\n"
					case "PING":
						requests.Add(1)
						if served++; served > c.lives && (first || c.fails) {
							return
						}
						answer = "+PONG\r\n"
					case "INFO":
						answer = "$4\r\n# OK\r\n"
					}
					if !p.Send(answer) {
						return
					}
				}
			})
			client := open(t, at(f.Addr))
			if !c.fails {
				mustProbe(t, client)
			}
			_, err := probe(t.Context(), client)
			if c.fails != (err != nil) || c.fails && !errors.Is(err, io.EOF) {
				t.Errorf("probe: %v", err)
			}
			if requests.Load() > 3 {
				t.Errorf("%d requests", requests.Load())
			}
		})
	}
}

func TestUpAgainAtOnce(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	c := open(t, at(s.Addr))
	for range 3 {
		s.Stop()
		for range 10 {
			if _, err := probe(t.Context(), c); Classify(err) != ReasonRefused {
				t.Fatalf("stopped: %v", err)
			}
		}
		s.Restart()
		mustProbe(t, c)
	}
}

// A dial that ends after its caller has left must leave nothing behind that the
// next caller takes for news.
func TestLateDial(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	c := open(t, at(s.Addr))
	s.Stop()
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Redis().Ping(ctx).Err(); err == nil {
			t.Fatal("answered in no time")
		}
	}
	s.Restart()
	mustProbe(t, c)
}

func TestCertificateExpiry(t *testing.T) {
	s := redistest.Start(t, redistest.Options{TLS: true})
	c := open(t, withTLS(t, at(s.Addr), s.PKI, false))
	if _, known := c.CertificateExpiry(); known {
		t.Error("known before the first handshake")
	}
	mustProbe(t, c)
	if got, known := c.CertificateExpiry(); !known || !got.Equal(s.PKI.ServerNotAfter) {
		t.Errorf("%s, want %s", got, s.PKI.ServerNotAfter)
	}

	gone := open(t, expired(t))
	if _, err := probe(t.Context(), gone); Classify(err) != ReasonTLS {
		t.Fatal(err)
	}
	if got, known := gone.CertificateExpiry(); !known || !got.Before(time.Now()) {
		t.Errorf("%s of a certificate that was refused for being too old", got)
	}
}

func TestBadPeersCostNoMemory(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *redistest.Fake{
		"huge bulk": redistest.HugeBulk, "huge array": redistest.HugeArray, "endless line": redistest.EndlessLine, "garbage": redistest.Garbage,
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, hasty(at(start(t).Addr)))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range 10 {
				pipe := c.Redis().Pipeline()
				pipe.Info(t.Context())
				pipe.LRange(t.Context(), "queues:default", 0, -1)
				if _, err := pipe.Exec(t.Context()); Classify(err) != ReasonProtocol {
					t.Fatalf("reason %q of %v", Classify(err), err)
				}
			}
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
				t.Errorf("ten probes allocate %d bytes", grown)
			}
		})
	}
}

func TestLargeValueIsElided(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	body := strings.Repeat("0123456789", 1<<20)
	if err := s.Client().RPush(t.Context(), "queues:default", body, "small").Err(); err != nil {
		t.Fatal(err)
	}
	c := open(t, at(s.Addr))
	var large, small *redis.StringCmd
	if _, err := c.Pipelined(t.Context(), func(p redis.Pipeliner) {
		large = p.LIndex(t.Context(), "queues:default", 0)
		small = p.LIndex(t.Context(), "queues:default", 1)
	}); err != nil {
		t.Fatal(err)
	}
	head, tail, size, ok := Elided(large.Val())
	if !ok || size != int64(len(body)) || !strings.HasPrefix(body, head) || !strings.HasSuffix(body, tail) || small.Val() != "small" {
		t.Errorf("%d bytes, elided %t from %d; then %q", len(large.Val()), ok, size, small.Val())
	}
}

func TestClosedClient(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	used, unused := New(at(s.Addr)), New(at(s.Addr))
	mustProbe(t, used)
	for _, c := range []*Client{used, unused} {
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := probe(t.Context(), c); !errors.Is(err, redis.ErrClosed) {
			t.Errorf("probe of a closed client: %v", err)
		}
	}
}
