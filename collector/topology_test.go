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

// A node that is gone takes its own figures and its own queues along.
func TestClusterWithoutAShard(t *testing.T) {
	cluster := redistest.StartCluster(t, redistest.Options{Lines: []string{"cluster-require-full-coverage no"}})
	addrs := cluster.Addrs()
	b := newBench(t, Options{})
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	b.apply(t, fmt.Sprintf(`
global: {probe_timeout: 5s, environment: test}
connections: [{name: shards, cluster: {addresses: [%q]}}]
applications: [{slug: shop}]
queues: [{application: shop, connection: shards, queue_names: [%s], key_prefix: ""}]
`, addrs[1], strings.Join(names, ", ")))
	b.scrape(t)
	cluster.Nodes[0].Stop()
	cluster.Nodes[3].Stop() // its replica
	s := b.scrape(t)
	s.want(t, `redis_up{connection="shards",environment="test"}`, "1")
	s.absent(t, "redis_memory_used_bytes", `node="`+addrs[0]+`"`)
	s.want(t, `queuefleet_exporter_collector_success{connection="shards",environment="test",collector="info"}`, "0")
	read, unread := 0, 0
	for _, name := range names {
		switch s[`redis_queue_read_success{application="shop",connection="shards",queue="`+name+`",environment="test"}`] {
		case "1":
			read++
		case "0":
			unread++
			s.absent(t, "redis_queue_jobs", `queue="`+name+`"`)
		}
	}
	if read == 0 || unread == 0 || read+unread != len(names) {
		t.Errorf("%d queues read and %d not; want some of each", read, unread)
	}
}
