package platform

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

const fleet = `
global: {environment: production, age_identity_files: [/etc/queuefleet/age 100%.key, /run/credentials/queuefleet-exporter.service/second]}
connections:
  - {name: eu, address: "redis.eu:6379", options: {pool_size: 1000}}
  - {name: us, address: "redis.us:6379", probe_timeout: 12.5s}
  - {name: off, address: "redis.off:6379", probe_timeout: 50s, active: false}
applications: [{slug: shop}]
queues:
  - {name: fast, application: shop, connection: eu, queue_names: [default], worker: {directory: /srv/shop, user: www-data}}
  - {name: slow, application: shop, connection: us, queue_names: ["tenant-*"], max_processes: 1000, timeout: 5m, retry_after: 400s, hosts: [worker-*], worker: {directory: /srv/shop}}
  - {name: never, application: shop, connection: off, queue_names: [x], timeout: 2h, retry_after: 3h, worker: {directory: /srv/shop, user: www-data}}
`

func parse(t *testing.T, text string) *configs.Config {
	t.Helper()
	cfg, err := configs.Parse("queuefleet.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// settings are the lines of a unit by their keys, lines that go on put together.
func settings(text string) map[string][]string {
	found := map[string][]string{}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n  ", ""), "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			found[key] = append(found[key], value)
		}
	}
	return found
}

func TestUnitsFitTheConfiguration(t *testing.T) {
	s := Systemd{ConfigFile: "/etc/queue fleet/50%$x.yml", BinDir: "/usr/local/bin", User: "queuefleet", SupervisorUser: "root", StateDir: "/var/lib/queuefleet"}
	files, warnings, err := s.Units(parse(t, fleet))
	if err != nil {
		t.Fatal(err)
	}
	exporter, supervisor := settings(files[0].Text), settings(files[1].Text)
	for _, test := range []struct {
		unit      map[string][]string
		key, want string
	}{
		{exporter, "ExecStart", `/usr/local/bin/queuefleet_exporter "--config.file=/etc/queue fleet/50%%$$x.yml" --web.control-socket=/run/queuefleet-exporter/exporter.sock`},
		{exporter, "LimitNOFILE", "16384"}, // 4,096 + 1,002, twice
		{exporter, "LoadCredential", "age-0:/etc/queuefleet/age 100%%.key second:/etc/queuefleet/credentials/second"},
		{supervisor, "LimitNOFILE", "32768"},  // 4,096 + 1,002 + 8 × 1,010, twice
		{supervisor, "TimeoutStopSec", "340"}, // the inactive queue's two hours do not count
		{supervisor, "StateDirectory", "queuefleet"},
		{supervisor, "Delegate", "yes"},
		{supervisor, "KillMode", "process"},
		{supervisor, "LoadCredential", ""}, // root reads the key itself
		{supervisor, "User", ""},
	} {
		if got := strings.Join(test.unit[test.key], " "); got != test.want {
			t.Errorf("%s=%s, want %s", test.key, got, test.want)
		}
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "slow has no worker.user") {
		t.Errorf("warnings %q", warnings)
	}
	s.RunsHere = func(q *configs.Queue) bool { return q.Name == "fast" }
	s.SupervisorUser = "deploy"
	files, warnings, err = s.Units(parse(t, fleet))
	if err != nil {
		t.Fatal(err)
	}
	if got := settings(files[1].Text); got["TimeoutStopSec"][0] != "100" || got["User"][0] != "deploy" || got["NoNewPrivileges"][0] != "yes" {
		t.Errorf("as deploy:\n%s", files[1].Text)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "fast runs as www-data") {
		t.Errorf("warnings %q", warnings)
	}
}

// TestUnitsAreSystemds lets systemd itself read the units.
func TestUnitsAreSystemds(t *testing.T) {
	redistest.Need(t, "systemd-analyze")
	bin := t.TempDir()
	for _, program := range []string{"queuefleet_exporter", "queuefleet_supervisor"} {
		if err := os.Symlink("/bin/true", filepath.Join(bin, program)); err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"root", "daemon"} {
		s := Systemd{ConfigFile: "/etc/queue fleet/50%$x.yml", BinDir: bin, User: "daemon", SupervisorUser: user, StateDir: "/var/lib/queuefleet", WebConfigFile: "/etc/queuefleet/web.yml"}
		files, _, err := s.Units(parse(t, fleet))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		outcomes, err := Write(dir, files, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			out, err := exec.Command("systemd-analyze", "verify", "--man=no", o.Path).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%s as %s: %v\n%s", o.Path, user, err, out)
			}
		}
	}
}

func TestUnitsRefuse(t *testing.T) {
	good := Systemd{ConfigFile: "/q.yml", BinDir: "/bin", User: "queuefleet", SupervisorUser: "root"}
	for want, change := range map[string]func(*Systemd){
		"--config.file":     func(s *Systemd) { s.ConfigFile = "q.yml" },
		"--bin.dir":         func(s *Systemd) { s.BinDir = "bin" },
		"--user":            func(s *Systemd) { s.User = "a b" },
		"--supervisor.user": func(s *Systemd) { s.SupervisorUser = "" },
	} {
		s := good
		change(&s)
		if _, _, err := s.Units(parse(t, fleet)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestWriteKeepsWhatWasEdited: what was changed by hand is shown, not lost.
func TestWriteKeepsWhatWasEdited(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	write := func(body string, force bool) Outcome {
		t.Helper()
		list, err := Write(dir, []File{NewFile("unit", body)}, force)
		if err != nil {
			t.Fatal(err)
		}
		return list[0]
	}
	read := func() string {
		text, err := os.ReadFile(filepath.Join(dir, "unit"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, step := range []struct {
		body string
		want Result
	}{{"a\n", Written}, {"a\n", Unchanged}, {"b\n", Written}} {
		if got := write(step.body, false); got.Result != step.want || !strings.HasSuffix(read(), "\n"+step.body) {
			t.Errorf("%q: %s, want %s: %s", step.body, got.Result, step.want, read())
		}
	}
	edited := read() + "mine\n"
	if err := os.WriteFile(filepath.Join(dir, "unit"), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := write("c\n", false); got.Result != Edited || !strings.Contains(got.Diff, "-mine") || !strings.Contains(got.Diff, "+c") || read() != edited {
		t.Errorf("%+v: %s", got, read())
	}
	if got := write("c\n", true); got.Result != Written || strings.Contains(read(), "mine") {
		t.Errorf("with force: %+v: %s", got, read())
	}
}
