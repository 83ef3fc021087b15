package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestScrapeOfACluster(t *testing.T) {
	cluster := redistest.StartCluster(t, redistest.Options{})
	addrs := cluster.Addrs()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	defer client.Close()
	for range 3 {
		if err := client.RPush(t.Context(), "laravel_database_queues:{default}", `{"uuid":"a"}`).Err(); err != nil {
			t.Fatal(err)
		}
	}
	b := newBench(t, Options{})
	b.apply(t, fmt.Sprintf(`
global: {environment: test}
connections: [{name: shards, cluster: {addresses: [%q]}}]
applications: [{slug: shop}]
queues: [{application: shop, connection: shards, queue_names: [default, "{other}"]}]
`, addrs[0]))
	s := b.scrape(t)
	s.want(t, `redis_up{connection="shards",environment="test"}`, "1")
	if n := s.count("redis_up"); n != 1 {
		t.Errorf("%d series of redis_up, want one for the connection", n)
	}
	for _, addr := range addrs {
		s.want(t, `redis_cluster_state{connection="shards",environment="test",node="`+addr+`"}`, "1")
	}
	if n := s.count("redis_memory_used_bytes"); n != len(addrs) {
		t.Errorf("%d series of redis_memory_used_bytes, want one for each of %d nodes", n, len(addrs))
	}
	queue := `redis_queue_jobs{application="shop",connection="shards",queue="%s",environment="test",state="ready"}`
	s.want(t, fmt.Sprintf(queue, "default"), "3")
	s.want(t, fmt.Sprintf(queue, "{other}"), "0")
	for _, name := range []string{"info", "slowlog", "cluster", "queues"} {
		s.want(t, `queuefleet_exporter_collector_success{connection="shards",environment="test",collector="`+name+`"}`, "1")
	}
}

func TestScrapeFollowsAFailover(t *testing.T) {
	trio := redistest.Sentinel(t, redistest.Options{}, "")
	b := newBench(t, Options{})
	b.apply(t, fmt.Sprintf(`
global: {probe_timeout: 5s, environment: test}
connections: [{name: ha, sentinel: {master: %s, addresses: [%s]}}]
`, redistest.SentinelMaster, `"`+strings.Join(trio.Addrs(), `","`)+`"`))
	role := func(s series) (role string) {
		for id := range s {
			if strings.HasPrefix(id, "redis_instance_info{") {
				_, role, _ = strings.Cut(id, `role="`)
				role, _, _ = strings.Cut(role, `"`)
			}
		}
		return role
	}
	s := b.scrape(t)
	s.want(t, `redis_up{connection="ha",environment="test"}`, "1")
	if got := role(s); got != "master" {
		t.Errorf("role is %q, want master", got)
	}
	trio.Failover()
	trio.WaitForMaster(trio.Replica)
	s = b.scrape(t)
	s.want(t, `redis_up{connection="ha",environment="test"}`, "1")
	if got := role(s); got != "master" {
		t.Errorf("after the failover role is %q, want master", got)
	}
}
