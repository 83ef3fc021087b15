package preset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/proc"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// databaseFile is a config/database.php that makes use of a user name, which
// this version of the framework hands on only as a part of the password.
const databaseFile = `<?php
return ['default' => 'none', 'connections' => ['none' => ['driver' => 'sqlite', 'database' => ':memory:']], 'migrations' => 'migrations', 'redis' => [
    'client' => 'phpredis', 'options' => ['prefix' => 'laravel_database_'],
    'default' => ['url' => getenv('REDIS_URL'), 'host' => getenv('REDIS_HOST'), 'port' => getenv('REDIS_PORT'), 'database' => getenv('REDIS_DB'),
        'scheme' => getenv('REDIS_SCHEME') ?: null, 'password' => [getenv('REDIS_USERNAME') ?: 'default', getenv('REDIS_PASSWORD')]],
    'wired' => ['host' => '10.0.0.9', 'port' => 6379, 'password' => 'never-to-be-shown'],
    'clusters' => ['many' => [['host' => '10.0.0.9', 'port' => 6379]]],
]];`

// bootFile is what an application is made of for config:cache.
const bootFile = `<?php
$app = new Illuminate\Foundation\Application(dirname(__DIR__));
$app->singleton(Illuminate\Contracts\Console\Kernel::class, App\Console::class);
$app->singleton(Illuminate\Contracts\Debug\ExceptionHandler::class, Illuminate\Foundation\Exceptions\Handler::class);
return $app;`

// queueFile has queue connections of every kind.
const queueFile = `<?php
$redis = fn ($name) => ['driver' => 'redis', 'connection' => $name, 'queue' => 'default', 'retry_after' => 90];
return ['default' => 'redis', 'failed' => ['driver' => 'null'], 'connections' => [
    'redis' => $redis('default'), 'wired' => $redis('wired'), 'many' => $redis('many'), 
]];`

// bed is an application with its Redis, and a runner.
type bed struct {
	t      *testing.T
	server *redistest.Server
	app    *laraveltest.App
	*runner
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t, server: redistest.Start(t, redistest.Options{
		UnixSocket: true, RequirePass: "default-" + password, Users: []string{"app on >" + password + " ~* &* +@all"},
	})}
	b.app = laraveltest.New(t, b.server.Addr, "REDIS_USERNAME=app", "REDIS_PASSWORD="+password, "REDIS_DB=3")
	for name, text := range map[string]string{"config/database.php": databaseFile, "config/queue.php": queueFile, "bootstrap/app.php": bootFile} {
		b.write(name, text)
	}
	// The worker's user must get there, and write what the framework writes.
	for _, dir := range []string{"..", "bootstrap/cache", "storage/logs", "storage/framework/cache/data"} {
		if err := os.Chmod(filepath.Join(b.app.Dir, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	b.runner = newRunner(t)
	return b
}

func (b *bed) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.app.Dir, name), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// input is a configuration of one pool for the application.
func (b *bed) input(queue, worker string) Input {
	b.t.Helper()
	return input(b.t, fmt.Sprintf(`
connections: [{name: eu, address: %q, username: app, password: %s, database: 3}]
applications: [{slug: shop, connections: [{connection: eu}]}]
queues: [{application: shop, connection: eu, queue_names: [high, default], sleep: 100ms, rest: 1ms%s, worker: {%sdirectory: %s%s}}]
`, b.server.Addr, password, after(queue), asUser(), b.app.Dir, after(worker)))
}

// A worker as the preset makes it does the jobs of the Redis that the
// configuration names, whatever the application has cached, and nothing of it
// can be seen by others.
func TestLaravelWorks(t *testing.T) {
	b := newBed(t)
	other := redistest.Start(t, redistest.Options{})
	cache := b.app.Command("config:cache")
	cache.Env = append(cache.Env, "REDIS_PORT="+strconv.Itoa(other.Port), "REDIS_PASSWORD=", "REDIS_USERNAME=")
	if out, err := cache.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cached := filepath.Join(b.app.Dir, "bootstrap/cache/config.php")
	if text, err := os.ReadFile(cached); err != nil || !bytes.Contains(text, []byte(strconv.Itoa(other.Port))) {
		t.Fatalf("the other Redis is not cached: %v", err)
	}
	t.Setenv("QUEUEFLEET_TEST_INHERITED", "yes")
	in := b.input("max_jobs: 3", "")
	p := laravel()
	var err error
	if in.Version, err = p.Probe(t.Context(), b.run, in); err != nil || in.Version.String() != "8.83.26" {
		t.Fatalf("the version is %v: %v", in.Version, err)
	}
	if err := p.Prove(t.Context(), b.run, in); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(cached, cached+".away"); err != nil { // for the pushes, which have no preset
		t.Fatal(err)
	}
	b.app.Push(2, "high", laraveltest.Job{})
	b.app.Push(1, "default", laraveltest.Job{Milliseconds: 300})
	if err := os.Rename(cached+".away", cached); err != nil {
		t.Fatal(err)
	}
	spec, err := p.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := proc.Check(&spec); err != nil {
		t.Fatal(err)
	}
	events := b.work(p, spec)
	want := []told{
		{Kind: JobStarted, Job: work}, {Kind: JobProcessed, Job: work}, {Kind: JobStarted, Job: work}, {Kind: JobProcessed, Job: work},
		{Kind: JobStarted, Job: work}, {Kind: JobProcessed, Job: work},
	}
	got := tell(events)
	for i := range got {
		if got[i].ID == "" || (got[i].Kind == JobProcessed && got[i].Duration < 0) {
			t.Errorf("event %d is %+v", i, events[i])
		}
		got[i].ID, got[i].Duration = "", 0
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events (-want +got)\n%s", d)
	}
	client := b.server.Client()
	if err := client.Do(t.Context(), "SELECT", 3).Err(); err != nil {
		t.Fatal(err)
	}
	for queue, n := range map[string]string{"high": "2", "default": "1"} {
		if done := client.Get(t.Context(), "laravel_database_done:"+queue).Val(); done != n {
			t.Errorf("%q jobs of %s are done, want %s", done, queue, n)
		}
	}
	if n := other.Client().DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("the other Redis has %d keys", n)
	}
}

// standIn is a frankenphp that has only what the preset uses of it: its php-cli
// runs a script as PHP does.
const standIn = `#!/bin/sh
[ "$1" = php-cli ] || { echo "frankenphp: no $1 here" >&2; exit 2; }
shift
exec php "$@"
`

// FrankenPHP's workers are Laravel's, from the version to the last job, with the
// defaults of the configuration and no word about the command.
func TestFrankenPHPWorks(t *testing.T) {
	b := newBed(t)
	b.write("frankenphp", standIn)
	if err := os.Chmod(filepath.Join(b.app.Dir, "frankenphp"), 0o755); err != nil {
		t.Fatal(err)
	}
	in := b.input("max_jobs: 2", "preset: frankenphp, environment: {PATH: '"+b.app.Dir+":/usr/bin:/bin'}")
	p, ok := Find("frankenphp")
	if !ok {
		t.Fatal("there is no such preset")
	}
	var err error
	if in.Version, err = p.Probe(t.Context(), b.run, in); err != nil || in.Version.String() != "8.83.26" {
		t.Fatalf("the version is %v: %v", in.Version, err)
	}
	if err := p.Prove(t.Context(), b.run, in); err != nil {
		t.Fatal(err)
	}
	b.app.Push(2, "default", laraveltest.Job{})
	spec, err := p.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if spec.Path != filepath.Join(b.app.Dir, "frankenphp") || spec.Args[1] != "php-cli" || spec.MemoryMax != 512<<20 {
		t.Errorf("%s %q, memory %d", spec.Path, spec.Args, spec.MemoryMax)
	}
	parser := p.NewParser()
	var told []JobEvent // only written by who reads the output, which has ended when run returns
	exit, err := b.run(t.Context(), proc.Launch{Spec: spec, Name: "test", Observe: func(l proc.Line) { told = append(told, parser.Line(l)...) }})
	if err != nil || exit.Status != 0 {
		t.Fatalf("the worker ended with %+v, %v", exit, err)
	}
	done := 0
	for _, e := range told {
		if e.Kind == JobProcessed {
			done++
		}
	}
	if done != 2 {
		t.Errorf("%d jobs are done, want 2", done)
	}
}

// work runs a worker to its end and looks at it while it has a job.
func (b *bed) work(p Preset, spec proc.Spec) []JobEvent {
	b.t.Helper()
	parser := p.NewParser()
	var mu sync.Mutex
	var told []JobEvent
	var output []string
	busy := make(chan struct{})
	child, events := b.start(proc.Launch{Spec: spec, Name: "test", Observe: func(l proc.Line) {
		mu.Lock()
		defer mu.Unlock()
		output = append(output, l.Text)
		for _, e := range parser.Line(l) {
			if told = append(told, e); len(told) == 1 {
				close(busy)
			}
		}
	}})
	for {
		select {
		case <-busy:
			busy = nil
			b.inspect(p, child, spec)
		case e := <-events:
			if e.Kind == proc.Failed {
				b.t.Fatal(e.Err)
			}
			if e.Kind == proc.Exited && e.Exit.Status != 0 {
				b.t.Errorf("the worker ended with %v", e.Exit.Status)
			}
			if e.Kind != proc.Gone {
				continue
			}
			mu.Lock()
			defer mu.Unlock()
			if b.t.Failed() || busy != nil {
				b.t.Fatalf("the output is\n%s", strings.Join(output, "\n"))
			}
			return append(told, parser.End(true)...)
		}
	}
}

// inspect looks at a worker as others can see it.
func (b *bed) inspect(p Preset, child *proc.Child, spec proc.Spec) {
	b.t.Helper()
	dir := fmt.Sprintf("/proc/%d/", child.PID())
	environment, err := os.ReadFile(dir + "environ")
	if err != nil {
		b.t.Error(err)
	}
	var names []string
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(environment), "\x00"), "\x00") {
		if name, _, _ := strings.Cut(entry, "="); name != "QUEUEFLEET_WORKER" { // proc's own mark
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if d := cmp.Diff(spec.Env.Names(), names); d != "" {
		b.t.Errorf("the environment (-Spec +process)\n%s", d)
	}
	want := []string{"APP_CONFIG_CACHE", "HOME", "LANG", "LOGNAME", "PATH", "REDIS_DB", "REDIS_HOST", "REDIS_PASSWORD", "REDIS_PORT", "REDIS_URL", "REDIS_USERNAME", "USER"}
	if d := cmp.Diff(want, spec.Env.Names()); d != "" {
		b.t.Errorf("the environment is not made of nothing (-want +got)\n%s", d)
	}
	arguments, err := os.ReadFile(dir + "cmdline")
	if err != nil || bytes.Contains(arguments, []byte(password)) || !bytes.Contains(arguments, []byte("--rest=0.001")) {
		b.t.Errorf("the command line is %q, %v", arguments, err)
	}
	if ready, err := child.Catches(p.ReadySignal); err != nil || !ready {
		b.t.Errorf("a worker with a job does not count as ready: %v", err)
	}
}

// The application itself says which Redis it would use.
func TestProof(t *testing.T) {
	b := newBed(t)
	expected := "; expected is connection eu at " + b.server.Addr + "/3"
	scratch := filepath.Join(b.app.Dir, "scratch")
	if err := os.Mkdir(scratch, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", scratch)
	for worker, want := range map[string]string{
		"":                               "",
		"environment: {REDIS_PORT: '1'}": `"redis" uses Redis at 127.0.0.1:1/3: `,
		"environment: {REDIS_URL: 'rediss://me:never-to-be-shown@far:7/9'}": `"redis" uses Redis at tls://far:7/9: `,
		"queue_connection: wired": `"wired" uses Redis at 10.0.0.9:6379/0: `,
		"queue_connection: many":  `"many" uses "many", a Redis Cluster`,
	} {
		err := laravel().Prove(t.Context(), b.run, b.input("", worker))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", worker, err)
			}
			continue
		}
		reason, text := Explain(orNone(err))
		if reason != ReasonWrongConnection || !strings.Contains(text, want) || !strings.HasSuffix(text, expected) ||
			strings.Contains(text, "never-to-be-shown") || strings.Contains(text, password) {
			t.Errorf("%s: the error is %s: %s; want %s", worker, reason, text, want)
		}
	}
	// The right Redis, but a PHP in which no worker handles a signal.
	deaf := &DeafError{}
	in := b.input("", "command: [php, -d, disable_functions=pcntl_async_signals, artisan, 'queue:work']")
	if err := laravel().Prove(t.Context(), b.run, in); !errors.As(err, &deaf) || !strings.Contains(err.Error(), "pcntl") {
		t.Errorf("without pcntl: %v", err)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("%v are left behind: %v", left, err)
	}
}

// Where the application cannot be asked, or does not start, it is said so.
func TestProofImpossible(t *testing.T) {
	b := newBed(t)
	unproven := &UnprovenError{}
	for script, want := range map[string]string{
		`<?php fwrite(STDERR, "broken deploy"); exit(3);`: "the application does not start: it ended with status 3: broken deploy",
		`<?php posix_kill(getmypid(), 9);`:                "the application does not start: it was killed by signal killed: it writes nothing",
	} {
		b.write("artisan", script)
		in := b.input("", "")
		_, err := laravel().Probe(t.Context(), b.run, in)
		if reason, text := Explain(orNone(err)); reason != ReasonProbeFailed || text != want {
			t.Errorf("the version: %s: %s", reason, text)
		}
		if reason, text := Explain(orNone(laravel().Prove(t.Context(), b.run, in))); reason != ReasonProbeFailed || text != want {
			t.Errorf("the connection: %s: %s", reason, text)
		}
	}
	b.write("artisan", `<?php echo "Hello\n";`)
	in := b.input("", "")
	if v, err := laravel().Probe(t.Context(), b.run, in); v.Known() || err != nil {
		t.Errorf("the version is %v, %v", v, err)
	}
	if err := laravel().Prove(t.Context(), b.run, in); !errors.As(err, &unproven) || !strings.Contains(err.Error(), "has no Laravel configuration") {
		t.Errorf("the error is %v", err)
	}
	in = b.input("", "command: [/bin/echo, 'queue:work']")
	if err := laravel().Prove(t.Context(), b.run, in); !errors.As(err, &unproven) || !strings.Contains(err.Error(), "does not run the script") {
		t.Errorf("the error is %v", err)
	}
}

// An application that says nothing is not waited for without end.
func TestProbeDeadline(t *testing.T) {
	r := newRunner(t)
	in := input(t, one("", "", asUser()+"command: [/bin/sh, -c, 'while :; do sleep 1; done', 'queue:work']"))
	stuck := func(ctx context.Context, l proc.Launch) (*proc.Exit, error) {
		ctx, cancel := context.WithTimeout(ctx, 0)
		defer cancel()
		return r.run(ctx, l)
	}
	_, err := laravel().Probe(t.Context(), stuck, in)
	if reason, text := Explain(orNone(err)); reason != ReasonProbeFailed || !strings.Contains(text, "does not end within 20s") {
		t.Errorf("the error is %s: %s", reason, text)
	}
}

// With a socket it is the path that decides.
func TestProofOfSocket(t *testing.T) {
	b := newBed(t)
	in := b.input("", "")
	in.Connection.Address = unixScheme + b.server.Socket
	if err := laravel().Prove(t.Context(), b.run, in); err != nil {
		t.Error(err)
	}
	in.Connection.Address += ".other"
	b.write("config/database.php", strings.ReplaceAll(databaseFile, "getenv('REDIS_HOST')", "'"+b.server.Socket+"'"))
	err := laravel().Prove(t.Context(), b.run, in)
	if reason, text := Explain(orNone(err)); reason != ReasonWrongConnection || !strings.Contains(text, "uses Redis at "+b.server.Socket+"/3") {
		t.Errorf("the error is %s: %s", reason, text)
	}
}
