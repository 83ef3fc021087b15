package queue

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestOwnTimeout(t *testing.T) {
	for payload, want := range map[string]time.Duration{
		`{"timeout":90}`:                 90 * time.Second,
		`{"data":{"timeout":5}}`:         0,
		`{"timeout":"120"}`:              2 * time.Minute,
		`{"timeout":1.5}`:                1500 * time.Millisecond,
		`{"timeout":null}`:               0,
		`{"timeout":0}`:                  0,
		`{"timeout":-1}`:                 0,
		`{"timeout":1e300}`:              timeoutMost,
		`{"timeout":[1]}`:                0,
		`no JSON`:                        0,
		`{"timeout":7,"data":{"a":"b"}}`: 7 * time.Second,
	} {
		if got := ownTimeout(payload); got != want {
			t.Errorf("%s: %v, want %v", payload, got, want)
		}
	}
}

// The longest of many jobs is found, under whichever prefix they are, and large
// ones do not make for a large reading.
func TestLongestTimeouts(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	client := server.Client()
	ctx := t.Context()
	var read, sent int
	send := func(ctx context.Context, fn func(redis.Pipeliner)) ([]redis.Cmder, error) {
		pipe := client.Pipeline()
		fn(pipe)
		cmds, err := pipe.Exec(ctx)
		sent++
		for _, cmd := range cmds {
			for _, text := range cmd.(*redis.StringSliceCmd).Val() {
				read += len(text)
			}
		}
		return cmds, err
	}
	add := func(key string, n int, pad int, timeout func(i int) string) {
		for i := range n {
			payload := fmt.Sprintf(`{"id":"%d","pad":"%s","timeout":%s}`, i, strings.Repeat("x", pad), timeout(i))
			if err := client.ZAdd(ctx, key, redis.Z{Score: float64(1e9 + i), Member: payload}).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	add("shop_database_queues:many:reserved", 60, 0, func(i int) string { return fmt.Sprint(100 + i) })
	add("shop_database_queues:none:reserved", 3, 0, func(int) string { return "null" })
	add("shop_database_queues:large:reserved", 40, 300<<10, func(int) string { return "9" })
	prefix := "own:"
	add("own:queues:own:reserved", 1, 0, func(int) string { return "33" })
	targets := []Target{
		{Application: "shop", Queue: "many", PrefixHints: []string{"other_", "shop_database_"}},
		{Application: "shop", Queue: "none", PrefixHints: []string{"shop_database_"}},
		{Application: "shop", Queue: "large", PrefixHints: []string{"shop_database_"}},
		{Application: "shop", Queue: "missing"},
		{Application: "shop", Queue: "own", Prefix: &prefix},
		{Application: "shop", Queue: "many", Framework: "other", PrefixHints: []string{"shop_database_"}},
	}
	got, err := LongestTimeouts(ctx, send, targets)
	want := []time.Duration{159 * time.Second, 0, 9 * time.Second, 0, 33 * time.Second, 0}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if most := 2 * timeoutBytes; read > most || sent > 6 {
		t.Errorf("%d bytes in %d round trips, want %d at most in a few", read, sent, most)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := LongestTimeouts(ended, send, targets); err == nil {
		t.Error("what is not answered in time is no error")
	}
	if err := client.Set(ctx, "own:queues:own:reserved", "no set", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := LongestTimeouts(ctx, send, targets); err == nil || got[0] != want[0] {
		t.Errorf("beside a key that cannot be read: %v, %v", got, err)
	}
}
