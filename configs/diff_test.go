package configs

import (
	"fmt"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	parse := func(text string) *Config {
		t.Helper()
		cfg, err := Parse("x.yml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	const a = `
defaults: {queue: {max_wait: 1m}}
connections:
- {name: b, address: "b:1", password: hunter2, labels: {x: y}}
- {name: a, address: "a:1"}
applications: [{slug: s, metadata: {api_token: hunter2, n: 1}, connections: [{connection: a}, {connection: b, priority: 2}]}]
queues: [{application: s, connection: a, queue_names: [q]}]`
	const same = `
applications: [{slug: s, metadata: {n: 1, api_token: hunter2}, connections: [{priority: 2, connection: b}, {connection: a, active: true}]}]
connections:
- {address: "a:1", name: a, active: true}
- {labels: {x: y}, name: b, address: "b:1", password: hunter2}
queues: [{name: s-a, application: s, connection: a, queue_names: [q], max_wait: 60s}]`
	if list := Diff(parse(a), parse(same)); len(list) > 0 {
		t.Errorf("the same in another order: %v", list)
	}
	got := fmt.Sprint(Diff(parse(a), parse(strings.NewReplacer("password: hunter2", "password: hunter3", "x: y", "x: z", "token: hunter2", "token: hunter4",
		"n: 1", "n: 2", "priority: 2", "priority: 3, primary: true", "- {name: a,", "- {name: c, address: \"c:1\"}\n- {name: a, tls: {},", "1m", "5m").Replace(a))))
	for _, part := range []string{
		"+ connection a tls: defined", "+ connection a tls.min_version: TLS12", "~ connection b labels.x: y → z", "~ connection b password: <secret> → <another secret>", "+ connection c defined",
		"~ application s connections[b].priority: 2 → 3", "~ application s connections[b].primary: false → true", "~ application s metadata.api_token: <secret> → <another secret>",
		"~ application s metadata.n: 1 → 2", "~ queue s-a max_wait: 1m → 5m",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is missing", part)
		}
	}
	if strings.Contains(got, "hunter") || strings.Contains(got, "connection c address") {
		t.Errorf("too much is shown")
	}
	if t.Failed() {
		t.Log(got)
	}
}
