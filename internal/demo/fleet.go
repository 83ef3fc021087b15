// Package demo is a small fleet to look at: a few Redis servers with the
// queues of three Laravel applications, in which jobs come and go, and the
// configuration that watches them.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// Limits of Options.Speed.
const (
	MinSpeed = 0.1
	MaxSpeed = 20
)

const (
	tick        = 200 * time.Millisecond
	beatEvery   = 5 * time.Second
	stopTimeout = 5 * time.Second
)

// Options say what kind of demo to start.
type Options struct {
	Logger *slog.Logger
	Dir    string // existing directory for the configuration
	// Addresses are real servers without a password, used in turn for the
	// demo's connections. Empty: servers are started within this process.
	Addresses []string
	Speed     float64 // how much faster than life jobs come and go; 1 = as they are

	// Worker is the command by which a supervisor is to run workers of the busiest
	// queues; Work is what it has to do. Empty: all work is simulated.
	Worker []string
	User   string // whom they run as; empty: as the supervisor
}

// Server is one of the demo's servers.
type Server struct {
	Connection string `json:"connection"` // name in the configuration
	Address    string `json:"address"`
	Down       bool   `json:"down"` // meant to be unreachable
}

// Fleet is a demo that has been set up.
type Fleet struct {
	logger      *slog.Logger
	speed       float64
	config      string
	servers     []Server
	embedded    []*embedded
	clients     map[string]*redis.Client
	simulations map[string][]*simulation
	horizon     *horizon
	keys        map[string][]string // everything that may have been written, by connection
}

// New starts the servers, fills the queues and writes the configuration. The
// caller closes the Fleet.
func New(ctx context.Context, o Options) (*Fleet, error) {
	if o.Speed < MinSpeed || o.Speed > MaxSpeed {
		return nil, fmt.Errorf("speed %g is not within %g and %g", o.Speed, MinSpeed, float64(MaxSpeed))
	}
	f := &Fleet{
		logger: o.Logger, speed: o.Speed,
		clients: map[string]*redis.Client{}, simulations: map[string][]*simulation{}, keys: map[string][]string{},
	}
	if err := f.setUp(ctx, o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *Fleet) setUp(ctx context.Context, o Options) error {
	password := ""
	if len(o.Addresses) == 0 {
		password = rand.Text()
	}
	for i, name := range []string{connEU, connUS, connCache} {
		address, secret := "", ""
		switch {
		case len(o.Addresses) > 0:
			address = o.Addresses[i%len(o.Addresses)]
		case name == connUS:
			secret = password
		}
		if err := f.connect(ctx, name, address, secret); err != nil {
			return err
		}
	}
	f.build(len(o.Worker) > 0)
	if err := f.deleteKeys(ctx); err != nil { // of an earlier demo on these servers
		return err
	}
	for name, list := range f.simulations {
		for _, s := range list {
			if err := s.seed(ctx, f.clients[name], time.Now()); err != nil {
				return fmt.Errorf("fill queue %s on %s: %w", s.spec.name, name, err)
			}
		}
	}
	data := configData{
		EU: f.servers[0].Address, US: f.servers[1].Address, Cache: f.servers[2].Address, Down: downAddress,
		ShopCachePrefix: shopCachePrefix, HorizonPrefix: horizonPrefix,
		Worker: o.Worker, User: o.User, ShopPrefix: shopPrefix, CRMPrefix: crmPrefix, Speed: o.Speed,
		ImportsRetryAfter: importsRetryAfter, ExpireAt: time.Now().AddDate(0, 1, 0).Format(time.DateOnly),
	}
	f.servers = append(f.servers, Server{Connection: connDown, Address: downAddress, Down: true})
	var err error
	f.config, err = writeConfig(o.Dir, data, password)
	return err
}

// connect connects to the server at address, or starts one where that is empty.
func (f *Fleet) connect(ctx context.Context, name, address, password string) error {
	if address == "" {
		s, err := startEmbedded(password)
		if err != nil {
			return err
		}
		f.embedded = append(f.embedded, s)
		address = s.Addr()
	}
	c := redis.NewClient(&redis.Options{Addr: address, Password: password, PoolSize: 2, DisableIdentity: true, ContextTimeoutEnabled: true})
	f.clients[name] = c
	f.servers = append(f.servers, Server{Connection: name, Address: address})
	if err := c.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	return nil
}

// build makes the simulations and the list of their keys. Where real workers
// take the jobs of a queue, only their coming is simulated.
func (f *Fleet) build(supervised bool) {
	for i, s := range specs() {
		if supervised && s.supervised {
			s.workers = always(0)
		}
		sim := &simulation{spec: s, speed: f.speed, maker: newMaker(uint64(i))}
		f.keys[s.connection] = append(f.keys[s.connection], s.key(""), s.key(":delayed"), s.key(":reserved"))
		if s.form == formHorizon {
			sim.horizon = newHorizon(s)
			f.horizon = sim.horizon
			f.keys[s.connection] = append(f.keys[s.connection], sim.horizon.keys()...)
		}
		f.simulations[s.connection] = append(f.simulations[s.connection], sim)
	}
	f.keys[connCache] = append(f.keys[connCache], pauseKey)
}

// Config is the path of the configuration.
func (f *Fleet) Config() string { return f.config }

// Servers lists the servers in the order of the configuration.
func (f *Fleet) Servers() []Server { return f.servers }

// Run keeps jobs coming and going until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for name, list := range f.simulations {
		g.Go(func() error {
			f.every(ctx, tick, func(now time.Time, dt time.Duration) error {
				m := moment{t: now.Sub(start).Seconds() * f.speed, dt: dt.Seconds() * f.speed, now: now}
				for _, s := range list {
					if err := s.step(ctx, f.clients[name], m); err != nil {
						return err
					}
				}
				return nil
			}, name)
			return nil
		})
	}
	g.Go(func() error {
		f.every(ctx, beatEvery, func(now time.Time, _ time.Duration) error {
			return f.horizon.beat(ctx, f.clients[f.horizon.connection], now)
		}, "horizon")
		return nil
	})
	g.Go(func() error {
		f.every(ctx, time.Second, func(now time.Time, _ time.Duration) error {
			return f.flag(ctx, paused(now.Sub(start).Seconds()*f.speed, mailPausePeriod, mailPauseLength))
		}, connCache)
		return nil
	})
	return g.Wait()
}

// every calls do now and then at each interval until ctx ends. A failure, of a
// real server that went away for example, is logged once and tried again.
func (f *Fleet) every(ctx context.Context, interval time.Duration, do func(now time.Time, dt time.Duration) error, what string) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	failing := false
	last := time.Now()
	for {
		now := time.Now()
		err := do(now, now.Sub(last))
		last = now
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			f.logger.Warn("the demo's jobs stand still", "of", what, "err", err)
		case err == nil && failing:
			f.logger.Info("the demo's jobs move again", "of", what)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// pauseKey is where Laravel keeps the pause flag of the queue mail.
const pauseKey = shopPrefix + shopCachePrefix + "illuminate:queue:paused:redis:mail"

// flag writes or removes the pause flag as queue:pause and queue:resume do.
func (f *Fleet) flag(ctx context.Context, on bool) error {
	if on {
		return f.clients[connCache].Set(ctx, pauseKey, "b:1;", 0).Err()
	}
	return f.clients[connCache].Del(ctx, pauseKey).Err()
}

func (f *Fleet) deleteKeys(ctx context.Context) error {
	var errs []error
	for name, keys := range f.keys {
		if err := f.clients[name].Del(ctx, keys...).Err(); err != nil {
			errs = append(errs, fmt.Errorf("delete the demo's keys on %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// Close removes what the demo wrote to servers that it did not start, and
// stops those that it did.
func (f *Fleet) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	if len(f.embedded) == 0 {
		errs = append(errs, f.deleteKeys(ctx))
	}
	for _, c := range f.clients {
		errs = append(errs, c.Close())
	}
	for _, s := range f.embedded {
		s.Close()
	}
	return errors.Join(errs...)
}
