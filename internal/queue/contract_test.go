package queue

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// sample is what the contract's queues are filled with.
type sample struct {
	ready, delayed, overdue, reserved, expired int
	age, overdueAge                            int // seconds, of the oldest
}

// frameworkFixture writes queues as a framework would, for the contract.
type frameworkFixture struct {
	framework string
	prefix    string
	keys      func(prefix, queue string) []string // every key that is read, in no order
	fill      func(ctx context.Context, c redis.Cmdable, prefix, queue string, s sample)
	empty     figures
	want      func(s sample) figures
}

var fixtures = []frameworkFixture{laravelFixture}

var laravelFixture = frameworkFixture{
	framework: "laravel",
	prefix:    "laravel_database_",
	keys: func(prefix, queue string) []string {
		key := prefix + "queues:" + queue
		return []string{key, key + ":delayed", key + ":reserved"}
	},
	fill: func(ctx context.Context, c redis.Cmdable, prefix, queue string, s sample) {
		key := prefix + "queues:" + queue
		for i := range s.ready {
			c.RPush(ctx, key, job(fmt.Sprint(queue, "-r", i), at.Add(time.Duration(i-s.age)*time.Second), 0))
		}
		add := func(key string, n int, first int) {
			for i := range n {
				c.ZAdd(ctx, key, redis.Z{Score: float64(at.Unix() + int64(first+i)), Member: oldJob(fmt.Sprint(queue, key, first, i), 1)})
			}
		}
		add(key+":delayed", s.delayed-s.overdue, 60)
		add(key+":delayed", s.overdue, -s.overdueAge)
		add(key+":reserved", s.reserved-s.expired, 60)
		add(key+":reserved", s.expired, -30)
	},
	empty: figures{Retry: -1, Failed: -1, Workers: -1, Finished: -1, Readable: true},
	want: func(s sample) figures {
		return figures{
			Ready: float64(s.ready), Delayed: float64(s.delayed), Reserved: float64(s.reserved), Age: float64(s.age),
			Overdue: float64(s.overdue), OverdueAge: float64(s.overdueAge), Expired: float64(s.expired),
			Retry: -1, Failed: -1, Workers: -1, Finished: -1, Readable: true,
		}
	},
}

// Every framework that can be configured keeps the contract below.
func TestContractCoversAllFrameworks(t *testing.T) {
	var covered []string
	for _, f := range fixtures {
		covered = append(covered, f.framework)
	}
	slices.Sort(covered)
	diff(t, "frameworks", covered, Frameworks())
}

const contractQueues = 20

func (f frameworkFixture) targets() []Target {
	targets := make([]Target, contractQueues)
	for i := range targets {
		targets[i] = Target{Application: "shop", Connection: "main", Queue: fmt.Sprint("q", i), Framework: f.framework, Prefix: &f.prefix}
	}
	return targets
}

// fillAll fills each queue differently, so that a value that went to another
// queue is a wrong one.
func (f frameworkFixture) fillAll(t testing.TB, c *redis.Client) map[string]figures {
	t.Helper()
	want := map[string]figures{}
	pipe := c.Pipeline()
	for i, target := range f.targets() {
		s := sample{ready: 2*i + 1, delayed: 3*i + 2, overdue: i + 1, reserved: 4*i + 3, expired: i + 2, age: 100 + i, overdueAge: 200 + i}
		f.fill(t.Context(), pipe, f.prefix, target.Queue, s)
		want[target.Queue] = f.want(s)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	return want
}

func compare(t testing.TB, got map[string]Reading, want map[string]figures) {
	t.Helper()
	figures := map[string]figures{}
	for name, r := range got {
		figures[name] = figuresOf(r)
	}
	diff(t, "readings", figures, want)
}

func TestContract(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	for _, f := range fixtures {
		t.Run(f.framework, func(t *testing.T) {
			c := server.Client()
			t.Run("empty queues are 0", func(t *testing.T) {
				for name, r := range scrape(t, f.reader(), c, at) {
					diff(t, name, figuresOf(r), f.empty)
				}
			})
			t.Run("filled queues are exact", func(t *testing.T) {
				r := f.reader()
				want := f.fillAll(t, c)
				compare(t, scrape(t, r, c, at), want)
				c.FlushDB(t.Context())
				for name, r := range scrape(t, r, c, at) {
					diff(t, "drained "+name, figuresOf(r), f.empty)
				}
			})
			t.Run("a key of another type", func(t *testing.T) { f.wrongType(t, c) })
			t.Run("a pipeline that is not run", func(t *testing.T) { f.notRun(t, c) })
			t.Run("a pipeline that is cut off anywhere", func(t *testing.T) { f.cutOff(t, server) })
		})
	}
}

// A key of another type makes its queue unreadable and no other.
func (f frameworkFixture) wrongType(t *testing.T, c *redis.Client) {
	for k := range f.keys(f.prefix, "q7") {
		c.FlushDB(t.Context())
		want := f.fillAll(t, c)
		key := f.keys(f.prefix, "q7")[k]
		c.Del(t.Context(), key)
		c.Set(t.Context(), key, "text", 0)
		want["q7"] = absent
		got := scrape(t, f.reader(), c, at)
		compare(t, got, want)
		if err := got["q7"].Err; err == nil || !replied(err) {
			t.Errorf("%s: the reason is %v", key, err)
		}
	}
}

// reader makes a reader of f's targets without memory.
func (f frameworkFixture) reader() *Reader {
	r := NewReader(Options{Ages: true})
	r.SetTargets(f.targets())
	return r
}

// What an earlier scrape read is never reported again.
func (f frameworkFixture) notRun(t *testing.T, c *redis.Client) {
	c.FlushDB(t.Context())
	r, want := f.reader(), f.fillAll(t, c)
	compare(t, scrape(t, r, c, at), want)

	r.Enqueue(t.Context(), c.Pipeline(), at)
	for name, reading := range results(r, at) {
		diff(t, "not executed: "+name, figuresOf(reading), absent)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pipe := c.Pipeline()
	r.Enqueue(ctx, pipe, at)
	if _, err := pipe.Exec(ctx); err == nil {
		t.Fatal("a cancelled pipeline was run")
	}
	for name, reading := range results(r, at) {
		diff(t, "cancelled: "+name, figuresOf(reading), absent)
		if reading.Err == nil {
			t.Errorf("%s: no reason", name)
		}
	}
}

// limitedConn ends after a number of bytes were read.
type limitedConn struct {
	net.Conn
	left *atomic.Int64
}

func (c limitedConn) Read(b []byte) (int, error) {
	left := c.left.Load()
	if left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(b[:min(int64(len(b)), left)])
	c.left.Add(-int64(n))
	return n, err
}

// Wherever the replies end, each figure is the right one or absent.
func (f frameworkFixture) cutOff(t *testing.T, server *redistest.Server) {
	server.Client().FlushDB(t.Context())
	want := f.fillAll(t, server.Client())
	var left atomic.Int64
	c := redis.NewClient(&redis.Options{
		Addr: server.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			return limitedConn{conn, &left}, err
		},
	})
	defer c.Close()
	complete := 0
	for n := 1; complete < 2; n = n*21/20 + 1 {
		left.Store(int64(n))
		all := true
		for name, reading := range scrape(t, f.reader(), c, at) {
			got := figuresOf(reading)
			all = all && got == want[name]
			if !got.agrees(want[name]) {
				t.Fatalf("%s after %d bytes: got %+v, want %+v or absent", name, n, got, want[name])
			}
		}
		if all {
			complete++
		}
		if n > 1<<20 {
			t.Fatal("never complete")
		}
	}
}

// agrees reports whether every figure is want's or absent.
func (f figures) agrees(want figures) bool {
	pairs := [][2]float64{
		{f.Ready, want.Ready}, {f.Delayed, want.Delayed}, {f.Reserved, want.Reserved}, {f.Age, want.Age}, {f.Bound, want.Bound},
		{f.Overdue, want.Overdue}, {f.OverdueAge, want.OverdueAge}, {f.Expired, want.Expired},
	}
	for _, p := range pairs {
		if p[0] != -1 && p[0] != p[1] {
			return false
		}
	}
	return true
}

// One key of many that may not be read takes nothing else with it and shifts
// nothing: every other value stays exact. Each key is denied in turn.
func TestDeniedKey(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	for _, f := range fixtures {
		t.Run(f.framework, func(t *testing.T) {
			admin := server.Client()
			want := f.fillAll(t, admin)
			c := redis.NewClient(&redis.Options{Addr: server.Addr, Username: "reader", Password: "secret", MaxRetries: -1})
			defer c.Close()
			for k := range f.keys(f.prefix, "q9") {
				denied := f.keys(f.prefix, "q9")[k]
				allow(t, admin, f, denied)
				got := scrape(t, f.reader(), c, at)
				with := map[string]figures{}
				for name, figures := range want {
					with[name] = figures
				}
				with["q9"] = absent
				compare(t, got, with)
				if err := got["q9"].Err; err == nil || !replied(err) {
					t.Errorf("%s: the reason is %v", denied, err)
				}
			}
		})
	}
}

// allow lets the user reader read every key but one.
func allow(t *testing.T, admin *redis.Client, f frameworkFixture, denied string) {
	t.Helper()
	args := []any{"acl", "setuser", "reader", "reset", "on", ">secret", "+@read", "+ping", "+client", "+hello"}
	for _, target := range f.targets() {
		for _, key := range f.keys(f.prefix, target.Queue) {
			if key != denied {
				args = append(args, "~"+key)
			}
		}
	}
	if err := admin.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

// A command that may not be used leaves its own figure absent; the depths stay.
func TestDeniedCommand(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	admin := server.Client()
	f := laravelFixture
	want := f.fillAll(t, admin)
	c := redis.NewClient(&redis.Options{Addr: server.Addr, Username: "reader", Password: "secret", MaxRetries: -1})
	defer c.Close()
	for _, d := range []struct {
		command string
		lose    func(*figures)
	}{
		{"lindex", func(f *figures) { f.Age, f.Bound = -1, -1 }},
		{"zrangebyscore", func(f *figures) { f.OverdueAge = -1 }},
		{"zcount", func(f *figures) { f.Overdue, f.Expired = -1, -1 }},
		{"llen", func(f *figures) { *f = absent }},
		{"zcard", func(f *figures) { *f = absent }},
	} {
		t.Run(d.command, func(t *testing.T) {
			args := []any{"acl", "setuser", "reader", "reset", "on", ">secret", "~*", "+@read", "+ping", "+client", "+hello", "-" + d.command}
			if err := admin.Do(t.Context(), args...).Err(); err != nil {
				t.Fatal(err)
			}
			with := map[string]figures{}
			for name, figures := range want {
				d.lose(&figures)
				with[name] = figures
			}
			got := scrape(t, f.reader(), c, at)
			compare(t, got, with)
			for name, r := range got {
				if r.Err == nil && r.Partial == nil {
					t.Errorf("%s: no reason", name)
				}
			}
		})
	}
}
