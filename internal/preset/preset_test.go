package preset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
)

const password = "hunter2-of-the-test"

// Every preset keeps what the supervisor relies on.
func TestContract(t *testing.T) {
	if d := cmp.Diff([]string{"exec", "frankenphp", "horizon", "laravel"}, Names()); d != "" {
		t.Error(d)
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			p, ok := Find(name)
			if !ok || p.Name != name || p.Check == nil || p.Build == nil {
				t.Fatalf("it lacks something: %+v", p)
			}
			if (p.PauseSignal == 0) != (p.ContinueSignal == 0) {
				t.Error("one of pause and continue alone makes no sense")
			}
			if p.PauseSignal != 0 && p.ReadySignal == 0 {
				t.Error("a booting worker would be paused to death")
			}
			if (p.Probe == nil) != (p.Prove == nil) {
				t.Error("whoever can be asked for the version can be asked for the connection")
			}
			in := contractInput(t, name)
			if err := p.Check(in.Queue, in.Connection); err != nil {
				t.Fatal(err)
			}
			s, err := p.Build(in)
			if err != nil {
				t.Fatal(err)
			}
			checkSpec(t, s)
			again, err := p.Build(in)
			if salt := proc.NewSalt(); err != nil || s.Hash(salt) != again.Hash(salt) {
				t.Errorf("the same input makes another command: %v", err)
			}
			if p.NewParser != nil {
				if events := slices.Concat(p.NewParser().Line(proc.Line{Text: "hello"}), p.NewParser().End(true)); events != nil {
					t.Errorf("it reads %v in nothing", events)
				}
			}
		})
	}
	if _, ok := Find("sidekiq"); ok {
		t.Error("there is a preset that is none")
	}
}

func contractInput(t *testing.T, name string) Input {
	t.Helper()
	command := map[string]string{
		"exec": "[/bin/sh, -c, 'true']", "horizon": "[/bin/sh, artisan, horizon]",
		"laravel": "[/bin/sh, artisan, 'queue:work']", "frankenphp": "[/bin/sh, php-cli, artisan, 'queue:work']",
	}[name]
	return input(t, one("username: app, password: "+password+", database: 3", "timeout: 60s", asUser()+"preset: "+name+", command: "+command+
		`, umask: "0027", rlimits: {nofile: 512}, memory_max: 1GiB`))
}

func checkSpec(t *testing.T, s proc.Spec) {
	t.Helper()
	if strings.Contains(strings.Join(s.Args, " "), password) {
		t.Errorf("the password is on the command line: %q", s.Args)
	}
	want := map[string]string{
		"REDIS_HOST": "redis-1.eu", "REDIS_PORT": "6380", "REDIS_USERNAME": "app", "REDIS_PASSWORD": password, "REDIS_DB": "3",
		"PATH": defaultPath, "LANG": "C.UTF-8",
	}
	for variable, value := range want {
		if got, _ := s.Env.Lookup(variable); got != value {
			t.Errorf("%s is %q", variable, got)
		}
	}
	if url, _ := s.Env.Lookup("REDIS_URL"); url != "" {
		t.Error("REDIS_URL is set")
	}
	if s.Path != "/bin/sh" || s.Dir != "/" || s.StopSignal != syscall.SIGTERM || s.DeathSignal != syscall.SIGTERM ||
		s.StopTimeout != 70*time.Second || s.MemoryMax != 1<<30 || *s.Umask != 0o27 ||
		!slices.Equal(s.Limits, []proc.Limit{{Name: "nofile", Soft: 512, Hard: 512}}) {
		t.Errorf("the Spec is %+v", s)
	}
	if err := proc.Check(&s); err != nil {
		t.Error(err)
	}
}

// An option that a version does not know ends its worker at once.
func TestLaravelFlags(t *testing.T) {
	in := input(t, one("", "name: main, tries: 2, timeout: 1500ms, memory: 100MB, sleep: 500ms, backoff: 1s, rest: 2500ms, max_jobs: 5, max_time: 90m",
		"command: [php, artisan, 'queue:work', --force]"))
	since80 := "redis --queue=high,default --name=main --tries=2 --timeout=2 --memory=100 --sleep=0.5 --backoff=1 --max-jobs=5 --max-time=5400"
	for version, want := range map[Version]string{
		{}:         since80,
		{7, 30, 4}: "redis --queue=high,default --tries=2 --timeout=2 --memory=100 --sleep=0.5 --delay=1",
		{8, 0, 0}:  since80, {8, 31, 9}: since80,
		{8, 32, 0}:  since80 + " --rest=3",
		{11, 26, 9}: since80 + " --rest=3",
		{11, 27, 0}: since80 + " --rest=3 --json", {12, 0, 0}: since80 + " --rest=3 --json",
	} {
		in.Version = version
		if d := cmp.Diff(want, strings.Join(workFlags(in), " ")); d != "" {
			t.Errorf("%v: %s", version, d)
		}
	}
}

func TestVersion(t *testing.T) {
	for line, want := range map[string]string{
		"Laravel Framework 8.83.26": "8.83.26", "Laravel Framework \x1b[32m12.59.0\x1b[39m": "12.59.0", "Laravel Framework 13.1": "13.1.0",
		"Laravel Framework Lumen (8.3.4) (Laravel Components ^8.0)": "8.0.0",
		"Laravel Framework": "", "Laravel Framework 0.0.0": "", "PHP 8.2.36": "", "Laravel Framework 999999.1": "",
	} {
		v, ok := parseVersion(line)
		if v.String() != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", line, v, ok)
		}
	}
	if (Version{}).AtLeast(0, 0) || !(Version{8, 32, 0}).AtLeast(8, 32) || (Version{8, 31, 9}).AtLeast(8, 32) || !(Version{9, 0, 0}).AtLeast(8, 32) {
		t.Error("versions are in no order")
	}
}

// What is wrong with a configuration is said before anything is started.
func TestCheck(t *testing.T) {
	cluster := `
connections: [{name: eu, cluster: {addresses: ["a:1"]}}]
applications: [{slug: shop, connections: [{connection: eu}]}]
queues: [{application: shop, connection: eu, queue_names: [a], worker: {%s}}]
`
	sentinel := strings.Replace(cluster, "cluster: {", "sentinel: {master: m, ", 1)
	for text, want := range map[string]string{
		fmt.Sprintf(cluster, ""):                                                                      "connection eu is a Redis Cluster: ",
		fmt.Sprintf(sentinel, "preset: frankenphp"):                                                   "connection eu is a master found by Sentinel: ",
		fmt.Sprintf(cluster, "preset: exec, command: [a, '{{.Host}}']"):                               "has no single address; use .Addresses",
		fmt.Sprintf(cluster, "preset: exec, command: [a, '{{.Master}}']"):                             "is not found by Sentinel",
		fmt.Sprintf(cluster, "preset: exec, command: [a, '{{.Addresses}}']"):                          "",
		fmt.Sprintf(sentinel, "preset: exec, command: [a, '{{.Master}}']"):                            "",
		fmt.Sprintf(cluster, "preset: horizon"):                                                       "",
		one("", "", ""):                                                                               "",
		one("", "", "command: [php, artisan, 'queue:listen']"):                                        "worker.command: there is no queue:work",
		one("", "", "command: ['queue:work']"):                                                        "worker.command: there is no queue:work",
		one("", "", "command: [php, artisan, 'queue:work', redis]"):                                   "worker.queue_connection",
		one("", "", "command: [php, artisan, 'queue:work', --tries=9]"):                               "worker.command: --tries is set by tries",
		one("", "", "queue_connection: ''"):                                                           "worker.queue_connection is missing",
		one("", "", "preset: horizon, command: [php, artisan, 'queue:work']"):                         "worker.command: there is no horizon",
		one("", "", "preset: exec, command: [run, '{{.Port']"):                                        "worker.command[1]: the template is wrong: ",
		one("", "", "preset: exec, command: [run, '{{.Prot}}']"):                                      "worker.command[1]: the template cannot be filled in: can't evaluate field Prot; there is no such name",
		one("", "", "preset: exec, command: [run, '{{.Password}}']"):                                  "a password must not be on the command line",
		one("", "", "preset: exec, command: [run, '{{.URL}}']"):                                       "a password must not be on the command line",
		one("", "", "preset: exec, command: ['{{if .TLS}}run{{end}}']"):                               "worker.command[0] is empty",
		one("", "", "preset: exec, command: [run], environment: {A: '{{.Nothing}}'}"):                 "worker.environment.A: ",
		one("", "", "preset: exec, command: [run], environment: {A: '{{range 99999999999}}{{end}}'}"): "worker.environment.A: only {{.Name}}",
		one("", "", "preset: exec, command: [run, '{{printf `%99999999d` 1}}']"):                      "the function printf is not known",
		one("", "", `preset: exec, command: [run, '{{define "a"}}{{template "a"}}{{end}}']`):          "only {{.Name}}",
		one("", "", "preset: exec, command: [run, '{{$a := 1}}']"):                                    "only {{.Name}}",
		one("", "", "preset: exec, command: [run, '{{.}}']"):                                          "only {{.Name}}",
		one("", "", "preset: exec, command: [run, '{{.Queues.X}}']"):                                  "worker.command[1]: ",
	} {
		in := input(t, text)
		p, _ := Find(in.Queue.Worker.Preset)
		err := p.Check(in.Queue, in.Connection)
		if want == "" {
			if err != nil {
				t.Errorf("%v\n%s", err, text)
			}
			continue
		}
		if reason, got := Explain(orNone(err)); reason != ReasonBadConfiguration || !strings.Contains(got, want) {
			t.Errorf("the error is %s: %s; want %s\n%s", reason, got, want, text)
		}
	}
}

func orNone(err error) error {
	if err == nil {
		return errors.New("none")
	}
	return err
}

func TestExec(t *testing.T) {
	in := input(t, one("username: 'a b', password: 'p@ss/w', database: 2, tls: {}", "name: main, timeout: 90s, memory: 64MiB, sleep: 250ms, max_jobs: 7",
		asUser()+`preset: exec, stop_signal: SIGINT, death_signal: none,
		command: [/bin/echo, '{{.Application}}/{{.Name}}/{{.Connection}}', '{{.Queues}}', '{{.Queue}}', '{{.Host}}:{{.Port}}/{{.Database}}',
		'{{if .TLS}}--tls{{else}}--plain{{end}}', '{{.Tries}} {{.Timeout}} {{.Memory}} {{.Backoff}} {{.Sleep}} {{.Rest}} {{.MaxJobs}} {{.MaxTime}}', '{{urlquery .Username}}'],
		environment: {URL: '{{.URL}}', PASS: '{{.Password}}', REDIS_HOST: other}, environment_names: {password: SECRET, username: ''}`))
	in.Queues = []string{"low", "lower"}
	s, err := command().Build(in)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/bin/echo", "shop/main/eu", "low,lower", "low", "redis-1.eu:6380/2", "--tls", "3 90 64 0 0.25 0 7 3600", "a+b"}
	if d := cmp.Diff(want, s.Args); d != "" {
		t.Error(d)
	}
	if s.StopSignal != syscall.SIGINT || s.DeathSignal != 0 {
		t.Errorf("signals are %v and %v", s.StopSignal, s.DeathSignal)
	}
	for name, value := range map[string]string{
		"URL": "rediss://a%20b:p%40ss%2Fw@redis-1.eu:6380/2", "PASS": "p@ss/w", "SECRET": "p@ss/w", "REDIS_HOST": "other", "REDIS_PORT": "6380",
	} {
		if got, _ := s.Env.Lookup(name); got != value {
			t.Errorf("%s is %q", name, got)
		}
	}
	if names := s.Env.Names(); slices.Contains(names, "REDIS_USERNAME") || slices.Contains(names, "APP_CONFIG_CACHE") {
		t.Errorf("variables are %q", names)
	}
}

func TestUnixSocket(t *testing.T) {
	text := strings.Replace(one("password: x", "", asUser()+"preset: exec, command: [/bin/echo, '{{.Host}}', '{{.Port}}'], environment: {URL: '{{.URL}}'}"),
		"redis-1.eu:6380", "unix:///run/redis.sock", 1)
	in := input(t, text)
	s, err := command().Build(in)
	if err != nil {
		t.Fatal(err)
	}
	host, _ := s.Env.Lookup("REDIS_HOST")
	port, _ := s.Env.Lookup("REDIS_PORT")
	url, _ := s.Env.Lookup("URL")
	if host != "/run/redis.sock" || port != "0" || url != "unix://:x@/run/redis.sock?db=0" || !slices.Equal(s.Args[1:], []string{host, port}) {
		t.Errorf("host %q, port %q, URL %q, args %q", host, port, url, s.Args)
	}
}

func TestHorizon(t *testing.T) {
	text := `
connections: [{name: eu, address: "redis-1.eu:6380"}, {name: us, address: "redis-1.us:6381", password: x}]
applications: [{slug: shop, connections: [{connection: eu}, {connection: us, primary: true}]}]
defaults: {queue: {worker: {` + asUser() + `preset: horizon, directory: /, command: [/bin/sh, artisan, horizon]}}}
queues:
  - {application: shop, connection: eu, queue_names: [high, low], name: first, max_processes: %d, balance: off, timeout: 30s}
  - {application: shop, connection: us, queue_names: [x], name: second, timeout: 100s, retry_after: 200s, worker: {queue_connection: us}}
  - {application: shop, connection: us, queue_names: [other], name: third, timeout: 900s, retry_after: 1h}
`
	build := func(most int) (proc.Spec, error) {
		in := input(t, fmt.Sprintf(text, most))
		in.Configurations = in.Configurations[:2]
		return horizon().Build(in)
	}
	s, err := build(10)
	if err != nil {
		t.Fatal(err)
	}
	if host, _ := s.Env.Lookup("REDIS_HOST"); host != "redis-1.us" {
		t.Errorf("the host is %q, not the primary connection's", host)
	}
	if s.StopTimeout != 110*time.Second || !slices.Equal(s.Args, []string{"/bin/sh", "artisan", "horizon"}) {
		t.Errorf("it is stopped after %v, run by %q", s.StopTimeout, s.Args)
	}
	want := `{"first":{"connection":"redis","queue":["high","low"],"balance":false,"autoScalingStrategy":"time","minProcesses":1,"maxProcesses":10,` +
		`"balanceMaxShift":1,"balanceCooldown":3,"tries":3,"timeout":30,"memory":128,"backoff":0,"sleep":3,"rest":0,"maxJobs":1000,"maxTime":3600,"nice":0},` +
		`"second":{"connection":"us","queue":["x"],"balance":"auto","autoScalingStrategy":"time","minProcesses":1,"maxProcesses":10,` +
		`"balanceMaxShift":1,"balanceCooldown":3,"tries":3,"timeout":100,"memory":128,"backoff":0,"sleep":3,"rest":0,"maxJobs":1000,"maxTime":3600,"nice":0}}`
	if options, _ := s.Env.Lookup(OptionsVariable); options != want {
		t.Errorf("the options are\n%s", cmp.Diff(want, options))
	}
	other, err := build(11)
	if salt := proc.NewSalt(); err != nil || s.Hash(salt) == other.Hash(salt) {
		t.Errorf("another option makes no other command: %v", err)
	}
}

// One Horizon cannot run in two directories.
func TestHorizonOfDifferentWorkers(t *testing.T) {
	a := &configs.Queue{Name: "a", Worker: &configs.Worker{Directory: "/a"}}
	b := &configs.Queue{Name: "b", Worker: &configs.Worker{Directory: "/b"}}
	if err := sameProcess([]*configs.Queue{a, a}); err != nil {
		t.Error(err)
	}
	if err := sameProcess([]*configs.Queue{a, b}); err == nil || err.Error() != "one Horizon serves a and b, so worker.directory must be the same in both" {
		t.Errorf("the error is %v", err)
	}
}

func TestExplain(t *testing.T) {
	for want, err := range map[string]error{
		ReasonBadConfiguration:            fmt.Errorf("pool: %w", misconfigured("x")),
		string(proc.MissingCommand):       &proc.StartError{Reason: proc.MissingCommand, Err: errors.New("x")},
		ReasonProbeFailed:                 context.DeadlineExceeded,
		string(proc.OtherReason):          errors.New("x"),
		string(proc.BadUser):              build(t, one("", "", "preset: exec, command: [/bin/sh], user: nobody-of-this-name")),
		string(proc.MissingCommand) + " ": build(t, one("", "", asUser()+"preset: exec, command: [no-such-program]")),
	} {
		if got, text := Explain(err); got != strings.TrimSpace(want) || text == "" {
			t.Errorf("%v is explained by %s: %s", err, got, text)
		}
	}
}

func build(t *testing.T, text string) error {
	t.Helper()
	in := input(t, text)
	p, _ := Find(in.Queue.Worker.Preset)
	_, err := p.Build(in)
	return orNone(err)
}
