package configs

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a preset's worker is, where nothing else is said.
func TestPresetDefaults(t *testing.T) {
	type defaults struct {
		Command   []string
		MemoryMax Bytes
		MaxJobs   int
	}
	for preset, want := range map[string]defaults{
		"laravel":                     {[]string{"php", "artisan", "queue:work"}, 0, 1000},
		"horizon":                     {[]string{"php", "artisan", "horizon"}, 0, 1000},
		"frankenphp":                  {[]string{"frankenphp", "php-cli", "artisan", "queue:work"}, 512 << 20, 1000},
		"frankenphp, memory_max: 1GB": {[]string{"frankenphp", "php-cli", "artisan", "queue:work"}, 1 << 30, 1000},
		"exec, command: [run]":        {[]string{"run"}, 0, 1000},
	} {
		text := fmt.Sprintf(`
connections: [{name: a, address: "localhost:6379"}]
applications: [{slug: shop}]
queues: [{application: shop, connection: a, queue_names: [x], worker: {preset: %s}}]
`, preset)
		c, err := Parse("test.yml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", preset, err)
			continue
		}
		q := &c.Queues[0]
		if d := cmp.Diff(want, defaults{q.Worker.Command, q.Worker.MemoryMax, q.MaxJobs}); d != "" {
			t.Errorf("%s: %s", preset, d)
		}
	}
}

// A file that a fragment names is confined also when it is opened later.
func TestEnvironmentFileIsConfined(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml": limited + "defaults: {queue: {worker: {user: shop, environment_file: /etc/all.env}}}\n",
		"conf.d/a.yml": `queues:
  - {application: shop, connection: main, queue_names: [x], name: own, worker: {environment_file: ../secrets/shop/a.env}}
  - {application: shop, connection: main, queue_names: [y], name: inherited, worker: {}}
`,
		"secrets/shop/a.env": "A=1",
	})
	c, err := Load(tr.path("main.yml"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"own": tr.path("secrets/shop"), "inherited": ""}
	for i := range c.Queues {
		if q := &c.Queues[i]; q.Worker.SecretDir != want[q.Name] {
			t.Errorf("%s: %q", q.Name, q.Worker.SecretDir)
		}
	}
	if len(c.Queues) != len(want) {
		t.Errorf("there are %d queues", len(c.Queues))
	}
}
