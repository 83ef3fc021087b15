package drill

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

const (
	prefix         = "laravel_database_"
	tenantPassword = "tenants-of-the-drill"
)

// rawJob is what pushRaw pushes.
const rawJob = `<?php
namespace App\Jobs;
class Raw {
    public function fire($job, $data) {
        usleep(1000 * $data['ms']);
        if ($data['fail'] === 'throw') {
            throw new \RuntimeException('asked to fail');
        }
        $job->delete();
    }
}
`

// fleet is everything that runs during the drill.
type fleet struct {
	t   *testing.T
	dir string

	main, tenants, store, replica *redistest.Server
	app                           *laraveltest.App
	exporter, supervisor          *program
	prometheus, alertmanager      *program
	hooks                         *hooks

	horizonDead atomic.Bool

	stop context.CancelFunc // of the traffic
	done chan struct{}
}

// startFleet starts all of it and returns once Prometheus has scraped both
// programs and there is traffic.
func startFleet(t *testing.T) *fleet {
	t.Helper()
	live(t)
	f := &fleet{t: t, dir: t.TempDir()}
	f.main = redistest.Start(t, redistest.Options{Lines: []string{"maxmemory 256mb", "maxmemory-policy noeviction"}})
	f.tenants = redistest.Start(t, redistest.Options{RequirePass: tenantPassword, Lines: []string{"maxmemory 256mb"}})
	f.store = redistest.Start(t, redistest.Options{Lines: []string{"maxmemory 256mb", "appendonly yes", "save 3600 100000"}})
	f.replica = redistest.Start(t, redistest.Options{Lines: []string{fmt.Sprintf("replicaof 127.0.0.1 %d", f.store.Port)}})
	f.app = laraveltest.New(t, f.main.Addr)
	if err := os.WriteFile(filepath.Join(f.app.Dir, "app/Jobs/Raw.php"), []byte(rawJob), 0o600); err != nil {
		t.Fatal(err)
	}
	f.write("crash.sh", "#!/bin/sh\n[ -e crash ] && exit 1\necho $$ > worker.pid\nexec sleep 100000\n", 0o755)
	f.write("tenants.password", tenantPassword+"\n", 0o600)
	f.configure(nil)
	f.startPrograms()
	f.giveHistory()
	f.startWatchers()
	f.startTraffic()
	return f
}

// giveHistory lets servers tell what they only tell once it has happened: a
// save, a rewrite, a slow command, an error.
func (f *fleet) giveHistory() {
	f.t.Helper()
	ctx := f.t.Context()
	for _, client := range []*redis.Client{f.main.Client(), f.store.Client()} {
		commands := [][]any{
			{"CONFIG", "SET", "slowlog-log-slower-than", "0"}, {"SET", "history", "1"}, {"CONFIG", "SET", "slowlog-log-slower-than", "10000"},
			{"BGSAVE"},
		}
		for _, command := range commands {
			if err := client.Do(ctx, command...).Err(); err != nil {
				f.t.Fatalf("%v: %v", command, err)
			}
		}
		_ = client.Do(ctx, "LPUSH", "history", "wrong type").Err()
	}
}

func (f *fleet) path(name string) string { return filepath.Join(f.dir, name) }

func (f *fleet) write(name, text string, mode os.FileMode) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(text), mode); err != nil {
		f.t.Fatal(err)
	}
}

// configure writes the configuration, changed as the fault of the day wants it.
func (f *fleet) configure(change func(string) string) {
	f.t.Helper()
	user := ""
	if os.Geteuid() == 0 {
		user = "user: root, "
	}
	laravel := fmt.Sprintf("worker: {preset: laravel, command: [php, artisan, \"queue:work\"], directory: %q, %s}", f.app.Dir, strings.TrimSuffix(user, ", "))
	text := fmt.Sprintf(`
global: {environment: production, probe_timeout: 1s}
defaults:
  connection: {region: here}
  queue: {max_wait: 3s, objective: 0.9, key_prefix: %[1]s, sleep: 1s, timeout: 20s, retry_after: 60s}
connections:
  - {name: main, address: %[2]q, team: web}
  - {name: tenants, address: %[3]q, team: crm, password_file: tenants.password, credentials_expire_at: %[4]s}
  - {name: store, address: %[5]q, team: web}
  - {name: replica, address: %[6]q, team: web}
applications:
  - slug: shop
    name: Web shop
    description: What the drill sells.
    color: "#3B82F6"
    icon: shopping-cart
    team: web
    connections: [{connection: main, primary: true}]
    cache: {connection: main, prefix: laravel_cache}
  - {slug: crm, name: CRM, description: What the drill's tenants use., color: "#10B981", icon: users, team: crm, connections: [{connection: tenants, primary: true}]}
  - {slug: legacy, name: Legacy, description: What still runs Horizon., team: web, connections: [{connection: main, primary: true}], horizon: {connection: main, prefix: %[11]q}}
queues:
  - {name: shop, application: shop, connection: main, queue_names: [high, default], max_processes: 4, balance_max_shift: 4, balance_cooldown: 1s, %[7]s}
  - {name: crm, application: crm, connection: tenants, queue_names: [default], max_processes: 2, %[7]s}
  - name: reports
    application: shop
    connection: main
    queue_names: [reports]
    worker: {preset: exec, command: [%[8]q], %[9]sdirectory: %[10]q}
  - {name: archive, application: shop, connection: main, queue_names: [archive]}
  - {name: legacy, application: legacy, connection: main, queue_names: [legacy]}
`, prefix, f.main.Addr, f.tenants.Addr, time.Now().AddDate(1, 0, 0).Format(time.DateOnly), f.store.Addr, f.replica.Addr, laravel, f.path("crash.sh"), user, f.dir, horizonPrefix)
	if change != nil {
		text = change(text)
	}
	f.write("queuefleet.yml", text, 0o600)
}

// reload makes both programs read the configuration.
func (f *fleet) reload() {
	f.exporter.hangUp()
	f.supervisor.hangUp()
}

func (f *fleet) socket() string { return f.path("supervisor.sock") }

func (f *fleet) startPrograms() {
	f.t.Helper()
	f.exporter = start(f.t, filepath.Join(programs.dir, "queuefleet_exporter"), "/-/ready",
		"--config.file="+f.path("queuefleet.yml"), "--web.listen-address=%ADDR%", "--web.control-socket="+f.path("exporter.sock"))
	f.supervisor = start(f.t, filepath.Join(programs.dir, "queuefleet_supervisor"), "/-/ready",
		"--config.file="+f.path("queuefleet.yml"), "--web.listen-address=%ADDR%", "--web.control-socket="+f.socket())
}

func (f *fleet) startWatchers() {
	f.t.Helper()
	var hook string
	f.hooks, hook = startHooks(f.t)
	hastenRouting(f.t, filepath.Join(root, "alerts/alertmanager/alertmanager.yml"), f.path("alertmanager.yml"), hook)
	f.alertmanager = start(f.t, "prometheus-alertmanager", "/-/ready", "--config.file="+f.path("alertmanager.yml"),
		"--storage.path="+f.path("alertmanager"), "--web.listen-address=%ADDR%", "--cluster.listen-address=")

	hastenRules(f.t, filepath.Join(root, "alerts/queuefleet-rules.yaml"), f.path("rules.yml"))
	hastenRules(f.t, filepath.Join(root, "alerts/queuefleet-alerts.yaml"), f.path("alerts.yml"))
	f.write("prometheus.yml", fmt.Sprintf(`
global: {scrape_interval: %[1]v, scrape_timeout: %[1]v, evaluation_interval: %[1]v}
rule_files: [rules.yml, alerts.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [%[2]q]}]}]}
scrape_configs:
  - {job_name: queuefleet_exporter, honor_labels: true, static_configs: [{targets: [%[3]q]}]}
  - {job_name: queuefleet_supervisor, honor_labels: true, static_configs: [{targets: [%[4]q]}]}
  - {job_name: alertmanager, static_configs: [{targets: [%[2]q]}]}
  - {job_name: prometheus, static_configs: [{targets: [PROMETHEUS]}]}
`, scrapeInterval, f.alertmanager.addr, f.exporter.addr, f.supervisor.addr), 0o600)
	f.prometheus = f.startPrometheus()
}

// startPrometheus writes Prometheus' own address into its configuration once it
// is known.
func (f *fleet) startPrometheus() *program {
	f.t.Helper()
	addr := redistest.FreeAddr(f.t)
	text, err := os.ReadFile(f.path("prometheus.yml"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.write("prometheus.yml", strings.ReplaceAll(string(text), "PROMETHEUS", fmt.Sprintf("%q", addr)), 0o600)
	p := &program{t: f.t, name: "prometheus", addr: addr, log: &output{}, args: []string{
		"--config.file=" + f.path("prometheus.yml"), "--storage.tsdb.path=" + f.path("prometheus"), "--web.listen-address=" + addr}}
	f.t.Cleanup(func() {
		p.kill()
		if f.t.Failed() {
			text := p.log.String()
			f.t.Logf("the end of Prometheus' log:\n%s", text[max(0, len(text)-3000):])
		}
	})
	p.run("/-/ready")
	return p
}

// startTraffic pushes jobs, in the form of older Laravels through the framework
// itself and in that of newer ones, which say when they were made.
func (f *fleet) startTraffic() {
	ctx, stop := context.WithCancel(context.Background())
	f.stop, f.done = stop, make(chan struct{})
	main, tenants := f.main.Client(), f.tenants.Client()
	f.app.Push(50, "default", laraveltest.Job{Milliseconds: 5})
	go func() {
		defer close(f.done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// What cannot be pushed is the fault of the hour.
			_ = pushRaw(ctx, main, []string{"high", "default"}[n%2], n, "")
			_ = pushRaw(ctx, tenants, "default", n, "")
			if !f.horizonDead.Load() {
				_ = beat(ctx, main)
			}
		}
	}()
	f.t.Cleanup(f.endTraffic)
}

func (f *fleet) endTraffic() {
	f.stop()
	<-f.done
}

// pushRaw puts a job into a queue as Laravel 12 writes it.
func pushRaw(ctx context.Context, client *redis.Client, queue string, n int, fail string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	payload := fmt.Sprintf(`{"uuid":"%032d","id":"%032d","displayName":"App\\Jobs\\Raw","job":"App\\Jobs\\Raw@fire","maxTries":1,"maxExceptions":null,`+
		`"failOnTimeout":false,"backoff":null,"timeout":null,"data":{"ms":5,"fail":%q},"createdAt":%d,"delay":null,"attempts":0}`, n, n, fail, time.Now().Unix())
	pipe := client.Pipeline()
	pipe.RPush(ctx, prefix+"queues:"+queue, payload)
	pipe.RPush(ctx, prefix+"queues:"+queue+":notify", 1)
	_, err := pipe.Exec(ctx)
	return err
}
