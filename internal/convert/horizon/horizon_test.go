package horizon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/generate/php"
	"github.com/queuefleet/queuefleet/internal/proc"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) {
	proc.RunStub()
	os.Exit(m.Run())
}

func interpreter(t *testing.T) *php.Interpreter {
	t.Helper()
	redistest.Need(t, "php")
	path, err := php.Find("php")
	if err != nil {
		t.Fatal(err)
	}
	p, err := php.NewProcesses()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return &php.Interpreter{Path: path, Run: p.Run}
}

// application lays out an application of files below its directory.
func application(t *testing.T, files map[string]string) Source {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if strings.HasPrefix(name, "config/") && !strings.HasPrefix(text, "<?php") {
			text = "<?php\nuse Illuminate\\Support\\Str;\nreturn " + text + ";\n"
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Source{ConfigDir: filepath.Join(dir, "config")}
}

func convert(t *testing.T, s Source, o Options) *Found {
	t.Helper()
	list, err := Evaluate(t.Context(), interpreter(t), s)
	if err != nil {
		t.Fatal(err)
	}
	found, err := Convert(list[0], o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// yaml writes what was found as a configuration, which has to load, and
// returns it.
func yaml(t *testing.T, f *Found) *configs.Config {
	t.Helper()
	e := configs.Entries{Connections: f.Connections, Applications: f.Applications, Queues: f.Queues, AllOptions: true}
	text, err := e.YAML()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := configs.Parse("found.yml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

var shop = map[string]string{
	".env": "APP_NAME=\"My Shop\"\nAPP_ENV=production # live\nREDIS_PASSWORD='hunter2 #x'\nREDIS_PORT=6380\nQUICK=\"${REDIS_PORT}\"\n" +
		"MAIL_URL=rediss://app:hunter2%2Fmail@mail.eu:6390/4?verify=1\n",
	"config/app.php": `['name' => env('APP_NAME'), 'env' => env('APP_ENV', 'local'), 'providers' => Illuminate\Support\ServiceProvider::defaultProviders()->toArray()]`,
	"config/database.php": `[
		'connections' => ['mysql' => ['options' => extension_loaded('pdo_mysql') ? array_filter([PDO::MYSQL_ATTR_SSL_CA => env('CA')]) : []]],
		'redis' => [
			'client' => env('REDIS_CLIENT', 'phpredis'),
			'options' => ['cluster' => 'redis', 'prefix' => env('REDIS_PREFIX', Str::slug(env('APP_NAME', 'laravel'), '_').'_database_')],
			'cache' => ['url' => env('REDIS_URL'), 'host' => env('REDIS_HOST', '127.0.0.1'), 'password' => env('REDIS_PASSWORD'), 'port' => env('REDIS_PORT'), 'database' => env('REDIS_CACHE_DB', '1')],
			'default' => ['url' => env('REDIS_URL'), 'host' => env('REDIS_HOST', '127.0.0.1'), 'username' => env('REDIS_USERNAME'), 'password' => env('REDIS_PASSWORD'), 'port' => env('REDIS_PORT', '6379'), 'database' => '0', 'read_timeout' => 60],
			'mail' => ['url' => env('MAIL_URL'), 'host' => 'ignored', 'prefix' => '', 'context' => ['stream' => ['verify_peer' => false, 'cafile' => '/ca.pem', 'crypto_method' => 65]]],
			'socket' => ['scheme' => 'unix', 'path' => '/run/redis.sock', 'host' => '', 'options' => ['prefix' => 's:']],
			'clusters' => ['big' => [['host' => 'a', 'port' => 1], ['host' => 'b', 'port' => 2], 'options' => ['password' => ['u', 'hunter2']]]],
		],
	]`,
	"config/queue.php": `[
		'default' => 'redis', 'connections' => [
			'sync' => ['driver' => 'sync'], 'sqs' => ['driver' => 'sqs'],
			'redis' => ['driver' => 'redis', 'connection' => 'default', 'queue' => env('REDIS_QUEUE', 'default'), 'retry_after' => (int) env('RETRY', 90), 'block_for' => 5, 'after_commit' => false],
			'redis-long' => ['driver' => 'redis', 'connection' => 'mail', 'queue' => 'long', 'retry_after' => 60],
		],
	]`,
	"config/cache.php": `['default' => 'redis', 'stores' => ['redis' => ['driver' => 'redis', 'connection' => 'cache']], 'prefix' => Str::slug(env('APP_NAME'), '_').'_cache']`,
	"config/horizon.php": `[
		'use' => 'default', 'prefix' => env('HORIZON_PREFIX', Str::slug(env('APP_NAME', 'laravel'), '_').'_horizon:'),
		'waits' => ['redis:high' => 30, 'redis:default' => 60, 'redis-long:x,y' => 300, 'other:z' => 1],
		'auth' => function () { return true; },
		'defaults' => ['supervisor-1' => ['connection' => 'redis', 'queue' => ['a', 'b', 'c'], 'balance' => 'auto', 'autoScalingStrategy' => 'size', 'maxProcesses' => 1, 'maxTime' => 0, 'maxJobs' => 0, 'memory' => 256, 'tries' => 1, 'timeout' => 60, 'nice' => 5]],
		'environments' => [
			'local' => ['supervisor-1' => ['maxProcesses' => 3]],
			'prod*' => [
				'supervisor-1' => ['queue' => ['high'], 'min_processes' => 2, 'maxProcesses' => 10, 'balanceMaxShift' => 2, 'balanceCooldown' => '7', 'minProceses' => 3],
				'long' => ['connection' => 'redis-long', 'queue' => 'x, y', 'balance' => 'Auto', 'processes' => 4, 'timeout' => 120, 'backoff' => [1, 5], 'force' => true, 'sleep' => 0.5],
				'aws' => ['connection' => 'sqs', 'queue' => 'x'],
			],
		],
	]`,
}

func TestConvert(t *testing.T) {
	source := application(t, shop)
	found := convert(t, source, Options{Application: "shop", Directory: "/srv/shop"})
	cfg := yaml(t, found)
	var got []string
	for i := range cfg.Connections {
		c := &cfg.Connections[i]
		line := c.Name + " " + c.Address + " " + c.Username + " " + c.Options.KeyPrefix
		if c.Cluster != nil {
			line += strings.Join(c.Cluster.Addresses, ",")
		}
		if c.TLS != nil {
			line += " " + c.TLS.CAFile + " " + c.TLS.MinVersion
		}
		got = append(got, line)
	}
	if d := cmp.Diff([]string{
		"shop-default 127.0.0.1:6380  my_shop_database_", "shop-cache 127.0.0.1:6380  my_shop_database_", "shop-mail mail.eu:6390 app  /ca.pem TLS13",
		"shop-socket unix:///run/redis.sock  s:", "shop-big  u my_shop_database_a:1,b:2",
	}, got); d != "" {
		t.Error(d)
	}
	var passwords []string
	for _, p := range found.Passwords {
		passwords = append(passwords, p.Connection+" "+p.Variable+" "+p.Value.Reveal())
	}
	if d := cmp.Diff([]string{"shop-cache REDIS_PASSWORD hunter2 #x", "shop-default REDIS_PASSWORD hunter2 #x", "shop-mail  hunter2/mail", "shop-big  hunter2"}, passwords); d != "" {
		t.Error(d)
	}
	app := cfg.Applications[0]
	if app.Name != "My Shop" || *app.Horizon != (configs.KeySpace{Connection: "shop-default", Prefix: "my_shop_horizon:"}) ||
		*app.Cache != (configs.KeySpace{Connection: "shop-cache", Prefix: "my_shop_cache"}) || !app.Connections[0].Primary || app.Connections[1].Primary {
		t.Errorf("application %+v", app)
	}
	first := cfg.Queues[0]
	want := configs.NewQueue("shop-supervisor-1", "shop", "shop-default")
	want.QueueNames, want.AutoScalingStrategy, want.MinProcesses, want.BalanceMaxShift = []string{"high", "b", "c"}, "size", 2, 2 // merged by index, as Horizon does
	want.BalanceCooldown, want.Memory, want.Tries, want.Nice, want.MaxJobs, want.MaxTime = 7*second, 256<<20, 1, 5, 0, 0
	worker := *first.Worker
	first.Worker = nil
	if d := cmp.Diff(want, first); d != "" {
		t.Error(d)
	}
	if worker.Preset != "horizon" || worker.Directory != "/srv/shop" || worker.QueueConnection != "redis" {
		t.Errorf("worker %+v", worker)
	}
	long := cfg.Queues[1]
	if long.RetryAfter != 130*second || long.MaxWait != 300*second || long.Balance != "off" || long.MaxProcesses != 4 || long.Sleep != second/2 ||
		long.Backoff != second || *long.KeyPrefix != "" || long.Worker.QueueConnection != "redis-long" || strings.Join(long.QueueNames, ",") != "x,y" {
		t.Errorf("queue configuration %+v", long)
	}
	if d := cmp.Diff([]string{
		"database.redis: settings of the client are left out: read_timeout (default); those that matter go into database.redis.options, which hold for every connection",
		`supervisor supervisor-1: there is no option "minProceses" in Horizon: it does nothing there, and is left out`,
		"queue.connections.redis: left to the application's own configuration: block_for",
		"supervisor supervisor-1: its queues have different waits; max_wait is the shortest, 30s: split the configuration to keep them apart",
		`supervisor long: balance is "Auto", which Horizon takes for off: did you mean auto or simple?`,
		"supervisor long: backoff is a list (1, 5); there is one backoff: the first",
		"supervisor long: force is left out: workers stop in maintenance mode; add --force to worker.command for the preset laravel",
		"supervisor long: timeout (2m) is not 10 s below retry_after (1m) of queue connection redis-long: jobs that take so long are run twice today; retry_after is written as 2m10s, and has to become that in the application",
		`supervisor aws: uses the queue connection "sqs" with the driver "sqs" and is left out`,
		"horizon.waits: redis:default belongs to no supervisor and is left out",
		"horizon.waits: other:z belongs to no supervisor and is left out",
		"the environments local of horizon.php are not imported: each is a deployment of its own, with its own Redis; import it there by --environment and --application",
	}, found.Warnings); d != "" {
		t.Error(d)
	}
	for _, w := range found.Warnings {
		if strings.Contains(w, "hunter2") {
			t.Errorf("a password is in a warning: %s", w)
		}
	}
}

// with is the shop with other files.
func with(files map[string]string) map[string]string {
	all := map[string]string{}
	for name, text := range shop {
		all[name] = text
	}
	for name, text := range files {
		all[name] = text
	}
	return all
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  map[string]string
		change func(*Source)
		want   string
	}{
		{"no environment matches", nil, func(s *Source) { s.Environment = "staging" }, `no environment of horizon.php matches "staging", so Horizon would run nothing; there are: local, prod*`},
		{"a function of Laravel", map[string]string{"config/queue.php": "[collect([])->all()]"}, nil, "queue.php cannot be evaluated (Call to undefined function collect(): give --app-dir"},
		{"a method of Laravel", map[string]string{"config/queue.php": "[Str::uuid()]"}, nil, "Str::uuid() needs Laravel"},
		{"no array", map[string]string{"config/queue.php": "5"}, nil, "it returns no array"},
		{"syntax", map[string]string{"config/queue.php": "["}, nil, "queue.php cannot be evaluated"},
		{"variables", map[string]string{".env": "A=1\nB='x\n"}, nil, ".env:2: cannot be understood"},
		{"a file that is not there", nil, func(s *Source) { s.EnvFile = "/nowhere" }, "/nowhere"},
		{"no directory", nil, func(s *Source) { s.ConfigDir += "/app.php" }, "is not a directory"},
		{"another directory", nil, func(s *Source) { s.ConfigDir = filepath.Dir(s.ConfigDir) }, "there is no horizon.php"},
	} {
		s := application(t, with(c.files))
		if c.change != nil {
			c.change(&s)
		}
		list, err := Evaluate(t.Context(), interpreter(t), s)
		if err == nil {
			_, err = Convert(list[0], Options{})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// Sentinel by Predis, and what Queuefleet has no values for.
func TestOddities(t *testing.T) {
	found := convert(t, application(t, with(map[string]string{
		"config/database.php": `['redis' => [
			'client' => 'predis', 'options' => ['prefix' => '', 'serializer' => 2],
			'default' => ['tls://s1:26380?password=hunter2-s', ['host' => 's2', 'port' => '26379', 'scheme' => 'tls'], 'options' => ['replication' => 'sentinel', 'service' => 'main', 'parameters' => ['password' => 'hunter2', 'database' => '3']]],
			'broken' => ['url' => 'redis://x:hunter2@[::1', 'host' => 'x'], 'text' => 'redis://hunter2@x',
		]]`,
		"config/queue.php": `['connections' => ['redis' => ['driver' => 'redis', 'connection' => 'default', 'queue' => 'a', 'retry_after' => null]]]`,
		"config/horizon.php": `['waits' => ['redis:a' => 0], 'environments' => ['*' => [
			'a' => ['connection' => 'redis', 'maxProcesses' => 0, 'minProcesses' => 3, 'timeout' => 0, 'tries' => 'x', 'balanceMaxShift' => 0, 'nice' => 50, 'memory' => 0, 'balance' => true],
			'b' => ['connection' => 'redis', 'queue' => ['a', 'b*'], 'balance' => 'simple', 'backoff' => [3]],
			'a ' => ['connection' => 'redis', 'queue' => 'q'], 'gone' => ['connection' => 'nowhere'], 'none' => 5,
		]]]`,
	})), Options{Application: "shop", NoWorkers: true})
	cfg := yaml(t, found)
	c := cfg.Connections[0]
	if len(cfg.Connections) != 1 || c.Sentinel.Master != "main" || strings.Join(c.Sentinel.Addresses, ",") != "s1:26380,s2:26379" || c.Database != 3 || c.TLS == nil {
		t.Errorf("connections %+v", cfg.Connections)
	}
	if len(found.Passwords) != 2 || !found.Passwords[0].Sentinel || found.Passwords[1].Sentinel {
		t.Errorf("passwords %+v", found.Passwords)
	}
	var names []string
	for i := range cfg.Queues {
		names = append(names, cfg.Queues[i].Name)
	}
	if d := cmp.Diff([]string{"shop-a", "shop-b", "shop-a-2"}, names); d != "" {
		t.Error(d)
	}
	a, b := cfg.Queues[0], cfg.Queues[1]
	if a.Active || a.MinProcesses != 1 || a.MaxProcesses != 1 || a.Timeout != 50*second || a.Tries != 0 || a.Nice != 19 || a.Memory != 128<<20 || a.Worker != nil ||
		b.Backoff != 3*second || len(b.QueueNames) != 1 || b.MaxWait != a.MaxWait {
		t.Errorf("%+v\n%+v", a, b)
	}
	all := strings.Join(found.Warnings, "\n")
	for _, part := range []string{"broken.url is no URL", "text is no array", "serializer", "is 0, never to warn", "tries: \"x\" is no number", "memory: 0 is no limit",
		"balance is true, which Horizon takes for off", "the queue \"b*\" is left out", "queue connection \"nowhere\"", "supervisor none is 5"} {
		if !strings.Contains(all, part) {
			t.Errorf("no warning says %q in\n%s", part, all)
		}
	}
	if strings.Contains(all, "hunter2") {
		t.Errorf("a password is in a warning:\n%s", all)
	}
}
