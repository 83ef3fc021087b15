package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestInfoTellsTheTruth compares INFO with what was put into the server.
func TestInfoTellsTheTruth(t *testing.T) {
	s, err := startEmbedded("secret")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), Password: "secret", DisableIdentity: true, PoolSize: 1})
	defer func() { _ = c.Close() }()
	for _, key := range []string{"a", "b", "c"} {
		if err := c.Set(t.Context(), key, "1", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Expire(t.Context(), "a", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	text, err := c.Info(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.SplitSeq(text, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok {
			fields[key] = value
		}
	}
	for key, want := range map[string]string{"role": "master", "loading": "0", "connected_clients": "1", "tcp_port": s.Port(), "cluster_enabled": "0"} {
		if fields[key] != want {
			t.Errorf("%s is %q, want %q", key, fields[key], want)
		}
	}
	if !strings.HasPrefix(fields["db0"], "keys=3,expires=1,avg_ttl=35") {
		t.Errorf("db0 is %q, want 3 keys of which one expires within the hour", fields["db0"])
	}
	if !strings.HasPrefix(fields["redis_version"], "miniredis") {
		t.Errorf("redis_version %q pretends to be a release of Redis", fields["redis_version"])
	}
	for key := range fields {
		if strings.HasPrefix(key, "used_") || strings.HasPrefix(key, "mem_") {
			t.Errorf("%s is told, which nobody knows", key)
		}
	}
}

func TestInfoSections(t *testing.T) {
	s, err := startEmbedded("")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.info([]string{"replication", "CLUSTER"}); got != "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n" {
		t.Errorf("two sections: %q", got)
	}
	if got := s.info([]string{"commandstats"}); got != "" {
		t.Errorf("a section that it does not have: %q", got)
	}
}

func TestSlowlogIsEmpty(t *testing.T) {
	s, err := startEmbedded("")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), DisableIdentity: true})
	defer func() { _ = c.Close() }()
	if n, err := c.Do(t.Context(), "SLOWLOG", "LEN").Int(); n != 0 || err != nil {
		t.Errorf("length %d, %v", n, err)
	}
	if entries, err := c.SlowLogGet(t.Context(), 1).Result(); len(entries) != 0 || err != nil {
		t.Errorf("entries %v, %v", entries, err)
	}
}
