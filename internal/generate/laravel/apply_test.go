package laravel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
)

// disk is a directory with the files of a plan, in both formats.
type disk struct {
	t    *testing.T
	dir  string
	plan *Plan
}

// compare is Compare, of which no difference may show a password.
func (d disk) compare() []Change {
	d.t.Helper()
	var files []File
	for _, format := range []string{FormatPHP, FormatJSON} {
		some, err := d.plan.Render(Source{Files: []string{"x"}, Hash: "h"}, format)
		if err != nil {
			d.t.Fatal(err)
		}
		files = append(files, some...)
	}
	f, err := d.plan.RenderVariables(filepath.Join(d.dir, "x.env"))
	if err != nil {
		d.t.Fatal(err)
	}
	changes, err := Compare(d.dir, append(files, f), func(s string) string { return s })
	if err != nil {
		d.t.Fatal(err)
	}
	for _, c := range changes {
		if strings.Contains(c.Diff, "hunter2") {
			d.t.Errorf("a password is shown:\n%s", c.Diff)
		}
	}
	return changes
}

func (d disk) apply() {
	d.t.Helper()
	if err := Apply(d.compare()); err != nil {
		d.t.Fatal(err)
	}
}

func (d disk) expect(what string, want State) {
	d.t.Helper()
	for _, c := range d.compare() {
		if c.State != want {
			d.t.Errorf("%s: %s is %s, want %s", what, c.Path, c.State, want)
		}
	}
}

// What somebody has changed is told from what has become old.
func TestCompare(t *testing.T) {
	d := disk{t, t.TempDir(), plan(t, fleet, Options{})}
	d.expect("at first", Missing)
	d.apply()
	d.expect("written", Unchanged)
	info, err := os.Stat(filepath.Join(d.dir, "x.env"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the passwords' file has mode %v (%v)", info.Mode(), err)
	}
	php := "'password' => 'hunter2-other', redis://u:hunter2@x, env('A', 'hunter2')"
	edit(t, filepath.Join(d.dir, "database.php"), "redis", php)
	edit(t, filepath.Join(d.dir, "queue.php"), "redis", php)
	edit(t, filepath.Join(d.dir, "horizon.php"), "redis", php)
	edit(t, filepath.Join(d.dir, JSONFile), `"redis"`, `"password": "hunter2-x", "redis"`)
	edit(t, filepath.Join(d.dir, "x.env"), "\nQF_", "\nOTHER=hunter2\nQF_")
	d.expect("edited", Edited)
	if err := Refused(d.compare()); !errors.Is(err, ErrByHand) || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("all are refused: %v", err)
	}
	d.apply()
	if err := os.Chmod(filepath.Join(d.dir, "x.env"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := d.compare()[4].State; got != TooOpen {
		t.Errorf("passwords that everybody can read: %s", got)
	}
	d.apply()
	d.expect("applied", Unchanged)
	d.plan.connections[2].config.Database = 9
	if got := d.compare(); got[0].State != Stale || got[1].State != Unchanged || got[3].State != Stale || !strings.Contains(got[0].Diff, "+        'database' => 9,") {
		t.Errorf("a changed configuration: %+v", got)
	}
	d.plan.connections[2].config.Password = configs.NewSecret("hunter2-new")
	if got := d.compare()[4].State; got != Stale {
		t.Errorf("a changed password: %s", got)
	}
}

// Whoever may write the directory cannot have the reader wait for ever, or read
// for ever.
func TestCompareReadsFilesOnly(t *testing.T) {
	dir := t.TempDir()
	files := []File{{Name: "database.php", Mode: 0o644}}
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "database.php")); err != nil {
		t.Fatal(err)
	}
	if _, err := Compare(dir, files, func(s string) string { return s }); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Error(err)
	}
}
