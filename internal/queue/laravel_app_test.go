package queue

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// eventually waits until a condition holds that another process brings about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(time.Minute)
	for !condition() {
		select {
		case <-ticker.C:
		case <-limit:
			t.Fatalf("never: %s", what)
		}
	}
}

// laravelApp is a real application, a Reader of its queues, and what both say.
type laravelApp struct {
	*laraveltest.App
	client *redis.Client
	reader *Reader
	queues []string
}

func newLaravelApp(t *testing.T, name string, environment ...string) *laravelApp {
	t.Helper()
	server := redistest.Start(t, redistest.Options{})
	a := &laravelApp{
		App:    laraveltest.New(t, server.Addr, append(environment, "APP_NAME="+name)...),
		client: server.Client(), reader: NewReader(Options{Ages: true}),
		queues: []string{"high", "default", "slow"},
	}
	var targets []Target
	for _, q := range a.queues {
		targets = append(targets, Target{Application: "shop", Connection: "main", Queue: q, PrefixHints: LaravelPrefixes(name, "shop", "")})
	}
	a.reader.SetTargets(targets)
	return a
}

// agree reads the queues at a time that is ahead of ours and holds the depths
// against the framework's own.
func (a *laravelApp) agree(t *testing.T, when string, ahead time.Duration) map[string]Reading {
	t.Helper()
	got := scrape(t, a.reader, a.client, time.Now().Add(ahead))
	ours := map[string]laraveltest.Sizes{}
	for name, r := range got {
		if r.Err != nil {
			t.Fatalf("%s: %s: %v", when, name, r.Err)
		}
		s := laraveltest.Sizes{Pending: int(r.Jobs[Ready]), Delayed: int(r.Jobs[Delayed]), Reserved: int(r.Jobs[Reserved])}
		s.Size = s.Pending + s.Delayed + s.Reserved
		ours[name] = s
	}
	diff(t, when, ours, a.Sizes(a.queues...))
	return got
}

// With a real application: what the framework says of its queues is what is
// read, in every state that its workers bring about.
func TestAgreesWithLaravel(t *testing.T) {
	a := newLaravelApp(t, "Café-Größe @ Home", "RETRY_AFTER=1")
	a.agree(t, "empty", 0)

	a.Push(45, "high", laraveltest.Job{})
	a.Push(30, "default", laraveltest.Job{})
	a.Push(15, "high", laraveltest.Job{Delay: 3600})
	a.Push(10, "default", laraveltest.Job{Delay: 60})
	got := a.agree(t, "pushed", 0)
	if n := got["high"].DelayedOverdue; n != 0 {
		t.Errorf("%v jobs are overdue", n)
	}
	if !same(got["high"].OldestAge, unknown) || same(got["high"].OldestAgeLowerBound, unknown) {
		t.Errorf("8.83 writes no time: age %v, lower bound %v", got["high"].OldestAge, got["high"].OldestAgeLowerBound)
	}
	got = a.agree(t, "two minutes later", 2*time.Minute)
	if r := got["default"]; r.DelayedOverdue != 10 || r.OldestOverdueAge < 59 || r.OldestOverdueAge > 120 {
		t.Errorf("default: %v overdue, the oldest for %v s; want 10, for about 60", r.DelayedOverdue, r.OldestOverdueAge)
	}
	if bound := got["high"].OldestAgeLowerBound; bound < 119 {
		t.Errorf("the head has been seen for two minutes; lower bound %v", bound)
	}

	a.Work("--queue=high", "--max-jobs=5")
	got = a.agree(t, "five worked", 2*time.Minute)
	if r := got["high"]; r.Jobs[Ready] != 40 || r.OldestAgeLowerBound != 0 {
		t.Errorf("high: %v ready, a new head seen for %v s", r.Jobs[Ready], r.OldestAgeLowerBound)
	}
	a.workerDies(t)
	a.jobsFail(t)
}

// workerDies has a worker killed in the middle of a job: the job stays reserved
// and, when its time is over, counts as expired.
func (a *laravelApp) workerDies(t *testing.T) {
	t.Helper()
	a.Push(2, "slow", laraveltest.Job{Milliseconds: 600_000})
	worker := a.StartWorker("--queue=slow")
	eventually(t, "the worker takes a job", func() bool {
		return a.client.ZCard(t.Context(), "cafe_grosse_at_home_database_queues:slow:reserved").Val() == 1
	})
	worker.Kill()
	if got := a.agree(t, "a worker died", -time.Hour); got["slow"].ReservedExpired != 0 {
		t.Errorf("expired before its time: %v", got["slow"].ReservedExpired)
	}
	got := a.agree(t, "and its time is over", time.Minute)
	if r := got["slow"]; r.Jobs[Reserved] != 1 || r.ReservedExpired != 1 {
		t.Errorf("slow: %v reserved, %v expired; want 1 and 1", r.Jobs[Reserved], r.ReservedExpired)
	}
}

// jobsFail has jobs fail that are tried again an hour later.
func (a *laravelApp) jobsFail(t *testing.T) {
	t.Helper()
	before := a.agree(t, "before the failures", 0)["high"]
	a.client.Del(t.Context(), "cafe_grosse_at_home_database_queues:high")
	a.Push(3, "high", laraveltest.Job{Fail: "throw"})
	a.Work("--queue=high", "--max-jobs=3", "--tries=2", "--backoff=3600")
	got := a.agree(t, "jobs failed", 2*time.Hour)["high"]
	if got.Jobs[Ready] != 0 || got.Jobs[Delayed] != before.Jobs[Delayed]+3 || got.DelayedOverdue != got.Jobs[Delayed] {
		t.Errorf("%v ready, %v delayed, %v overdue two hours on", got.Jobs[Ready], got.Jobs[Delayed], got.DelayedOverdue)
	}
}

// What counts as overdue is what the framework would move at that second.
func TestOverdueIsWhatLaravelMoves(t *testing.T) {
	a := newLaravelApp(t, "Laravel")
	a.Push(3, "default", laraveltest.Job{Delay: 1})
	eventually(t, "the jobs become overdue", func() bool {
		return scrape(t, a.reader, a.client, time.Now())["default"].DelayedOverdue == 3
	})
	a.Work("--queue=default", "--once")
	diff(t, "moved", a.Sizes("default")["default"], laraveltest.Sizes{Size: 2, Pending: 2})
	if got := a.agree(t, "moved", 0)["default"]; got.DelayedOverdue != 0 || got.OldestOverdueAge != 0 {
		t.Errorf("%v overdue, for %v s", got.DelayedOverdue, got.OldestOverdueAge)
	}
}

func TestSlugIsLaravels(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	app := laraveltest.New(t, server.Addr)
	names := []string{"Laravel", "Web Shop", " My_Shop -- EU (2) ", "a@b", "Café Größe", "shop.example.com", "Ærø & Øst", "Łódź-Šibenik", "A__b--c", "x²", "Ñandú çok"}
	for i, want := range app.Slugs(names...) {
		if got := [2]string{laravelSlug(names[i], '_'), laravelSlug(names[i], '-')}; got != want {
			t.Errorf("%q: got %q, Laravel says %q", names[i], got, want)
		}
	}
}

// The pause flag lies where the framework's own cache puts it.
func TestPauseFlagOfLaravelsCache(t *testing.T) {
	a := newLaravelApp(t, "Web Shop")
	a.SetFlag("illuminate:queue:paused:redis:high")
	r := NewPauseReader()
	hints := LaravelPrefixes("Web Shop", "shop", "")
	for name, prefixes := range map[string][]string{
		"derived":    LaravelCachePrefixes(hints, "Web Shop", "shop", ""),
		"configured": LaravelCachePrefixes(hints, "Web Shop", "shop", "web_shop_cache"),
	} {
		r.SetTargets(pauseTargets(false, prefixes...))
		diff(t, name, pauses(t, r, a.client, at), map[string]float64{"high": 1, "default": 0})
	}
	a.Artisan("queue:restart")
	r.SetTargets(pauseTargets(false, LaravelCachePrefixes(hints, "Web Shop", "shop", "web_shop_cache:")...))
	for range 2 {
		diff(t, "with a restart flag", pauses(t, r, a.client, at), map[string]float64{"high": 1, "default": 0})
	}
}

// The payloads of several versions, as pushed and as Redis' own JSON library
// writes them down again when a job is taken, which is how a retried job looks.
func TestPayloadsOfVersions(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	for name, want := range map[string]struct {
		identity string
		since    float64 // 0 = not known
	}{
		"laravel-8.83":               {`"1b6b2f0e-3f2a-4c83-9f0c-7d5d0b8e6a11"`, 0},
		"laravel-12.59":              {`"c7991f52-0d0c-4a54-8a0b-6a4f5f4f3f10"`, 1732645640},
		"laravel-12.59-delayed":      {`"7a8d7c4e-6a1e-4a39-9a6e-02f1cf1d2b77"`, 1732645645},
		"laravel-12.59-horizon-5.29": {`"e6a8f0de-51c5-44fb-a3a1-0d9cf8ac9b57"`, 1732645650},
		"laravel-10-horizon-5":       {`"0f1c5f6a-7c1c-4f6e-bb3e-9f2b7d0a4c21"`, 1732645678.1234},
	} {
		content, err := os.ReadFile(filepath.Join("testdata/payloads", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		pushed := strings.TrimSpace(string(content))
		script := `local job = cjson.decode(ARGV[1]); job['attempts'] = job['attempts'] + 1; return cjson.encode(job)`
		taken, err := c.Eval(t.Context(), script, nil, pushed).Text()
		if err != nil {
			t.Fatal(err)
		}
		for form, payload := range map[string]string{"pushed": pushed, "taken": taken} {
			f := scanPayload(payload)
			since, ok := f.readySince(at)
			if f.identity() != want.identity || ok != (want.since != 0) || ok && since != want.since {
				t.Errorf("%s, %s: %s since %v (%v)", name, form, f.identity(), since, ok)
			}
		}
	}
}
