package collector

import (
	"testing"

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
