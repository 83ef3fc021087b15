package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// discovery is a Discoverer on one server whose rests are counted, not slept.
type discovery struct {
	*Discoverer
	now   time.Time
	rests []time.Duration
	stop  int // end the scan after so many pages; 0 = never
}

func newDiscovery(clients ...*redis.Client) *discovery {
	d := &discovery{now: at}
	d.Discoverer = NewDiscoverer(DiscovererOptions{
		Now: func() time.Time { return d.now },
		Sleep: func(_ context.Context, rest time.Duration) error {
			d.rests = append(d.rests, rest)
			if len(d.rests) == d.stop {
				return context.Canceled
			}
			return nil
		},
		Nodes: func(ctx context.Context, each func(context.Context, *redis.Client) error) error {
			for _, c := range clients {
				if err := each(ctx, c); err != nil {
					return err
				}
			}
			return nil
		},
	})
	return d
}

func (d *discovery) scan(t *testing.T) {
	t.Helper()
	if err := d.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (d *discovery) queues(t *testing.T, want ...string) {
	t.Helper()
	got, _ := d.Queues(0)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func tenants(prefixes ...string) Pattern {
	return Pattern{Application: "shop", Connection: "main", Pattern: "tenant-*", PrefixHints: prefixes, TTL: time.Minute, Max: 100}
}

func TestDiscover(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	list := func(keys ...string) func(context.Context) {
		return func(ctx context.Context) {
			for _, k := range keys {
				c.RPush(ctx, k, "x")
			}
		}
	}
	zset := func(keys ...string) func(context.Context) {
		return func(ctx context.Context) {
			for _, k := range keys {
				c.ZAdd(ctx, k, redis.Z{Score: 1, Member: "x"})
			}
		}
	}
	prefix := "p*[x]?_"
	for _, test := range []struct {
		name    string
		pattern Pattern
		fill    []func(context.Context)
		want    []string
	}{
		{"nothing", tenants("p_"), nil, nil},
		{"each kind of key shows its queue", tenants("p_"), []func(context.Context){
			list("p_queues:tenant-a", "p_queues:default", "queues:tenant-x", "q_queues:tenant-y"),
			zset("p_queues:tenant-b:delayed", "p_queues:tenant-c:reserved", "p_queues:tenant-a:reserved"),
		}, []string{"tenant-a", "tenant-b", "tenant-c"}},
		{"a notify list is no sign", tenants("p_"), []func(context.Context){list("p_queues:tenant-a:notify")}, nil},
		{"other types are no queues", tenants("p_"), []func(context.Context){
			func(ctx context.Context) { c.Set(ctx, "p_queues:tenant-lock", "1", 0) }, zset("p_queues:tenant-z"), list("p_queues:tenant-l:extra:delayed"),
		}, []string{"tenant-l:extra:delayed"}},
		{"colons and slashes in names", tenants("p_"), []func(context.Context){
			list("p_queues:tenant-a:b", "p_queues:tenant-a/b"), zset("p_queues:tenant-c:d:delayed"),
		}, []string{"tenant-a/b", "tenant-a:b", "tenant-c:d"}},
		{"names that are no text are dropped", tenants("p_"), []func(context.Context){
			list("p_queues:tenant-\xff", "p_queues:tenant-a\nb", "p_queues:tenant-ü"),
		}, []string{"tenant-ü"}},
		{"a prefix with a glob's characters", Pattern{Pattern: "tenant-*", Prefix: &prefix, TTL: time.Minute, Max: 100}, []func(context.Context){
			list("p*[x]?_queues:tenant-a", "pxx1_queues:tenant-b", "pyx__queues:tenant-c"),
		}, []string{"tenant-a"}},
		{"the likeliest prefix that has any", tenants("a_", "b_", "c_"), []func(context.Context){
			list("b_queues:tenant-b", "c_queues:tenant-c"),
		}, []string{"tenant-b"}},
		{"a cluster's hash tags", Pattern{Pattern: "tenant-*", Prefix: new(string), Cluster: true, TTL: time.Minute, Max: 100}, []func(context.Context){
			list("queues:{tenant-a}", "queues:tenant-b"), zset("queues:{tenant-c}:delayed", "queues:{tenant-d:delayed}"),
		}, []string{"tenant-a", "tenant-b", "tenant-c"}},
		{"braces in the pattern", Pattern{Pattern: "{tenant-*}", Prefix: new(string), Cluster: true, TTL: time.Minute, Max: 100}, []func(context.Context){
			list("queues:{tenant-a}", "queues:tenant-b"),
		}, []string{"{tenant-a}"}},
		{"a character class", Pattern{Pattern: "[a-c]?", Prefix: new(string), TTL: time.Minute, Max: 100}, []func(context.Context){
			list("queues:a1", "queues:d1", "queues:b", "queues:c22"),
		}, []string{"a1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.FlushDB(t.Context())
			for _, fill := range test.fill {
				fill(t.Context())
			}
			d := newDiscovery(c)
			d.SetPatterns([]Pattern{test.pattern})
			d.scan(t)
			d.queues(t, test.want...)
		})
	}
}

// A drained queue stays until it has been seen empty for the TTL. One that
// cannot be read stays.
func TestDiscoverRemembers(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	d := newDiscovery(c)
	d.SetPatterns([]Pattern{tenants("p_")})
	for _, key := range []string{"p_queues:tenant-a", "p_queues:tenant-b"} {
		c.RPush(t.Context(), key, "x")
	}
	d.scan(t)
	c.FlushDB(t.Context())
	d.Seen("shop", "tenant-a", 0, d.now)
	d.Seen("other", "tenant-b", 0, d.now)
	d.Seen("shop", "tenant-b", unknown, d.now)
	d.now = d.now.Add(59 * time.Second)
	d.scan(t)
	d.queues(t, "tenant-a", "tenant-b")
	d.now = d.now.Add(time.Second)
	d.queues(t, "tenant-b")
	d.now = d.now.Add(time.Hour)
	d.queues(t, "tenant-b")

	d.Seen("shop", "tenant-b", 0, d.now)
	d.now = d.now.Add(30 * time.Second)
	d.Seen("shop", "tenant-b", 3, d.now) // used again between two scans
	d.Seen("shop", "tenant-b", 0, d.now)
	d.now = d.now.Add(40 * time.Second)
	d.queues(t, "tenant-b")
	d.now = d.now.Add(20 * time.Second)
	d.queues(t)
}

func TestDiscoverLimit(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	pipe := c.Pipeline()
	for i := range 50 {
		pipe.RPush(t.Context(), fmt.Sprintf("p_queues:tenant-%02d", i), "x")
		pipe.ZAdd(t.Context(), fmt.Sprintf("p_queues:tenant-%02d:delayed", i), redis.Z{Member: "x"})
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := newDiscovery(c)
	p := tenants("p_")
	p.Max = 20
	d.SetPatterns([]Pattern{p})
	for range 2 {
		d.scan(t)
		if names, dropped := d.Queues(0); len(names) != 20 || dropped != 30 {
			t.Errorf("%d names, %d dropped; want 20 and 30", len(names), dropped)
		}
	}
	c.FlushDB(t.Context())
	d.scan(t)
	if names, dropped := d.Queues(0); len(names) != 20 || dropped != 0 {
		t.Errorf("after a pass without more: %d names, %d dropped", len(names), dropped)
	}
	if names, dropped := d.Queues(7); names != nil || dropped != 0 {
		t.Error("a pattern that is not there has queues")
	}
}

// A scan that is stopped goes on where it was, and rests after each page long
// enough for one percent of a core.
func TestDiscoverGoesOn(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	pipe := c.Pipeline()
	var want []string
	for i := range 6000 {
		if i%100 == 0 {
			want = append(want, fmt.Sprintf("tenant-%04d", i))
			pipe.RPush(t.Context(), "p_queues:"+want[len(want)-1], "x")
		}
		pipe.Set(t.Context(), fmt.Sprint("other:", i), "x", 0)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := newDiscovery(c)
	p := tenants("p_")
	p.Max = 1000
	d.SetPatterns([]Pattern{p})
	d.stop = 2
	if err := d.Scan(t.Context()); !errors.Is(err, context.Canceled) {
		t.Fatalf("a stopped scan returned %v", err)
	}
	part, _ := d.Queues(0)
	if len(part) == 0 || len(part) == len(want) {
		t.Fatalf("two pages found %d of %d queues", len(part), len(want))
	}
	d.stop = 0
	d.scan(t)
	d.queues(t, want...)
	if pages := len(d.rests); pages < 6 || pages > 8 {
		t.Errorf("%d pages for 6,060 keys: the second call began anew, or pages have another size", pages)
	}
	for _, r := range d.rests {
		if r < scanRest*scanLeast {
			t.Errorf("a rest of %v", r)
		}
	}
}

func TestRest(t *testing.T) {
	for _, c := range []struct{ busy, way, want time.Duration }{
		{time.Millisecond, 0, 99 * time.Millisecond},
		{51 * time.Millisecond, 50 * time.Millisecond, 99 * time.Millisecond},
		{time.Millisecond, time.Millisecond, 99 * scanLeast},
		{time.Hour, 0, scanMost},
	} {
		if got := rest(c.busy, c.way); got != c.want {
			t.Errorf("rest(%v, %v) = %v, want %v", c.busy, c.way, got, c.want)
		}
	}
}

// A node that is down does not keep the others from being scanned.
func TestDiscoverWithANodeDown(t *testing.T) {
	server, down := redistest.Start(t, redistest.Options{}), redistest.Start(t, redistest.Options{})
	gone := down.Client()
	down.Stop()
	server.Client().RPush(t.Context(), "p_queues:tenant-a", "x")
	d := newDiscovery(gone, server.Client())
	d.SetPatterns([]Pattern{tenants("p_")})
	if err := d.Scan(t.Context()); err == nil {
		t.Error("a node that is down is not reported")
	}
	d.queues(t, "tenant-a")
}

func TestSetPatternsKeepsNames(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	c.RPush(t.Context(), "p_queues:tenant-a", "x")
	c.RPush(t.Context(), "p_queues:mail-a", "x")
	d := newDiscovery(c)
	d.SetPatterns([]Pattern{tenants("p_")})
	d.scan(t)
	c.Del(t.Context(), "p_queues:tenant-a")
	mail := tenants("p_")
	mail.Pattern = "mail-*"
	more := tenants("p_")
	more.Max = 7
	d.SetPatterns([]Pattern{mail, more})
	d.queues(t)
	if names, _ := d.Queues(1); !slices.Equal(names, []string{"tenant-a"}) {
		t.Errorf("forgotten: %q", names)
	}
	d.scan(t)
	d.queues(t, "mail-a")
	d.SetPatterns(nil)
	d.scan(t)
	d.queues(t)
}

// Every key that a queue has leads back to its name, whatever that is.
func FuzzLaravelCandidates(f *testing.F) {
	for _, seed := range []string{"default", "tenant-1", "a:delayed", ":delayed", "{x}", "{}", "a:b:reserved", "\xff", ":notify"} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, name string, wrapped bool) {
		laravelCandidates(name, wrapped)
		if name == "" || len(name) > 1000 {
			return
		}
		key := laravelKey(name, layout{wrapped: wrapped})
		for suffix, kind := range map[string]string{"": "list", ":delayed": "zset", ":reserved": "zset"} {
			if suffix == "" && !wrapped && len(name) >= len(":notify") && name[len(name)-len(":notify"):] == ":notify" {
				continue // taken for another queue's notify list
			}
			if got := laravelCandidates(key+suffix, wrapped); !slices.Contains(got, candidate{name, kind}) {
				t.Errorf("%q: %v does not lead back to %q", key+suffix, got, name)
			}
		}
	})
}
