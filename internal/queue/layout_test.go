package queue

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestLaravelPrefixes(t *testing.T) {
	for _, c := range []struct {
		name, slug, key string
		want            []string
	}{
		{"", "", "", []string{"laravel_database_", "laravel-database-", ""}},
		{"Web Shop", "shop", "", []string{
			"web_shop_database_", "web-shop-database-", "shop_database_", "shop-database-", "laravel_database_", "laravel-database-", "",
		}},
		{"Laravel", "laravel", "custom:", []string{"custom:", "laravel_database_", "laravel-database-", ""}},
	} {
		diff(t, c.name, LaravelPrefixes(c.name, c.slug, c.key), c.want)
	}
}

// What Laravel 8.83's Str::slug makes of the same names; see also
// TestSlugIsLaravels, which asks it.
func TestLaravelSlug(t *testing.T) {
	for _, c := range []struct{ name, under, dash string }{
		{"Laravel", "laravel", "laravel"},
		{"Web Shop", "web_shop", "web-shop"},
		{"  My_Shop -- EU (2) ", "my_shop_eu_2", "my-shop-eu-2"},
		{"a@b", "a_at_b", "a-at-b"},
		{"Café Größe", "cafe_grosse", "cafe-grosse"},
		{"shop.example.com", "shopexamplecom", "shopexamplecom"},
		{"!?", "", ""},
	} {
		if got := laravelSlug(c.name, '_'); got != c.under {
			t.Errorf("%q: got %q, want %q", c.name, got, c.under)
		}
		if got := laravelSlug(c.name, '-'); got != c.dash {
			t.Errorf("%q: got %q, want %q", c.name, got, c.dash)
		}
	}
}

// seen is what one layout shows in a scrape of a group of two queues.
type seen struct {
	jobs float64
	err  error
}

func TestGroup(t *testing.T) {
	type scrape struct {
		after     time.Duration
		seen      [3]seen
		probing   bool // all layouts must be read
		chosen    int
		ambiguous bool
	}
	none, refused, cut := seen{}, seen{err: redis.ErrCrossSlot}, seen{err: errors.New("reset")}
	jobs := func(n float64) seen { return seen{jobs: n} }
	const s15 = 15 * time.Second
	for name, scrapes := range map[string][]scrape{
		"nothing anywhere": {
			{0, [3]seen{none, none, none}, true, 0, false},
			{s15, [3]seen{none, none, none}, true, 0, false},
		},
		"found, and kept while it has jobs": {
			{0, [3]seen{none, jobs(3), none}, true, 1, false},
			{s15, [3]seen{none, jobs(3), none}, false, 1, false},
			{time.Hour, [3]seen{jobs(9), jobs(1), none}, false, 1, false},
		},
		"looked for anew once a minute when it is empty": {
			{0, [3]seen{none, jobs(3), none}, true, 1, false},
			{s15, [3]seen{none, none, none}, false, 1, false},
			{s15, [3]seen{none, none, jobs(1)}, false, 1, false},
			{s15 * 2, [3]seen{none, none, jobs(1)}, true, 2, false},
			{s15, [3]seen{none, none, jobs(1)}, false, 2, false},
		},
		"stays where nothing is elsewhere": {
			{0, [3]seen{none, jobs(3), none}, true, 1, false},
			{s15, [3]seen{none, none, none}, false, 1, false},
			{time.Minute, [3]seen{none, none, none}, true, 1, false},
		},
		"two have jobs: the more the likelier": {
			{0, [3]seen{jobs(1), jobs(3), none}, true, 1, true},
			{s15, [3]seen{jobs(1), jobs(3), none}, false, 1, true},
		},
		"only one may be read": {
			{0, [3]seen{refused, none, refused}, true, 1, false},
			{s15, [3]seen{refused, none, refused}, true, 1, false},
			{s15, [3]seen{refused, jobs(2), refused}, true, 1, false},
		},
		"found, and refused later": {
			{0, [3]seen{jobs(2), none, none}, true, 0, false},
			{s15, [3]seen{refused, none, none}, false, 0, false},
			{time.Minute, [3]seen{refused, jobs(1), none}, false, 0, false},
		},
		"a scrape that was cut off decides nothing": {
			{0, [3]seen{none, jobs(1), cut}, true, 0, false},
			{s15, [3]seen{jobs(1), none, none}, true, 0, false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, now := newGroup(make([]layout, 3)), at
			for i, s := range scrapes {
				now = now.Add(s.after)
				g.begin(now)
				if g.probing != s.probing {
					t.Fatalf("scrape %d: probing = %v, want %v", i, g.probing, s.probing)
				}
				for l, seen := range s.seen {
					if g.probing || l == g.chosen {
						g.note(l, seen.jobs, seen.err)
						g.note(l, 0, seen.err)
					}
				}
				g.decide()
				if g.chosen != s.chosen || g.ambiguous != s.ambiguous {
					t.Fatalf("scrape %d: chosen %d, ambiguous %v; want %d, %v", i, g.chosen, g.ambiguous, s.chosen, s.ambiguous)
				}
			}
		})
	}
}

// All queues of an application on a connection share the prefix, found in the
// very scrape that first sees a job, ages included.
func TestPrefixIsDetected(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	for _, prefix := range []string{"web_shop_database_", "web-shop-database-", "laravel_database_", "laravel-database-", "", "shop-database-"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			c.FlushDB(t.Context())
			r := NewReader(Options{Ages: true})
			hints := LaravelPrefixes("Web Shop", "shop", "")
			r.SetTargets([]Target{
				{Application: "shop", Connection: "main", Queue: "high", PrefixHints: hints},
				{Application: "shop", Connection: "main", Queue: "default", PrefixHints: hints},
			})
			if got := r.Detections(); len(got) != 1 || got[0].Found {
				t.Errorf("before: %+v", got)
			}
			c.RPush(t.Context(), prefix+"queues:default", job("a", at.Add(-time.Minute), 0), job("b", at, 0))
			got := scrape(t, r, c, at)
			diff(t, "default", figuresOf(got["default"]), laravelFixture.want(sample{ready: 2, age: 60}))
			diff(t, "high", figuresOf(got["high"]), laravelFixture.want(sample{}))
			diff(t, "detections", r.Detections(), []Detection{{
				Application: "shop", Connection: "main", Framework: "laravel", Prefix: prefix, Found: true,
			}})
			pipe := c.Pipeline()
			r.Enqueue(t.Context(), pipe, at.Add(time.Second))
			if pipe.Len() != 2*7 {
				t.Errorf("%d commands for two queues once the prefix is known", pipe.Len())
			}
			_, _ = pipe.Exec(t.Context())
			bound := results(r, at.Add(time.Second))["default"].OldestAgeLowerBound
			if bound != 1 {
				t.Errorf("the head was seen at the first scrape, 1 s ago; lower bound %v", bound)
			}
		})
	}
}

// Found later than at the first scrape: depths at once, ages from the next one.
func TestPrefixIsDetectedLater(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	r := NewReader(Options{Ages: true})
	r.SetTargets([]Target{{Application: "shop", Connection: "main", Queue: "q", PrefixHints: []string{"a-", "b-"}}})
	diff(t, "empty", figuresOf(scrape(t, r, c, at)["q"]), laravelFixture.empty)
	diff(t, "still empty", figuresOf(scrape(t, r, c, at)["q"]), laravelFixture.empty)
	c.RPush(t.Context(), "b-queues:q", job("a", at, 0))
	want := laravelFixture.want(sample{ready: 1})
	want.Age, want.Bound, want.Overdue, want.OverdueAge, want.Expired = -1, -1, -1, -1, -1
	diff(t, "found", figuresOf(scrape(t, r, c, at)["q"]), want)
	diff(t, "next", figuresOf(scrape(t, r, c, at)["q"]), laravelFixture.want(sample{ready: 1}))
}

// A user who may read one prefix only is not refused again at every scrape.
func TestRefusedPrefixesAreLeftAlone(t *testing.T) {
	server := redistest.Start(t, redistest.Options{Users: []string{"reader on >secret ~b-* +@read +ping +client +hello"}})
	c := redis.NewClient(&redis.Options{Addr: server.Addr, Username: "reader", Password: "secret", MaxRetries: -1})
	defer c.Close()
	r := NewReader(Options{})
	r.SetTargets([]Target{{Application: "shop", Connection: "main", Queue: "q", PrefixHints: []string{"a-", "b-", "c-"}}})
	for i, want := range []struct {
		at       time.Duration
		commands int
	}{{0, 9}, {15 * time.Second, 3}, {9 * time.Minute, 3}, {10 * time.Minute, 9}, {11 * time.Minute, 3}} {
		now := at.Add(want.at)
		pipe := c.Pipeline()
		r.Enqueue(t.Context(), pipe, now)
		if pipe.Len() != want.commands {
			t.Errorf("scrape %d: %d commands, want %d", i, pipe.Len(), want.commands)
		}
		_, _ = pipe.Exec(t.Context())
		if got := results(r, now)["q"]; got.Err != nil || got.Jobs[Ready] != 0 {
			t.Errorf("scrape %d: %+v", i, got)
		}
	}
}

func TestClusterLayouts(t *testing.T) {
	prefix := "p-"
	for _, c := range []struct {
		queue   string
		cluster bool
		want    []string
	}{
		{"default", false, []string{"p-queues:default"}},
		{"default", true, []string{"p-queues:default", "p-queues:{default}"}},
		{"{default}", true, []string{"p-queues:{default}"}},
		{"a{}b", true, []string{"p-queues:a{}b", "p-queues:{a{}b}"}},
	} {
		var got []string
		for _, l := range laravelLayouts(&Target{Queue: c.queue, Prefix: &prefix, Cluster: c.cluster}) {
			got = append(got, laravelKey(c.queue, l))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.queue, got, c.want)
		}
	}
}
