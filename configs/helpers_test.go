package configs

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tree is a directory with configuration files.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T, files map[string]string) *tree {
	t.Helper()
	tr := &tree{t, t.TempDir()}
	for name, text := range files {
		tr.write(name, text)
	}
	return tr
}

func (tr *tree) path(name string) string { return filepath.Join(tr.dir, name) }

func (tr *tree) write(name, text string) {
	tr.t.Helper()
	path := tr.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *tree) remove(name string) {
	tr.t.Helper()
	if err := os.RemoveAll(tr.path(name)); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *tree) symlink(target, name string) {
	tr.t.Helper()
	if err := os.Symlink(target, tr.path(name)); err != nil {
		tr.t.Fatal(err)
	}
}

// store makes a Store over main.yml of the tree.
func (tr *tree) store(appliers ...func(*Config)) *Store {
	return NewStore(Options{
		Path:       tr.path("main.yml"),
		Namespace:  "test",
		Registerer: prometheus.NewRegistry(),
		Logger:     slog.New(slog.DiscardHandler),
	}, appliers...)
}

func reload(t *testing.T, s *Store) *Config {
	t.Helper()
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	return s.Current()
}

// names lists what a configuration consists of.
func names(cfg *Config) string {
	var list []string
	for _, c := range cfg.Connections {
		list = append(list, c.Name)
	}
	for _, a := range cfg.Applications {
		list = append(list, a.Slug)
	}
	for _, q := range cfg.Queues {
		list = append(list, q.Name)
	}
	return strings.Join(list, " ")
}

// fragmentStates lists the fragments, with ! in front of the broken ones.
func fragmentStates(t *testing.T, cfg *Config) string {
	t.Helper()
	var list []string
	for _, f := range cfg.Fragments() {
		name := filepath.Base(f.File)
		if f.OK != (f.Err == nil) {
			t.Errorf("%s: OK is %v, Err is %v", name, f.OK, f.Err)
		}
		if !f.OK {
			name = "!" + name
		}
		list = append(list, name)
	}
	return strings.Join(list, " ")
}

func expect(t *testing.T, cfg *Config, wantNames, wantFragments string) {
	t.Helper()
	if got := names(cfg); got != wantNames {
		t.Errorf("in force is %q, want %q", got, wantNames)
	}
	if got := fragmentStates(t, cfg); got != wantFragments {
		t.Errorf("fragments are %q, want %q", got, wantFragments)
	}
	if t.Failed() {
		for _, f := range cfg.Fragments() {
			t.Logf("%s: %v", f.File, f.Err)
		}
	}
}
