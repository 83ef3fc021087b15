package configs

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

const includeAll = "include: [{path: \"conf.d/*.yml\"}]\n"

// conn, app and queue are one-line entries.
func conn(name string) string {
	return "connections: [{name: " + name + ", address: \"" + name + ":6379\"}]\n"
}
func app(slug string) string { return "applications: [{slug: " + slug + "}]\n" }
func queue(application, connection string) string {
	return "queues: [{application: " + application + ", connection: " + connection + ", queue_names: [default]}]\n"
}

func TestFragmentKeepsItsLastGoodVersion(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":     includeAll + conn("main") + app("shop"),
		"conf.d/a.yml": conn("a1") + queue("shop", "a1"),
		"conf.d/b.yml": conn("b1"),
	})
	s := tr.store()
	expect(t, reload(t, s), "main a1 b1 shop shop-a1", "a.yml b.yml")

	tr.write("conf.d/a.yml", "connections: [")
	tr.write("conf.d/b.yml", conn("b2"))
	expect(t, reload(t, s), "main a1 b2 shop shop-a1", "!a.yml b.yml")
	tr.write("main.yml", includeAll+conn("other")+app("shop"))
	expect(t, reload(t, s), "other a1 b2 shop shop-a1", "!a.yml b.yml")
	tr.write("conf.d/a.yml", conn("a2")+queue("shop", "a2"))
	expect(t, reload(t, s), "other a2 b2 shop shop-a2", "a.yml b.yml")

	tr.write("conf.d/c.yml", "nonsense")
	expect(t, reload(t, s), "other a2 b2 shop shop-a2", "a.yml b.yml !c.yml")
	tr.remove("conf.d/a.yml")
	expect(t, reload(t, s), "other b2 shop", "b.yml !c.yml")
}

// TestFragmentsAtStart: there is nothing to fall back to.
func TestFragmentsAtStart(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":     includeAll + conn("main"),
		"conf.d/a.yml": "connections: [{name: a}]\nglobal: {}\n",
		"conf.d/b.yml": conn("main"),
	})
	err := tr.store().Reload()
	if err == nil {
		t.Fatal("a broken fragment is accepted at the start")
	}
	for _, want := range []string{
		"conf.d/a.yml:1: connections[0].address: is missing",
		"conf.d/a.yml:2: global: belongs into the main file",
		"conf.d/b.yml:1: connections[0].name: the connection \"main\" is already defined at " + tr.path("main.yml") + ":2",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

// TestWhoIsToBlame: whoever was there first is right.
func TestWhoIsToBlame(t *testing.T) {
	tests := []struct {
		name, file, text string
		want, fragments  string
	}{
		{"an earlier fragment takes a name", "conf.d/a.yml", conn("b1"), "main a1 b1 shop shop-a1 shop-b1", "!a.yml b.yml"},
		{"a later fragment takes a name", "conf.d/b.yml", conn("a1"), "main a1 b1 shop shop-a1 shop-b1", "a.yml !b.yml"},
		{"a fragment takes a name of the main file", "conf.d/a.yml", conn("main"), "main a1 b1 shop shop-a1 shop-b1", "!a.yml b.yml"},
		{"a fragment refers to nothing", "conf.d/a.yml", conn("a1") + queue("shop", "b9"), "main a1 b1 shop shop-a1 shop-b1", "!a.yml b.yml"},
		{"a new fragment takes a name", "conf.d/0.yml", conn("a1"), "main a1 b1 shop shop-a1 shop-b1", "!0.yml a.yml b.yml"},
		{"a new fragment refers to another", "conf.d/0.yml", queue("shop", "main"), "main a1 b1 shop shop-main shop-a1 shop-b1", "0.yml a.yml b.yml"},
		{
			"a fragment disagrees on a queue", "conf.d/0.yml",
			"queues: [{name: x, application: shop, connection: b1, queue_names: [default], max_wait: 1m}]",
			"main a1 b1 shop shop-a1 shop-b1", "!0.yml a.yml b.yml",
		},
		{
			"the main file takes a name", "main.yml", includeAll + conn("b1") + app("shop"),
			"b1 a1 shop shop-a1", "a.yml !b.yml",
		},
		{
			"the main file drops what all need", "main.yml", includeAll + conn("main"),
			"main a1 b1", "!a.yml !b.yml",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTree(t, map[string]string{
				"main.yml":     includeAll + conn("main") + app("shop"),
				"conf.d/a.yml": conn("a1") + queue("shop", "a1"),
				"conf.d/b.yml": conn("b1") + queue("shop", "b1"),
			})
			s := tr.store()
			reload(t, s)
			tr.write(tt.file, tt.text)
			expect(t, reload(t, s), tt.want, tt.fragments)
			expect(t, reload(t, s), tt.want, tt.fragments) // and again
		})
	}
}

// TestTwoFragmentsChangeAtOnce: what fits is taken, in whichever order.
func TestTwoFragmentsChangeAtOnce(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":     includeAll + conn("main") + app("shop"),
		"conf.d/a.yml": conn("a1"),
		"conf.d/z.yml": conn("z1"),
	})
	s := tr.store()
	reload(t, s)

	// a.yml takes z.yml's name; z.yml, changed as well, keeps it.
	tr.write("conf.d/a.yml", conn("z1"))
	tr.write("conf.d/z.yml", conn("z1")+app("zoo"))
	expect(t, reload(t, s), "main a1 z1 shop zoo", "!a.yml z.yml")

	// The name moves from one to the other.
	tr.write("conf.d/a.yml", conn("z1"))
	tr.write("conf.d/z.yml", conn("z2"))
	expect(t, reload(t, s), "main z1 z2 shop", "a.yml z.yml")

	// z.yml refers to what a.yml brings along.
	tr.write("conf.d/a.yml", conn("a3"))
	tr.write("conf.d/z.yml", queue("shop", "a3"))
	expect(t, reload(t, s), "main a3 shop shop-a3", "a.yml z.yml")

	// a.yml is broken; z.yml needs the new a.yml and stays as it was.
	tr.write("conf.d/a.yml", conn("a4")+"oops")
	tr.write("conf.d/z.yml", queue("shop", "a4"))
	expect(t, reload(t, s), "main a3 shop shop-a3", "!a.yml !z.yml")
}

func TestMainMayNotNeedFragments(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":     includeAll + app("shop") + queue("shop", "a1"),
		"conf.d/a.yml": conn("a1"),
	})
	err := tr.store().Reload()
	if err == nil || !strings.Contains(err.Error(), "the main file may name only what it defines itself") {
		t.Errorf("got %v", err)
	}
}

// TestMainFails: everything is reported, nothing changes.
func TestMainFails(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": includeAll + conn("main"), "conf.d/a.yml": conn("a1")})
	s := tr.store()
	before := reload(t, s)
	tr.write("main.yml", includeAll+"connections: [{name: main}]\n")
	tr.write("conf.d/a.yml", "connections: [{name: a1}]\n")
	err := s.Reload()
	if err == nil || !strings.Contains(err.Error(), "main.yml:2: ") || !strings.Contains(err.Error(), "a.yml:1: ") {
		t.Errorf("got %v", err)
	}
	if s.Current() != before {
		t.Error("a configuration with mistakes is in force")
	}
	tr.write("main.yml", includeAll+conn("main"))
	expect(t, reload(t, s), "main a1", "!a.yml")
}

func TestIncludes(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":       "include: [{path: \"*.yml\"}, {path: one.yml}, {path: \"none/*.yml\"}, {path: \"odd[[]dir/x.yml\"}]\n" + conn("main"),
		"one.yml":        conn("one"),
		"odd[dir/x.yml":  conn("x"),
		"sub/hidden.yml": "nonsense",
	})
	cfg := reload(t, tr.store())
	expect(t, cfg, "main x one", "x.yml one.yml")
	var got []string
	for _, w := range cfg.Warnings() {
		got = append(got, w.Position.Path+" "+w.Text)
	}
	want := []string{
		"include[0].path matches the main file itself, which is left out",
		"include[1].path " + tr.path("one.yml") + " belongs to include[0].path already",
		"include[2].path matches no file",
	}
	for _, one := range want {
		if !strings.Contains(strings.Join(got, "\n"), one) {
			t.Errorf("no warning %q in %q", one, got)
		}
	}
}

// TestHiddenFilesAreNoFragments: what a crash has left of an edit, or an editor
// keeps, is not included by a pattern that does not ask for it.
func TestHiddenFilesAreNoFragments(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":                 "include: [{path: \"conf.d/*\"}, {path: \"conf.d/.own*\"}]\n" + conn("main"),
		"conf.d/a.yml":             conn("a"),
		"conf.d/.a.yml.atomic-123": conn("a"),
		"conf.d/.own.yml":          conn("own"),
	})
	expect(t, reload(t, tr.store()), "main own a", ".own.yml a.yml")
}

// TestIncludedFileGoes: a file named without wildcards is missed at start and
// kept once it was in force.
func TestIncludedFileGoes(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": "include: [{path: a.yml}]\n" + conn("main"), "a.yml": conn("a1")})
	s := tr.store()
	reload(t, s)
	tr.remove("a.yml")
	expect(t, reload(t, s), "main a1", "!a.yml")
	if err := tr.store().Reload(); err == nil {
		t.Error("a missing file is accepted at the start")
	}
	tr.write("main.yml", "include: [{path: a.yml}, {path: b.yml}]\n"+conn("main"))
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "include[1].path") || strings.Contains(err.Error(), "include[0]") {
		t.Errorf("got %v", err)
	}
}

func TestUnreadableDirectoryIsNoEmptyOne(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	tr := newTree(t, map[string]string{"main.yml": includeAll + conn("main"), "conf.d/a.yml": conn("a1")})
	s := tr.store()
	reload(t, s)
	if err := os.Chmod(tr.path("conf.d"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(tr.path("conf.d"), 0o700) //nolint:errcheck // for the clean-up
	if err := s.Reload(); err == nil {
		t.Error("fragments in a directory that cannot be read are taken for gone")
	}
}

// TestBrokenInEveryWay: whatever is wrong with a fragment, its last good
// version stays.
func TestBrokenInEveryWay(t *testing.T) {
	good := "connections: [{name: a1, address: \"a1:6379\", password_file: secret}]\n"
	ways := map[string]func(tr *tree){
		"directory": func(tr *tree) { tr.remove("conf.d/a.yml"); tr.write("conf.d/a.yml/x", "") },
		"empty":     func(tr *tree) { tr.write("conf.d/a.yml", "") },
		"too large": func(tr *tree) { tr.write("conf.d/a.yml", strings.Repeat("#", maxFragmentBytes+1)) },
		"binary":    func(tr *tree) { tr.write("conf.d/a.yml", "\xff\xfe\x00") },
		"link to nowhere": func(tr *tree) {
			tr.remove("conf.d/a.yml")
			tr.symlink("nowhere", "conf.d/a.yml")
		},
		"link to itself": func(tr *tree) {
			tr.remove("conf.d/a.yml")
			tr.symlink("a.yml", "conf.d/a.yml")
		},
		"fifo": func(tr *tree) {
			tr.remove("conf.d/a.yml")
			if err := syscall.Mkfifo(tr.path("conf.d/a.yml"), 0o600); err != nil {
				tr.t.Fatal(err)
			}
		},
		"secret a device":    func(tr *tree) { tr.remove("conf.d/secret"); tr.symlink("/dev/zero", "conf.d/secret") },
		"secret gone":        func(tr *tree) { tr.remove("conf.d/secret") },
		"secret empty":       func(tr *tree) { tr.write("conf.d/secret", "\n") },
		"secret a directory": func(tr *tree) { tr.remove("conf.d/secret"); tr.write("conf.d/secret/x", "") },
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t, map[string]string{"main.yml": includeAll + conn("main"), "conf.d/a.yml": good, "conf.d/secret": "hunter2\n"})
			s := tr.store()
			reload(t, s)
			way(tr)
			cfg := reload(t, s)
			expect(t, cfg, "main a1", "!a.yml")
			if got := connection(t, cfg, "a1").Password.Reveal(); got != "hunter2" {
				t.Errorf("its password is %q", got)
			}
		})
	}
}

// TestRotationInABrokenFragment: the last good version still takes the new
// password.
func TestRotationInABrokenFragment(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":      includeAll + conn("main"),
		"conf.d/a.yml":  "connections: [{name: a1, address: \"a1:6379\", password_file: secret}]\n",
		"conf.d/secret": "old",
	})
	s := tr.store()
	reload(t, s)
	tr.write("conf.d/a.yml", "connections: [")
	tr.write("conf.d/secret", "new")
	cfg := reload(t, s)
	expect(t, cfg, "main a1", "!a.yml")
	if got := connection(t, cfg, "a1").Password.Reveal(); got != "new" {
		t.Errorf("the password is %q", got)
	}
}
