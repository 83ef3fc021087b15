package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// redisReader reads queues by the connections of a Set.
type redisReader struct {
	set *connection.Set
	log *slog.Logger
	now func() time.Time

	mu          sync.Mutex
	connections map[string]*connectionReader
}

// connectionReader is what is remembered of one connection. All but the
// discoverer belongs to the reading under way.
type connectionReader struct {
	main       targetReader
	discoverer *queue.Discoverer
	patterns   []queue.Pattern // as last given to the discoverer
}

// targetReader is a Reader with its present targets.
type targetReader struct {
	reader  *queue.Reader
	targets []queue.Target
}

func newRedisReader(set *connection.Set, log *slog.Logger, now func() time.Time) *redisReader {
	return &redisReader{set: set, log: log, now: now, connections: map[string]*connectionReader{}}
}

func (r *redisReader) connection(name string) *connectionReader {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.connections[name]
	if c == nil {
		c = &connectionReader{
			main:       targetReader{reader: queue.NewReader(queue.Options{Ages: true})},
			discoverer: queue.NewDiscoverer(queue.DiscovererOptions{Now: r.now, Nodes: r.masters(name)}),
		}
		r.connections[name] = c
	}
	return c
}

func (r *redisReader) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.connections, name)
}

// read asks for all targets and some of the fixed ones in one round trip.
func (r *redisReader) read(ctx context.Context, request *readRequest, fixed []queue.Target) readResult {
	client, release, ok := r.set.Acquire(request.connection)
	if !ok {
		return readResult{err: errNoConnection}
	}
	defer release()
	c := r.connection(request.connection)
	c.main.set(request.targets)
	readers := []*targetReader{&c.main}
	if len(fixed) > 0 {
		// Made anew each time, and without ages: what decides nothing is not to
		// take 4 KB a queue all the time.
		passing := targetReader{reader: queue.NewReader(queue.Options{})}
		passing.set(fixed)
		readers = append(readers, &passing)
	}
	var ping *redis.StatusCmd
	// Each command tells its own error.
	_, _ = client.Pipelined(ctx, func(pipe redis.Pipeliner) {
		ping = pipe.Ping(ctx)
		for _, t := range readers {
			t.reader.Enqueue(ctx, pipe, r.now())
		}
	})
	result := readResult{figures: make(map[queueKey]queueFigures, len(request.targets)), found: map[string][]string{}}
	for _, t := range readers {
		t.reader.Results(r.now(), func(target *queue.Target, reading *queue.Reading) {
			result.figures[queueKey{target.Application, target.Queue}] = newFigures(reading)
			r.seen(c, target, reading)
		})
	}
	if err := ping.Err(); err != nil && connection.Classify(err) != connection.ReasonNoPerm {
		return readResult{err: fmt.Errorf("reading queues: %w", err)}
	}
	c.setPatterns(request.patterns)
	for i := range request.patterns {
		names, _ := c.discoverer.Queues(i)
		result.found[patternKey(&request.patterns[i])] = names
	}
	return result
}

var errNoConnection = errors.New("there is no such connection, or it is inactive")

func newFigures(r *queue.Reading) queueFigures {
	f := queueFigures{
		ok: r.Err == nil, ready: r.Jobs[queue.Ready], reserved: r.Jobs[queue.Reserved],
		overdue: r.DelayedOverdue, expired: r.ReservedExpired, age: r.OldestAge,
	}
	if math.IsNaN(f.age) {
		f.age = r.OldestAgeLowerBound
	}
	return f
}

// seen tells the discoverer whether a queue has jobs: one without is forgotten
// after a while.
func (r *redisReader) seen(c *connectionReader, t *queue.Target, reading *queue.Reading) {
	if reading.Err != nil {
		return
	}
	jobs := 0.0
	for _, n := range reading.Jobs {
		if !math.IsNaN(n) {
			jobs += n
		}
	}
	c.discoverer.Seen(t.Application, t.Queue, jobs, r.now())
}

// timeouts reads what jobs that workers have taken may last by themselves.
func (r *redisReader) timeouts(ctx context.Context, connection string, targets []queue.Target) ([]time.Duration, error) {
	client, release, ok := r.set.Acquire(connection)
	if !ok {
		return nil, errNoConnection
	}
	defer release()
	return queue.LongestTimeouts(ctx, client.Pipelined, targets)
}

// scan looks for queues by pattern.
func (r *redisReader) scan(ctx context.Context, request *readRequest) error {
	return r.connection(request.connection).discoverer.Scan(ctx)
}

func (t *targetReader) set(targets []queue.Target) {
	if !sameSlice(t.targets, targets) {
		t.targets = targets
		t.reader.SetTargets(targets)
	}
}

func (c *connectionReader) setPatterns(patterns []queue.Pattern) {
	if !sameSlice(c.patterns, patterns) {
		c.patterns = patterns
		c.discoverer.SetPatterns(patterns)
	}
}

// sameSlice reports whether a and b are the same memory: requests share it
// while nothing changes.
func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// masters visits, one after another, every server that holds keys of a
// connection.
func (r *redisReader) masters(name string) func(context.Context, func(context.Context, *redis.Client) error) error {
	return func(ctx context.Context, each func(context.Context, *redis.Client) error) error {
		client, release, ok := r.set.Acquire(name)
		if !ok {
			return errNoConnection
		}
		defer release()
		switch c := client.Redis().(type) {
		case *redis.Client:
			return each(ctx, c)
		case *redis.ClusterClient:
			var mu sync.Mutex // ForEachMaster is parallel
			return c.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
				mu.Lock()
				defer mu.Unlock()
				return each(ctx, master)
			})
		default:
			return errors.ErrUnsupported
		}
	}
}
