package laravel

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// includes are the files of an application whose own configuration, kept
// beside, includes the generated files as docs/laravel.md shows it.
var includes = map[string]string{
	"database": "$own = require __DIR__.'/../own/database.php';\n" +
		"$own['redis'] = array_replace($own['redis'], require __DIR__.'/queuefleet/database.php');\nreturn $own;\n",
	"queue": "$own = require __DIR__.'/../own/queue.php';\n" +
		"$own['connections'] = array_replace_recursive($own['connections'], require __DIR__.'/queuefleet/queue.php');\nreturn $own;\n",
	"horizon": "return array_replace(['middleware' => ['web'], 'waits' => ['redis:default' => 1], 'defaults' => ['supervisor-1' => []]], " +
		"require __DIR__.'/queuefleet/horizon.php');\n",
}

// include makes an application's configuration include the generated files.
func include(t *testing.T, app *laraveltest.App) {
	t.Helper()
	config := filepath.Join(app.Dir, "config")
	for _, dir := range []string{filepath.Join(app.Dir, "own"), filepath.Join(config, "queuefleet")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range includes {
		path := filepath.Join(config, name+".php")
		if name != "horizon" {
			if err := os.Rename(path, filepath.Join(app.Dir, "own", name+".php")); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte("<?php\n\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// password is one that every kind of quoting has trouble with.
const password = `p'w"$x\#{y} =%ü`

// servers are the real ones of the test's fleet.
type servers struct {
	tls, socket, third *redistest.Server
	cluster            *redistest.Cluster
}

// startFleet starts servers and returns their configuration.
func startFleet(t *testing.T) (servers, *configs.Config) {
	t.Helper()
	user := `app on ">` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(password) + `" ~* &* +@all`
	s := servers{
		tls:     redistest.Start(t, redistest.Options{MutualTLS: true, Users: []string{user}}),
		socket:  redistest.Start(t, redistest.Options{UnixSocket: true, RequirePass: "hunter2"}),
		third:   redistest.Start(t, redistest.Options{}),
		cluster: redistest.StartCluster(t, redistest.Options{RequirePass: "hunter2"}),
	}
	quoted, err := json.Marshal(password)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := json.Marshal(s.cluster.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	pki := s.tls.PKI
	return s, load(t, fmt.Sprintf(`
connections:
  - {name: shop-eu, address: "%s", username: app, password: %s, tls: {ca_file: %s, cert_file: %s, key_file: %s}}
  - {name: mail, address: "unix://%s", password: hunter2}
  - {name: third, address: "%s", database: 5}
  - {name: shop-nodes, cluster: {addresses: %s}, password: hunter2}
applications:
  - slug: shop
    connections: [{connection: shop-eu, primary: true}, {connection: mail, priority: 1}, {connection: third, priority: 2}, {connection: shop-nodes, priority: 3}]
    horizon: {connection: third, prefix: "h:"}
queues:
  - {name: a, application: shop, connection: shop-eu, queue_names: [high, low], key_prefix: "shop_", retry_after: 100s}
  - {name: b, application: shop, connection: mail, queue_names: [mails]}
  - {name: c, application: shop, connection: third, queue_names: [default], worker: {preset: horizon, queue_connection: redis-third}}
  - {name: d, application: shop, connection: shop-nodes, queue_names: ["{nodes}"]}
`, s.tls.Addr, quoted, pki.CA, pki.ClientCert, pki.ClientKey, s.socket.Socket, s.third.Addr, nodes))
}

// generate writes the application's files as the command does it.
func generate(t *testing.T, p *Plan, app *laraveltest.App, format string) {
	t.Helper()
	files, err := p.Render(Source{Files: []string{"test.yml"}, Hash: "x"}, format)
	if err != nil {
		t.Fatal(err)
	}
	variables, err := p.RenderVariables(filepath.Join(app.Dir, ".env"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(t.Context(), interpreter(t), files); err != nil {
		t.Fatal(err)
	}
	changes, err := Compare(filepath.Join(app.Dir, "config/queuefleet"), append(files, variables), func(s string) string { return s })
	if err != nil {
		t.Fatal(err)
	}
	if err := Apply(changes); err != nil {
		t.Fatal(err)
	}
}

// show returns parts of the configuration that Laravel itself has loaded.
func show(t *testing.T, app *laraveltest.App, keys ...string) map[string]any {
	t.Helper()
	script, err := filepath.Abs("testdata/show.php")
	if err != nil {
		t.Fatal(err)
	}
	cmd := app.Command()
	cmd.Args = append([]string{"php", script}, keys...)
	out, err := cmd.CombinedOutput()
	var parts map[string]any
	if err == nil {
		err = json.Unmarshal(out, &parts)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return parts
}

// resolved is a value as the application has it, in JSON's terms.
func resolved(t *testing.T, v value, variables []Variable) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	var walk func(any) any
	walk = func(one any) any {
		switch one := one.(type) {
		case map[string]any:
			if name, ok := one[envKey]; ok {
				for _, v := range variables {
					if v.Name == name {
						return v.Value.Reveal()
					}
				}
				t.Fatalf("there is no variable %v", name)
			}
			for k := range one {
				one[k] = walk(one[k])
			}
			if len(one) == 0 {
				return []any{} // PHP has one kind of empty array
			}
			return one
		case []any:
			for i := range one {
				one[i] = walk(one[i])
			}
			return one
		default:
			return one
		}
	}
	return walk(plain)
}

// merged holds the configuration that Laravel has loaded against the plan.
func merged(t *testing.T, p *Plan, all map[string]any) {
	t.Helper()
	for _, c := range []struct {
		part string
		want table
	}{{"database.redis", p.redisTable()}, {"queue.connections", p.queueTable()}, {"horizon", p.horizonTable()}} {
		got, _ := all[c.part].(map[string]any)
		for key, want := range resolved(t, c.want, p.Variables()).(map[string]any) {
			if queue, ok := got[key].(map[string]any); ok && c.part == "queue.connections" && key == defaultQueue {
				if _, kept := queue["block_for"]; !kept {
					t.Errorf("%s.%s: the application's own block_for is gone", c.part, key)
				}
				delete(queue, "block_for")
			}
			if d := cmp.Diff(want, got[key]); d != "" {
				t.Errorf("%s.%s: %s", c.part, key, d)
			}
		}
	}
	if client := all["database.redis"].(map[string]any)["client"]; client != "phpredis" {
		t.Errorf("the application's own client is gone: %v", client)
	}
}

// work has the application push and work jobs on each connection by the names
// that were generated.
func work(t *testing.T, app *laraveltest.App, s servers) {
	t.Helper()
	const n = 100
	for _, c := range []struct{ connection, queue string }{
		{"redis", "high"}, {"mail", "mails"}, {"redis-third", "default"}, {"nodes", "{nodes}"},
	} {
		app.Artisan("push", strconv.Itoa(n), "--connection="+c.connection, "--queue="+c.queue)
		app.Work(c.connection, "--queue="+c.queue, "--stop-when-empty")
		got, err := s.tls.Client().GetDel(t.Context(), "shop_done:"+c.queue).Int()
		if got != n {
			t.Errorf("%s: %d jobs of %s were done, want %d (%v)", c.connection, got, c.queue, n, err)
		}
	}
	for what, server := range map[string]*redistest.Server{"mail": s.socket, "third": s.third} {
		info := server.Client().Info(t.Context(), "commandstats").Val()
		if !strings.Contains(info, "cmdstat_rpush:calls=") { // by the scripts
			t.Errorf("no job was pushed to the server of %s:\n%s", what, info)
		}
	}
}

// A real application works jobs on every kind of server that Laravel can
// reach: with the files that its configuration includes, and by the package.
func TestApplication(t *testing.T) {
	laraveltest.New(t, "127.0.0.1:1") // skips where there is no Laravel
	s, cfg := startFleet(t)
	p, err := New(cfg, "shop", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("files", func(t *testing.T) {
		app := laraveltest.New(t, "127.0.0.1:1") // nothing is at the application's own address
		include(t, app)
		generate(t, p, app, FormatPHP)
		merged(t, p, show(t, app, "database.redis", "queue.connections", "horizon"))
		work(t, app, s)
	})
	t.Run("package", func(t *testing.T) { applicationByPackage(t, p, s) })
}
