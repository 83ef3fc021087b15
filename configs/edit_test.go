package configs

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

const commented = `# The fleet.
global: {environment: production} # all of it

defaults:
  queue:
    max_wait: 30s   # a promise

connections:
  # --- Europe ---
  - name: eu      # the first
    address: redis-1.eu:6379
    # its password is rotated weekly
    password: "hunter2-hunter2"   # in clear, for now

  - name: us
    address: 'redis-1.us:6379'
    tls:
      # internal CA
      server_name: redis.us # as in the certificate
    labels: {rack: r1, # the rack
             row: "7"}
    # password: hunter2-former
    # the end of us

applications:
- slug: shop # no indentation here
  connections:
  - {connection: eu, primary: true}
  # the other one
  - connection: us
    priority: 5

# The work.
queues: [
  {application: shop, connection: eu, queue_names: [default]}, # one
]
# The end.
`

func open(t *testing.T, path string) *Editor {
	t.Helper()
	d, err := OpenDocument(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestEdit makes one change of every kind and compares all that became of the
// text.
func TestEdit(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": commented})
	d := open(t, tr.path("main.yml"))
	must(t, d.Set(ConnectionEntry, "eu", []Setting{{Key: "tls.min_version", Value: "TLS13"}, {Key: "tls.server_name", Value: "x"}, {Key: "active", Value: "false"}}))
	must(t, d.Set(ConnectionEntry, "us", []Setting{{Key: "tls.server_name", Value: "y"}, {Key: "labels.zone", Value: "a"}, {Key: "address", Value: "r2:1"}}))
	must(t, d.Set(QueueEntry, "shop-eu", []Setting{{Key: "max_wait", Value: "5m"}, {Key: "worker.preset", Value: "laravel"}, {Key: "worker.user", Value: "www-data"}}))
	must(t, d.Add(QueueEntry, "more", "", []Setting{{Key: "queue_names", Value: "a, b"}, {Key: "application", Value: "shop"}, {Key: "connection", Value: "us"}}))
	must(t, d.Add(ConnectionEntry, "asia", "", []Setting{{Key: "labels.rack", Value: "r1"}, {Key: "address", Value: "redis-1.asia:6379"}}))
	must(t, d.Attach("shop", "asia", []Setting{{Key: "primary", Value: "true"}}))
	must(t, d.Detach("shop", "us"))
	must(t, d.Add(ConnectionEntry, "gone", "", []Setting{{Key: "address", Value: "g:1"}}))
	must(t, d.Purge(ConnectionEntry, "gone"))
	want := strings.NewReplacer(
		"hunter2\"   # in clear, for now\n", "hunter2\"   # in clear, for now\n    tls:\n      min_version: TLS13\n      server_name: x\n    active: false\n",
		"'redis-1.us:6379'", "'r2:1'",
		"server_name: redis.us #", "server_name: y #",
		"row: \"7\"}", "row: \"7\",\n             zone: a}",
		"    # the end of us\n", "    # the end of us\n\n  - name: asia\n    address: redis-1.asia:6379\n    labels:\n      rack: r1\n",
		"primary: true}\n  # the other one\n  - connection: us\n    priority: 5\n", "primary: false}\n  # the other one\n  - {connection: asia, primary: true}\n",
		"queue_names: [default]}, # one\n", "queue_names: [default], max_wait: 5m, worker: {preset: laravel, user: www-data}}, # one\n  {name: more, application: shop, connection: us, queue_names: [a, b]},\n",
	).Replace(commented)
	if got := d.Text(d.Path()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := d.Save(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(d.Path()); err != nil || string(got) != want {
		t.Errorf("saved is something else (%v)", err)
	}
	if d.Diff() != "" {
		t.Errorf("a saved editor still differs:\n%s", d.Diff())
	}
}

// TestDiffMasks holds that a diff shows neither a password that changes, nor
// one on a line beside, nor one in a comment.
func TestDiffMasks(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": commented})
	d := open(t, tr.path("main.yml"))
	must(t, d.Set(ConnectionEntry, "eu", []Setting{{Key: "password", Value: "hunter2-next"}, {Key: "region", Value: "r"}}))
	must(t, d.Set(ConnectionEntry, "us", []Setting{{Key: "region", Value: "r"}}))
	diff := d.Diff()
	if strings.Contains(diff, "hunter2") {
		t.Errorf("the diff shows a password:\n%s", diff)
	}
	for _, want := range []string{"-    password: <secret>   # in clear", "+    password: <another secret>   # in clear", "     # password: <secret>"} {
		if !strings.Contains(diff, want) {
			t.Errorf("%q is missing in\n%s", want, diff)
		}
	}
}

// A secret is masked wherever it stands, also where it begins with another one,
// and where an alias brings it to its key.
func TestDiffMasksEverywhere(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": `connections:
  - {name: a, address: a:1, password: hunter2-short}
  - {name: b, address: b:1, password: hunter2-short-tail} # hunter2-short-tail
  - {name: c, address: c:1, region: &r hunter2-shared, team: t}
  - {name: d, address: d:1, password: *r}
`})
	d := open(t, tr.path("main.yml"))
	must(t, d.Set(ConnectionEntry, "b", []Setting{{Key: "team", Value: "t"}}))
	diff := d.Diff()
	for _, secret := range []string{"hunter2", "tail"} {
		if strings.Contains(diff, secret) {
			t.Errorf("the diff shows %q:\n%s", secret, diff)
		}
	}
	if !strings.Contains(diff, "region: &r <secret>,") {
		t.Errorf("the connections beside are missing:\n%s", diff)
	}
}

// TestPurgeOfWhatOthersNeed names the entry whose anchor others use.
func TestPurgeOfWhatOthersNeed(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": "connections:\n  - {name: a, address: \"a:1\", labels: &l {rack: r1}}\n  - {name: b, address: \"b:1\", labels: *l}\n"})
	err := open(t, tr.path("main.yml")).Purge(ConnectionEntry, "a")
	if err == nil || !strings.Contains(err.Error(), "main.yml:2: connections[0] is written in a form") {
		t.Errorf("error is %v", err)
	}
}

func TestSaveRefuses(t *testing.T) {
	for name, change := range map[string]func(d *Editor) error{
		"a mistake": func(d *Editor) error {
			return d.Set(ConnectionEntry, "eu", []Setting{{Key: "address", Value: "no-port"}})
		},
		"a name twice": func(d *Editor) error {
			_, err := d.Merge([]byte("queues: [{name: shop-eu-2, application: shop, connection: nowhere, queue_names: [x]}]"), MergeOptions{})
			return err
		},
		"something missing": func(d *Editor) error { return d.Purge(ConnectionEntry, "us") },
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t, map[string]string{"main.yml": commented})
			d := open(t, tr.path("main.yml"))
			must(t, change(d))
			_, err := d.Save()
			var bad *Error
			if !errors.As(err, &bad) || bad.Line == 0 || bad.File != d.Path() {
				t.Errorf("error is %v", err)
			}
			if got, _ := os.ReadFile(d.Path()); string(got) != commented {
				t.Error("the file has changed")
			}
		})
	}
}

// TestFragments edits entries where they live, makes a new fragment, and is
// not held up by a fragment that somebody else has broken.
func TestFragmentsEdited(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":     "include: [{path: conf.d/*.yml}]\nconnections: [{name: a, address: \"a:1\"}]\n",
		"conf.d/b.yml": "# of team b\nconnections:\n- {name: b, address: \"b:1\"}\n",
		"conf.d/x.yml": "connections: [",
	})
	d := open(t, tr.path("main.yml"))
	must(t, d.Set(ConnectionEntry, "b", []Setting{{Key: "region", Value: "r"}}))
	must(t, d.Add(ConnectionEntry, "c", tr.path("conf.d/c.yml"), []Setting{{Key: "address", Value: "c:1"}}))
	if err := d.Add(ConnectionEntry, "b", "", nil); err == nil || !strings.Contains(err.Error(), "b.yml:3") {
		t.Errorf("the same name twice: %v", err)
	}
	if err := d.Add(ConnectionEntry, "d", tr.path("elsewhere/d.yml"), nil); err == nil || !strings.Contains(err.Error(), "include") {
		t.Errorf("a file that nobody includes: %v", err)
	}
	if err := d.Set(ConnectionEntry, "unknown", nil); err == nil || !strings.Contains(err.Error(), "x.yml:1") {
		t.Errorf("an entry that may be in a file that cannot be read: %v", err)
	}
	if _, err := d.Save(); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"conf.d/b.yml": "# of team b\nconnections:\n- {name: b, address: \"b:1\", region: r}\n",
		"conf.d/c.yml": "connections:\n  - name: c\n    address: c:1\n",
		"conf.d/x.yml": "connections: [",
	} {
		if got, err := os.ReadFile(tr.path(file)); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v", file, got, err)
		}
	}
}

// TestMergeThreeWays merges a second import: what was edited by hand since the
// first is a conflict only where the source has changed as well.
func TestMergeThreeWays(t *testing.T) {
	first := "connections:\n- name: a\n  address: a:1\n  region: r1\n  team: t1\n  provider: p1\n"
	second := "connections:\n- name: a\n  address: a:2\n  region: r2\n  team: t1\n  provider: p1\n- name: b\n  address: b:1\n"
	now := "connections:\n- name: a\n  address: a:1\n  region: by-hand # yes\n  team: by-hand\n  provider: p1\n"
	tr := newTree(t, map[string]string{"main.yml": now})
	d := open(t, tr.path("main.yml"))
	changes, err := d.Merge([]byte(second), MergeOptions{Base: []byte(first)})
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%s %s %s %s→%s :%d", c.Action, c.Name, c.Key, c.Old, c.New, c.Line))
	}
	want := `change a address "a:1"→"a:2" :3|conflict a region by-hand→r2 :4|add b  → :0`
	if list := strings.Join(got, "|"); list != want || !errors.Is(err, ErrConflict) {
		t.Errorf("got %s, %v", list, err)
	}
	if d.Diff() != "" {
		t.Errorf("a conflict has changed something:\n%s", d.Diff())
	}
	_, err = d.Merge([]byte(second), MergeOptions{Base: []byte(first), OnConflict: ConflictKeep})
	must(t, err)
	if text := d.Text(d.Path()); text != strings.Replace(now, "a:1", "a:2", 1)+"- name: b\n  address: b:1\n" {
		t.Errorf("kept:\n%s", text)
	}
	_, err = d.Merge([]byte(second), MergeOptions{OnConflict: ConflictReplace})
	must(t, err)
	if text := d.Text(d.Path()); !strings.Contains(text, "region: r2 # yes") || !strings.Contains(text, "team: t1") {
		t.Errorf("replaced:\n%s", text)
	}
}

// TestMergePivots merges the connections of an application by their names.
func TestMergePivots(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": commented})
	d := open(t, tr.path("main.yml"))
	changes, err := d.Merge([]byte("applications: [{slug: shop, connections: [{connection: asia, priority: 9}, {connection: us, active: false}]}]\nconnections: [{name: asia, address: \"a:1\"}]"), MergeOptions{})
	must(t, err)
	if len(changes) != 3 {
		t.Errorf("changes are %v", changes)
	}
	want := strings.NewReplacer("    priority: 5\n", "    priority: 5\n    active: false\n  - {connection: asia, priority: 9}\n",
		"    # the end of us\n", "    # the end of us\n\n  - name: asia\n    address: a:1\n").Replace(commented)
	if got := d.Text(d.Path()); got != want {
		t.Errorf("got\n%s", got)
	}
	if _, err := d.Check(); err != nil {
		t.Error(err)
	}
}

func TestMergeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"connections: [{name: a, adress: x}]":                              "connections[0].adress: unknown key; did you mean \"address\"?",
		"connections: [{address: \"x:1\"}]":                                "connections[0].name: is missing",
		"connections: [{name: a}, {name: a}]":                              "is there twice",
		"connections: [{name: a, address: \"x:1\", password: <secret>}]":   "connections[0].password: is masked",
		"include: [{path: x}]":                                             "include: is not followed",
		"connections:\n  - name: a\n  address: x":                          "in.yml:3: is not valid YAML",
		"connections: [{name: eu, password: other, address: \"eu:6379\"}]": "some values differ",
	} {
		tr := newTree(t, map[string]string{"main.yml": commented})
		d := open(t, tr.path("main.yml"))
		_, err := d.Merge([]byte(text), MergeOptions{Source: "in.yml"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
		if d.Diff() != "" {
			t.Errorf("%s: has changed something", text)
		}
	}
}

// TestSaveTogether has many writers add to one file at once: what one has
// written, no other takes away.
func TestSaveTogether(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": commented})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for {
				d, err := OpenDocument(tr.path("main.yml"))
				if err == nil {
					err = d.Add(ConnectionEntry, fmt.Sprintf("w%d", i), "", []Setting{{Key: "address", Value: "w:1"}})
				}
				if err == nil {
					_, err = d.Save()
				}
				if errors.Is(err, ErrStale) {
					continue
				}
				if err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	wg.Wait()
	d := open(t, tr.path("main.yml"))
	if n := len(d.Entries(ConnectionEntry)); n != 10 {
		t.Errorf("%d connections, want 10\n%s", n, d.Text(d.Path()))
	}
}

// TestSetOneWay gives a password in another way: the old way goes, also
// behind its comment.
func TestSetOneWay(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": commented, "p": "x"})
	d := open(t, tr.path("main.yml"))
	must(t, d.Set(ConnectionEntry, "eu", []Setting{{Key: "password_file", Value: "p"}, {Key: "sentinel.master", Value: "m"}, {Key: "sentinel.addresses", Value: "s:1"}}))
	want := strings.NewReplacer("    address: redis-1.eu:6379\n", "", "    password: \"hunter2-hunter2\"   # in clear, for now\n", "    # in clear, for now\n    password_file: p\n    sentinel:\n      master: m\n      addresses: [\"s:1\"]\n").Replace(commented)
	if got := d.Text(d.Path()); got != want {
		t.Errorf("got\n%s", got)
	}
	if _, err := d.Check(); err != nil {
		t.Error(err)
	}
}

func TestReferences(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": commented})
	var got []string
	for _, r := range open(t, tr.path("main.yml")).References(ConnectionEntry, "eu") {
		got = append(got, fmt.Sprintf("%s %s %s :%d", r.Kind, r.Name, r.Key, r.Line))
	}
	if list := strings.Join(got, "|"); list != "queue shop-eu connection :35|application shop connections[0].connection :28" {
		t.Error(list)
	}
}
