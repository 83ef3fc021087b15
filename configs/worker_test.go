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
