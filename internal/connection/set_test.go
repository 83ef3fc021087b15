package connection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func newSet(t testing.TB) *Set {
	t.Helper()
	s := NewSet(slog.New(slog.DiscardHandler))
	t.Cleanup(s.Close)
	return s
}

func acquire(t testing.TB, s *Set) (*Client, func()) {
	t.Helper()
	c, release, ok := s.Acquire("shop")
	if !ok {
		t.Fatal("the connection is missing")
	}
	return c, release
}

// received is how many connections the server has ever accepted.
func received(t testing.TB, c *Client) int {
	t.Helper()
	n, err := strconv.Atoi(field(t, mustProbe(t, c), "total_connections_received"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSetKeepsSocketsOfWhatIsEqual(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	base := at(server.Addr)
	set := newSet(t)
	set.Apply([]configs.Connection{base})
	client, release := acquire(t, set)
	defer release()
	before := received(t, client)
	for i := range 1000 {
		c := base
		c.Team, c.Notes, c.Labels = fmt.Sprint("team ", i), "changed", map[string]string{"n": strconv.Itoa(i)}
		c.CredentialsExpireAt, c.ProbeTimeout = configs.Time{Time: time.Unix(int64(i), 0)}, configs.Duration(i)
		set.Apply([]configs.Connection{c})
	}
	again, release := acquire(t, set)
	defer release()
	if again != client {
		t.Error("another client after changes that concern no socket")
	}
	if after := received(t, again); after != before {
		t.Errorf("%d connections, %d before", after, before)
	}
}

func TestSetReplacesWhatIsChanged(t *testing.T) {
	base := at("127.0.0.1:1")
	sentinel, cluster := base, base
	sentinel.Address, sentinel.Sentinel = "", &configs.Sentinel{Master: "m", Addresses: []string{"a:1", "b:2"}}
	cluster.Address, cluster.Cluster = "", &configs.Cluster{Addresses: []string{"a:1", "b:2"}}
	for name, change := range map[string]func(c *configs.Connection){
		"address":   func(c *configs.Connection) { c.Address = "127.0.0.1:2" },
		"unix":      func(c *configs.Connection) { c.Address = "unix:///a" },
		"user":      func(c *configs.Connection) { c.Username = "other" },
		"database":  func(c *configs.Connection) { c.Database = 1 },
		"tls":       func(c *configs.Connection) { c.TLS = &configs.TLS{} },
		"timeout":   func(c *configs.Connection) { c.Options.ReadTimeout = 1 },
		"pool size": func(c *configs.Connection) { c.Options.PoolSize = 5 },
		"name":      func(c *configs.Connection) { c.Options.ClientName = "other" },
		"sentinel":  func(c *configs.Connection) { *c = sentinel },
		"cluster":   func(c *configs.Connection) { *c = cluster },
	} {
		t.Run(name, func(t *testing.T) {
			set := newSet(t)
			set.Apply([]configs.Connection{base})
			before, release := acquire(t, set)
			defer release()
			changed := base
			change(&changed)
			set.Apply([]configs.Connection{changed})
			after, release := acquire(t, set)
			defer release()
			if after == before {
				t.Error("the client of the old configuration is still in use")
			}
		})
	}
}

func TestSetClosesAfterTheLastUser(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	for name, next := range map[string]func(configs.Connection) []configs.Connection{
		"removed":  func(configs.Connection) []configs.Connection { return nil },
		"inactive": func(c configs.Connection) []configs.Connection { c.Active = false; return []configs.Connection{c} },
		"deleted": func(c configs.Connection) []configs.Connection {
			c.DeletedAt = configs.Time{Time: time.Now()}
			return []configs.Connection{c}
		},
	} {
		t.Run(name, func(t *testing.T) {
			set := newSet(t)
			set.Apply([]configs.Connection{at(server.Addr)})
			client, first := acquire(t, set)
			_, second := acquire(t, set)
			set.Apply(next(at(server.Addr)))
			if _, _, ok := set.Acquire("shop"); ok {
				t.Error("still there for new users")
			}
			mustProbe(t, client)
			first()
			first() // counts once
			mustProbe(t, client)
			second()
			if _, err := probe(t.Context(), client); !errors.Is(err, redis.ErrClosed) {
				t.Errorf("after the last user: %v", err)
			}
		})
	}
}

func TestSetClosesTheUnusedAtOnce(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	set := newSet(t)
	set.Apply([]configs.Connection{at(server.Addr)})
	client, release := acquire(t, set)
	mustProbe(t, client)
	release()
	set.Close()
	if _, err := probe(t.Context(), client); !errors.Is(err, redis.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestRotatedPassword(t *testing.T) {
	server := redistest.Start(t, redistest.Options{RequirePass: planted})
	admin := server.Client()
	set := newSet(t)
	set.Apply([]configs.Connection{withPassword(at(server.Addr), "", planted)})
	client, release := acquire(t, set)
	defer release()
	if err := admin.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	before := received(t, client)
	if err := admin.ConfigSet(t.Context(), "requirepass", "new-"+planted).Err(); err != nil {
		t.Fatal(err)
	}
	set.Apply([]configs.Connection{withPassword(at(server.Addr), "", "new-"+planted)})
	if after := received(t, client); after != before {
		t.Errorf("the socket was replaced: %d connections, %d before", after, before)
	}
	if err := admin.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	if after := received(t, client); after != before+1 {
		t.Errorf("%d connections, want %d", after, before+1)
	}
}

func TestRotatedCertificate(t *testing.T) {
	server := redistest.Start(t, redistest.Options{MutualTLS: true})
	wrong := withTLS(t, at(server.Addr), redistest.NewPKI(t), true)
	set := newSet(t)
	set.Apply([]configs.Connection{wrong})
	client, release := acquire(t, set)
	defer release()
	if _, err := probe(t.Context(), client); Classify(err) != ReasonTLS {
		t.Fatalf("with another authority: %v", err)
	}
	set.Apply([]configs.Connection{withTLS(t, at(server.Addr), server.PKI, true)})
	mustProbe(t, client)
}

func TestSharedKeyring(t *testing.T) {
	p := redistest.NewPKI(t)
	set := newSet(t)
	conns := make([]configs.Connection, 3)
	for i := range conns {
		conns[i] = withTLS(t, at("127.0.0.1:1"), p, i == 2)
		conns[i].Name = strconv.Itoa(i)
	}
	set.Apply(conns)
	set.Apply(conns)
	if len(set.keyrings) != 2 {
		t.Errorf("%d keyrings, want one for two equal sets of certificates and one for the third", len(set.keyrings))
	}
}

func TestSetUnderConcurrentUse(t *testing.T) {
	f := redistest.NewFleet(t, redistest.FleetOptions{})
	set := newSet(t)
	conns := [][]configs.Connection{nil, nil}
	for i := range 20 {
		c := at(f.Addr)
		c.Name = strconv.Itoa(i)
		conns[0] = append(conns[0], c)
		c.Database = i % 2
		conns[1] = append(conns[1], c)
	}
	set.Apply(conns[0])
	ctx, cancel := context.WithCancel(t.Context())
	var users sync.WaitGroup
	for u := range 4 {
		users.Go(func() {
			for i := u; ctx.Err() == nil; i++ {
				client, release, ok := set.Acquire(strconv.Itoa(i % 20))
				if !ok {
					t.Errorf("no connection %d", i%20)
					return
				}
				if _, err := probe(context.WithoutCancel(ctx), client); err != nil {
					t.Errorf("probe under reloads: %v", err)
				}
				release()
			}
		})
	}
	for i := range 100 {
		set.Apply(conns[i%2])
	}
	cancel()
	users.Wait()
}

func BenchmarkApply(b *testing.B) {
	conns := make([]configs.Connection, 10_000)
	for i := range conns {
		conns[i] = withPassword(at(fmt.Sprintf("redis-%d.eu:6379", i)), "exporter", planted)
		conns[i].Name = fmt.Sprint("redis-", i)
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			NewSet(slog.New(slog.DiscardHandler)).Apply(conns)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		set := newSet(b)
		for b.Loop() {
			set.Apply(conns)
		}
	})
}
