package supervisor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/horizontest"
	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/preset"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// includes are the files of an application whose connections are the generated
// ones. Without these it does not boot.
var includes = map[string]string{
	"config/database.php": `<?php return ['default' => 'none', 'connections' => ['none' => ['driver' => 'sqlite', 'database' => ':memory:']], 'migrations' => 'migrations',
		'redis' => ['client' => 'phpredis', 'options' => ['prefix' => '']] + require __DIR__.'/queuefleet/database.php'];`,
	"config/queue.php": `<?php return ['default' => 'redis', 'connections' => require __DIR__.'/queuefleet/queue.php', 'failed' => ['driver' => 'null']];`,
	// Debian has no Horizon: a stand-in takes its place, everything else is the application.
	"artisan.horizon": `<?php if (($argv[1] ?? '') === 'horizon') { pcntl_exec(getenv('STAND_IN'), array_merge(['artisan'], array_slice($argv, 1))); exit(9); }
		require __DIR__.'/artisan.php';`,
}

// A real application is told another Redis by a reload: its files are replaced,
// it is asked by them, and Horizon is started again with them and with the
// password that they refer to.
func TestRealApplicationFollowsItsFiles(t *testing.T) {
	const password = "hunter2"
	s := newShop(t, horizontest.Settings{Workers: 1})
	other := redistest.Start(t, redistest.Options{RequirePass: password})
	app := laraveltest.New(t, s.server.Addr)
	s.dir = app.Dir
	s.settings.File = filepath.Join(s.files(), "database.php")
	for name, text := range includes {
		if err := os.WriteFile(filepath.Join(app.Dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	artisan := func(name string) string { return filepath.Join(app.Dir, name) }
	text, err := os.ReadFile(artisan("artisan"))
	if err != nil {
		t.Fatal(err)
	}
	_, text = cutLine(text) // only the main script may have its first line
	if err := errors.Join(os.WriteFile(artisan("artisan.php"), text, 0o644), os.Rename(artisan("artisan.horizon"), artisan("artisan"))); err != nil {
		t.Fatal(err)
	}
	load := func(address, password, queueConnection string) {
		t.Helper()
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		environment := fmt.Sprintf("STAND_IN: %q", self)
		for name, value := range s.bench.Environment(s.settings) {
			environment += fmt.Sprintf(", %s: %q", name, value)
		}
		user := ""
		if os.Geteuid() == 0 {
			user = "user: root, "
		}
		cfg, err := configs.Parse("test.yml", fmt.Appendf(nil, `
connections: [{name: main, address: "%s", password: "%s"}]
applications: [{slug: shop, connections: [{connection: main, primary: true}]}]
queues:
  - {name: mails, application: shop, connection: main, queue_names: [mails], timeout: 2s,
     worker: {preset: horizon, directory: "%s", generate: "%s", queue_connection: %s, %senvironment: {%s}}}
`, address, password, app.Dir, s.files(), queueConnection, user, environment))
		if err != nil {
			t.Fatal(err)
		}
		s.set.Apply(cfg.Connections)
		s.Apply(cfg)
	}
	begun := func(masters int, port int) {
		t.Helper()
		s.until(fmt.Sprintf("%d begun", masters), func(state *State) bool {
			p, ok := state.Pool("mails")
			all := s.bench.Masters()
			return ok && p.CannotStart == nil && p.Counts.Running == 1 && len(all) == masters &&
				strings.Contains(all[masters-1].File, fmt.Sprint(port)) && p.Version == "8.83.26"
		})
	}
	load(s.server.Addr, "", "redis")
	begun(1, s.server.Port)
	load(other.Addr, password, "redis")
	begun(2, other.Port)
	text, err = os.ReadFile(s.settings.File)
	if err != nil || strings.Contains(string(text), password) || !strings.Contains(string(text), "env('QF_") {
		t.Errorf("the file %q (%v)", text, err)
	}
	if s.log.count(password) > 0 {
		t.Error("the password is in the log")
	}
	// The application does not do what it is told: it keeps its files, and runs on.
	if err := os.WriteFile(artisan("config/queue.php"), []byte(`<?php return ['default' => 'redis', 'connections' => [], 'failed' => ['driver' => 'null']];`), 0o644); err != nil {
		t.Fatal(err)
	}
	load(s.server.Addr, "", "redis")
	s.until("wrong_connection", func(state *State) bool {
		p, ok := state.Pool("mails")
		return ok && p.CannotStart != nil && p.CannotStart.Reason == ReasonWrongConnection && !p.Preparing
	})
	again, err := os.ReadFile(s.settings.File)
	if err != nil || string(again) != string(text) {
		t.Errorf("the files are not those from before: %s (%v)", again, err)
	}
	if len(s.bench.Masters()) != 2 || len(s.bench.Told()) != 1 || len(s.bench.Wrong()) > 0 {
		t.Errorf("masters %v, told %v, wrong %v", s.bench.Masters(), s.bench.Told(), s.bench.Wrong())
	}
}

func cutLine(text []byte) (line, rest []byte) {
	before, after, _ := strings.Cut(string(text), "\n")
	return []byte(before), []byte(after)
}

// A supervisor that only decides writes nothing.
func TestObserveWritesNoFiles(t *testing.T) {
	s := newShop(t, horizontest.Settings{})
	s.stop()
	<-s.done
	s.real = newReal(t, func(o *Options) { o.Presets, o.Observe = preset.Find, true })
	s.reload(1)
	s.until("prepared", func(state *State) bool {
		p, ok := state.Pool("mails")
		return ok && p.SpecHash != ""
	})
	if _, err := os.Stat(s.files()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("files were written: %v", err)
	}
}

// Files are written with the rights of the worker's user, whatever the
// supervisor may do.
func TestFilesAreTheUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has files that others may not write")
	}
	s := newShop(t, horizontest.Settings{})
	s.user = "nobody"
	s.reload(1)
	s.until("refused", func(state *State) bool {
		p, ok := state.Pool("mails")
		return ok && p.CannotStart != nil && p.CannotStart.Reason == ReasonHorizonFiles && strings.Contains(p.CannotStart.Text, "permission denied")
	})
	if _, err := os.Stat(s.files()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("files were written where the user may not: %v", err)
	}
}
