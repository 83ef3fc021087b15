package horizon

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// table writes a process table: each line is PID PPID DIR COMMAND….
func table(t *testing.T, lines string) string {
	t.Helper()
	root := t.TempDir()
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(root, "stat"), "cpu 1 2 3\nbtime 1700000000\n")
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		dir := filepath.Join(root, fields[0])
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		state := "S"
		if fields[2] == "zombie" {
			state = "Z"
		}
		write(filepath.Join(dir, "stat"), fmt.Sprintf("%s (p) p (x) %s %s 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0\n", fields[0], state, fields[1]))
		write(filepath.Join(dir, "cmdline"), strings.Join(fields[3:], "\x00")+"\x00")
		if err := os.Symlink(fields[2], filepath.Join(dir, "cwd")); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func pids(list []Process) []int {
	numbers := []int{}
	for _, p := range list {
		numbers = append(numbers, p.PID)
	}
	return numbers
}

func TestTree(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"shop/releases/1", "shop/releases/2", "blog", "shop2/releases/1"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("releases/2", filepath.Join(base, "shop/current")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("shop", filepath.Join(base, "alias")); err != nil {
		t.Fatal(err)
	}
	root := table(t, strings.ReplaceAll(`
10 1 BASE/shop/releases/2 sudo -u www php artisan horizon
11 10 BASE/shop/releases/2 php artisan horizon --environment=production
12 11 BASE/shop/releases/2 sh -c exec php artisan horizon:supervisor
13 12 BASE/shop/releases/2 php artisan horizon:supervisor web-1-abcd:mails redis --parent-id=11 --queue=mails,news
14 13 /elsewhere /usr/bin/php8.2 -d x=1 artisan horizon:work redis --name=default --supervisor=web-1-abcd:mails --queue=mails
20 1 BASE/blog php artisan horizon
21 20 BASE/blog php artisan horizon:supervisor web-1-blog:mails redis --queue=mails
30 1 BASE/shop/releases/1 php artisan horizon:work redis --supervisor=web-1-gone:mails --queue=old
31 1 BASE/shop2/releases/1 php artisan horizon:work redis --supervisor=web-1-else:mails --queue=old
32 1 zombie php artisan horizon:work redis --supervisor=web-1-gone:mails
33 1 BASE/shop/releases/2 php artisan horizon:terminate
34 1 BASE/shop/releases/2 php artisan queue:work redis --queue=horizon
35 1 BASE/shop/releases/2 vi horizon
36 1 BASE/shop/releases/1 php BASE/shop/releases/1/artisan horizon:supervisor web-1-lost:mails redis --queue=mails
37 36 BASE/shop/releases/1 php artisan horizon:work redis --supervisor=web-1-lost:mails --queue=mails`, "BASE", base))
	s, err := scan(root)
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string][4][]int{ // masters, supervisors, workers, orphans
		"shop/current":    {{11}, {13}, {14}, {30, 36, 37}},
		"shop/releases/2": {{11}, {13}, {14}, {}},
		"alias/current":   {{11}, {13}, {14}, {30, 36, 37}},
		"blog":            {{20}, {21}, {}, {}},
		"nowhere":         {{}, {}, {}, {}},
	} {
		place, err := Locate(filepath.Join(base, dir))
		if err != nil {
			t.Fatal(err)
		}
		tree := s.Of(place)
		got := [4][]int{{}, {}, {}, pids(tree.Orphans)}
		for _, m := range tree.Masters {
			if m.PID == 11 && !slices.Equal(m.Above, []int{10, 1}) {
				t.Errorf("%s: above %d are %v", dir, m.PID, m.Above)
			}
			got[0] = append(got[0], m.PID)
			got[1] = append(got[1], pids(m.Supervisors)...)
			got[2] = append(got[2], pids(m.Workers)...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dir, diff)
		}
	}
	for _, p := range s.Processes {
		if p.PID == 13 && (p.Name != "web-1-abcd:mails" || p.Queues != "mails,news" || p.Started.Unix() != 1700000005 ||
			p.Command != "artisan horizon:supervisor web-1-abcd:mails redis --queue=mails,news") {
			t.Errorf("supervisor: %+v", p)
		}
	}
}

func TestAliveKnowsWhoItMeans(t *testing.T) {
	root := table(t, "40 1 /x php artisan horizon\n41 1 zombie php artisan horizon\n")
	for id, want := range map[ID]bool{{40, 500}: true, {40, 499}: false, {41, 500}: false, {42, 500}: false} {
		if got, err := alive(root, id); got != want || err != nil {
			t.Errorf("%v: %v, %v", id, got, err)
		}
	}
}
