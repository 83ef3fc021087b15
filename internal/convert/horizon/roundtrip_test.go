package horizon

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/generate/laravel"
)

// includes is an application that has nothing of its own but what it includes.
var includes = map[string]string{
	"app":      "['name' => 'shop', 'env' => 'production']",
	"database": "['redis' => array_replace(['client' => 'phpredis', 'options' => ['prefix' => 'own_'], 'default' => ['url' => 'redis://own']], require __DIR__.'/queuefleet/database.php')]",
	"queue":    "['connections' => array_replace_recursive(['redis' => ['retry_after' => 1]], require __DIR__.'/queuefleet/queue.php')]",
	"horizon":  "array_replace(['waits' => ['redis:default' => 1], 'defaults' => ['x' => []], 'environments' => ['local' => []]], require __DIR__.'/queuefleet/horizon.php')",
}

// random makes configurations of what both sides can say.
type random struct{ *rand.Rand }

func (r random) seconds(from, to int) configs.Duration {
	return configs.Duration(from+r.IntN(to-from+1)) * second
}

func (r random) text() string {
	const letters = `abcXYZ019 '"\$#{}=%&@:/?üß€` + "`"
	runes := []rune(letters)
	var b strings.Builder
	for range 1 + r.IntN(12) {
		b.WriteRune(runes[r.IntN(len(runes))])
	}
	return b.String()
}

func (r random) connection(name string) configs.Connection {
	c := configs.NewConnection(name)
	c.Environment = "production"
	c.Database = r.IntN(5)
	host := []string{"redis.eu", "10.0.0.1", "[2001:db8::1]"}[r.IntN(3)]
	switch c.Address = fmt.Sprintf("%s:%d", host, 1+r.IntN(65535)); r.IntN(5) {
	case 0:
		c.Address = "unix:///run/" + name + ".sock"
	case 1:
		c.Address, c.Database = "", 0
		c.Cluster = &configs.Cluster{Addresses: []string{"a.eu:7000", "b.eu:7001"}[:1+r.IntN(2)]}
	}
	if r.IntN(2) == 0 && !strings.HasPrefix(c.Address, "unix") {
		c.TLS = &configs.TLS{MinVersion: []string{"TLS12", "TLS13"}[r.IntN(2)], InsecureSkipVerify: r.IntN(4) == 0}
		if r.IntN(2) == 0 {
			c.TLS.ServerName = "name.eu"
		}
	}
	if r.IntN(3) > 0 {
		c.Password = configs.NewSecret(r.text())
		if r.IntN(2) == 0 {
			c.Username = "user" + name
		}
	}
	c.Options.KeyPrefix = []string{"shop_database_", "x:", "it's \\ a prefix "}[r.IntN(3)]
	return c
}

func (r random) queue(i int, connection string) configs.Queue {
	q := configs.NewQueue(fmt.Sprintf("shop-q%d", i), "shop", connection)
	for j := range 1 + r.IntN(4) {
		q.QueueNames = append(q.QueueNames, fmt.Sprintf("%s%d-%d", []string{"high", "{x}", "a.b:c", "it's"}[r.IntN(4)], i, j))
	}
	q.Balance = []string{"auto", "simple", "off"}[r.IntN(3)]
	q.AutoScalingStrategy = []string{"time", "size"}[r.IntN(2)]
	q.MinProcesses = 1 + r.IntN(5)
	q.MaxProcesses = q.MinProcesses + r.IntN(50)
	q.BalanceMaxShift = 1 + r.IntN(5)
	q.BalanceCooldown = r.seconds(0, 10)
	q.MaxWait = r.seconds(1, 4000)
	q.Timeout = r.seconds(1, 8000)
	q.RetryAfter = q.Timeout + r.seconds(10, 500)
	q.Tries, q.MaxJobs, q.Nice = r.IntN(9), r.IntN(3)*500, r.IntN(40)-20
	q.Memory = configs.Bytes(1+r.IntN(2000)) << 20
	q.Backoff, q.MaxTime = r.seconds(0, 100), r.seconds(0, 9000)
	q.Sleep = []configs.Duration{0, second / 4, 3 * second}[r.IntN(3)]
	q.Rest = []configs.Duration{0, second / 10, second}[r.IntN(3)]
	q.Worker = configs.NewWorker("horizon")
	q.Worker.QueueConnection, q.Worker.Directory = []string{"redis", "redis-%d", "q_%d"}[r.IntN(3)], "/srv/shop"
	if q.Worker.QueueConnection != "redis" {
		q.Worker.QueueConnection = fmt.Sprintf(q.Worker.QueueConnection, i)
	} else if i > 0 {
		q.Worker.QueueConnection = fmt.Sprintf("more-%d", i)
	}
	return q
}

func (r random) fleet(t *testing.T) *configs.Config {
	t.Helper()
	e := configs.Entries{PlainSecrets: true}
	app := configs.NewApplication("shop")
	for i := range 1 + r.IntN(4) {
		name := fmt.Sprintf("shop-c%d", i)
		if i == 0 {
			name = "shop-default"
		}
		e.Connections = append(e.Connections, r.connection(name))
		app.Connections = append(app.Connections, configs.ApplicationConnection{Connection: name, Primary: i == 0, Priority: 10 * (i + 1), Active: true})
	}
	app.Horizon = &configs.KeySpace{Connection: app.Connections[r.IntN(len(app.Connections))].Connection, Prefix: "h:"}
	e.Applications = append(e.Applications, app)
	for i := range 1 + r.IntN(6) {
		e.Queues = append(e.Queues, r.queue(i, e.Connections[r.IntN(len(e.Connections))].Name))
	}
	text, err := e.YAML()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := configs.Parse("random.yml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

// write lays out the application of a configuration and says where it is.
func write(t *testing.T, dir string, cfg *configs.Config) Source {
	t.Helper()
	plan, err := laravel.New(cfg, "shop", laravel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range plan.Warnings {
		if !strings.Contains(w, "a Redis Cluster") {
			t.Errorf("a warning of what both can say: %s", w)
		}
	}
	files, err := plan.Render(laravel.SourceOf(cfg, "random.yml"), laravel.FormatPHP)
	if err != nil {
		t.Fatal(err)
	}
	variables, err := plan.RenderVariables(filepath.Join(dir, ".env"))
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config")
	if err := os.MkdirAll(filepath.Join(config, "queuefleet"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, variables) { // without waiting for the disk
		path := f.Name
		if !filepath.IsAbs(path) {
			path = filepath.Join(config, "queuefleet", path)
		}
		if err := os.WriteFile(path, []byte(f.Text), f.Mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range includes {
		if err := os.WriteFile(filepath.Join(config, name+".php"), []byte("<?php\nreturn "+text+";\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Source{ConfigDir: config}
}

// What is generated from a configuration is imported as that configuration.
func TestRoundTrip(t *testing.T) {
	const n = 200
	seed := rand.Uint64()
	r := random{rand.New(rand.NewPCG(seed, 0))}
	dir := t.TempDir()
	fleets, sources := make([]*configs.Config, n), make([]Source, n)
	for i := range n {
		fleets[i] = r.fleet(t)
		sources[i] = write(t, filepath.Join(dir, fmt.Sprint(i)), fleets[i])
	}
	list, err := Evaluate(t.Context(), interpreter(t), sources...)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for i, e := range list {
		found, err := Convert(e, Options{Application: "shop", Directory: "/srv/shop"})
		if err != nil {
			t.Fatalf("seed %d, %d: %v", seed, i, err)
		}
		for _, p := range found.Passwords {
			for j := range found.Connections {
				if c := &found.Connections[j]; c.Name == p.Connection {
					c.Password = p.Value
				}
			}
		}
		if len(found.Warnings) > 1 { // the environment * is not imported
			t.Errorf("seed %d, %d: warnings %q", seed, i, found.Warnings)
		}
		entries := configs.Entries{Connections: found.Connections, Applications: found.Applications, Queues: found.Queues, PlainSecrets: true, AllOptions: i%2 == 0}
		text, err := entries.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := configs.Parse("random.yml", text)
		if err != nil {
			t.Fatalf("seed %d, %d: %v\n%s", seed, i, err, text)
		}
		for _, d := range configs.Diff(fleets[i], again) {
			t.Errorf("seed %d, %d: %s", seed, i, d)
		}
		for j := range fleets[i].Connections { // a difference of passwords is not shown
			a := &fleets[i].Connections[j]
			if b, ok := again.Connection(a.Name); !ok || a.Password != b.Password {
				t.Errorf("seed %d, %d: the password of %s was %q", seed, i, a.Name, a.Password.Reveal())
			}
		}
		if t.Failed() {
			return
		}
	}
}
