package configs

import (
	"strings"
	"testing"
)

// What a merge has to find is written also where it is the default.
func TestEntriesAllOptions(t *testing.T) {
	q := NewQueue("shop-default", "shop", "eu")
	q.QueueNames = []string{"default"}
	e := Entries{Queues: []Queue{q}, AllOptions: true}
	text, err := e.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"retry_after: 1m30s", "balance: auto", "auto_scaling_strategy: time", "min_processes: 1", "max_processes: 10", "balance_max_shift: 1",
		"balance_cooldown: 3s", "max_wait: 30s", "tries: 3", "timeout: 1m", "memory: 128MiB", "backoff: 0s", "sleep: 3s", "rest: 0s",
		"max_jobs: 1000", "max_time: 1h", "nice: 0",
	} {
		if !strings.Contains(string(text), "\n    "+line+"\n") {
			t.Errorf("there is no line %q in\n%s", line, text)
		}
	}
}
