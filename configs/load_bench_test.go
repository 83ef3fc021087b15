package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// largeFile is a fleet of n connections and n queue configurations of one
// application, each with a worker of its own.
func largeFile(n int) string {
	var b strings.Builder
	b.WriteString("global: {environment: production}\nconnections:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: c%05d\n    address: redis-%[1]d.eu:6379\n    region: eu-west-1\n    team: t%[2]d\n    username: exporter\n"+
			"    password: 'secret-%[1]d'\n    labels: {tier: gold}\n    options: {pool_size: 4}\n", i, i%20)
	}
	b.WriteString("applications:\n  - slug: shop\n    connections:\n")
	for i := range n {
		fmt.Fprintf(&b, "      - {connection: c%05d, priority: %d}\n", i, i%10)
	}
	b.WriteString("queues:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: q%d\n    application: shop\n    connection: c%05[1]d\n    queue_names: [high, default, low]\n    max_processes: 10\n"+
			"    timeout: 30s\n    retry_after: 60s\n    worker:\n      preset: laravel\n      directory: /srv/shop\n      user: www-data\n"+
			"      environment: {APP_ENV: production}\n      rlimits: {nofile: 4096}\n", i)
	}
	return b.String()
}

// BenchmarkLoad reads 10,000 connections with 10,000 queue configurations,
// correct ones and such with a mistake in each.
func BenchmarkLoad(b *testing.B) {
	text := largeFile(10_000)
	for name, content := range map[string]string{
		"good":             text,
		"unknown key":      strings.ReplaceAll(text, "max_processes:", "max_proceses:"),
		"wrong connection": strings.ReplaceAll(text, "    connection: c", "    connection: x"),
	} {
		b.Run(name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "queuefleet.yml")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Load(file); (err == nil) != (name == "good") {
					b.Fatal(err)
				}
			}
		})
	}
}
