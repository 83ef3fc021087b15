package collector

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestQueuesByPattern(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	ctx := t.Context()
	push := func(queue string) { server.Client().RPush(ctx, "laravel_database_queues:"+queue, `{"uuid":"x"}`) }
	push("tenant-a")
	push("tenant-b")
	push("other")
	b := newBench(t, Options{})
	b.apply(t, "connections:\n"+connectionYAML("main", server.Addr)+`
applications: [{slug: shop}]
queues:
  - {name: named, application: shop, connection: main, queue_names: [tenant-b]}
  - {name: found, application: shop, connection: main, queue_names: ["tenant-*"]}
`)
	if err := b.Discover(ctx); err != nil {
		t.Fatal(err)
	}
	s := b.scrape(t)
	s.want(t, `redis_queue_jobs{application="shop",connection="main",queue="tenant-a",state="ready"}`, "1")
	s.want(t, `redis_queue_jobs{application="shop",connection="main",queue="tenant-b",state="ready"}`, "1")
	s.absent(t, "redis_queue_jobs", `queue="other"`)

	server.Client().Del(ctx, "laravel_database_queues:tenant-a")
	if err := b.Discover(ctx); err != nil {
		t.Fatal(err)
	}
	s = b.scrape(t)
	s.want(t, `redis_queue_jobs{application="shop",connection="main",queue="tenant-a",state="ready"}`, "0")
}

func TestDiscoveryKeepsThePauseFlagOfWhatItFindsAgain(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	server.Client().RPush(t.Context(), "shop_database_queues:tenant-a", "{}")
	b.apply(t, "connections:\n"+connectionYAML("c", server.Addr)+`
applications: [{slug: shop, cache: {connection: c, prefix: laravel-cache-}}]
queues: [{application: shop, connection: c, queue_names: ["tenant-*"]}]
`)
	if err := b.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.scrape(t)
	if q := b.Queues(); len(q) != 1 || q[0].Paused == nil {
		t.Fatalf("%+v", q)
	}
	if err := b.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if q := b.Queues(); len(q) != 1 || q[0].Paused == nil {
		t.Errorf("after another scan that found the same, paused is not known any more: %+v", q)
	}
}

func TestDroppedQueuesAreCountedOnce(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	for _, q := range []string{"tenant-a", "tenant-b", "tenant-c"} {
		server.Client().RPush(t.Context(), "shop_database_queues:"+q, "{}")
	}
	b.apply(t, "connections:\n"+connectionYAML("c", server.Addr)+`
applications: [{slug: shop}]
queues:
  - {name: one, application: shop, connection: c, queue_names: ["tenant-*"], max_discovered: 1}
  - {name: two, application: shop, connection: c, queue_names: ["tenant-*"], max_discovered: 10}
`)
	if err := b.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := testutil.ToFloat64(b.metrics.dropped)
	for range 5 {
		b.mu.Lock()
		b.publish()
		b.mu.Unlock()
	}
	if got := testutil.ToFloat64(b.metrics.dropped); got != first {
		t.Errorf("nothing changed but series_dropped_total went from %v to %v", first, got)
	}
}

func TestQueueThatIsFoundAndThenNamedStandsOnce(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b := newBench(t, Options{})
	server.Client().RPush(t.Context(), "shop_database_queues:tenant-a", "{}")
	head := "connections:\n" + connectionYAML("c", server.Addr) + "\napplications: [{slug: shop}]\n"
	b.apply(t, head+`queues: [{application: shop, connection: c, queue_names: ["tenant-*"]}]`)
	if err := b.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.scrape(t)
	// The instant within Apply between p.spec.Store and publish.
	cfg, err := configs.Parse("x", []byte(head+`queues: [{application: shop, connection: c, queue_names: ["tenant-a", "tenant-*"]}]`))
	if err != nil {
		t.Fatal(err)
	}
	b.probeOf("c").spec.Store(newPlan(cfg).specs[0])
	b.scrape(t)
}
