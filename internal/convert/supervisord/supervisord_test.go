package supervisord

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/shlex"

	"github.com/queuefleet/queuefleet/configs"
)

func TestCommandsAreUnwrapped(t *testing.T) {
	for line, want := range map[string]string{
		"php artisan queue:work":                       "[php artisan queue:work] 0",
		"exec /usr/bin/env php artisan queue:work":     "[php artisan queue:work] 0",
		"nice -n 7 php artisan queue:work":             "[php artisan queue:work] 7",
		"nice -10 php artisan queue:work":              "[php artisan queue:work] 10",
		"sh -c 'exec php artisan queue:work'":          "[php artisan queue:work] 0",
		"bash -lc 'cd /srv && php artisan queue:work'": "[] 0 shell",
		"bash run.sh": "[] 0 shell",
		"sudo -u www-data php artisan queue:work": "[] 0 user",
		"nice": "[] 0 command",
		"env DB_PASSWORD=hunter2 php artisan queue:work": "[] 0 variables",
		"env -i php artisan queue:work":                  "[] 0 variables",
	} {
		words, err := shlex.Split(line)
		if err != nil {
			t.Fatal(err)
		}
		rest, nice, why := unwrap(words, shlex.Split)
		got := fmt.Sprint(rest, nice)
		for _, word := range []string{"shell", "user", "command", "variables"} {
			if strings.Contains(why, word) {
				got += " " + word
				break
			}
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`A="1",B='2 , "3"', C=x y,D=`: {"A": "1", "B": `2 , "3"`, "C": "x y", "D": ""},
		"A=1,\n\tB=%(here)s/b":        {"A": "1", "B": "/etc/b"},
		"":                            {},
	} {
		p := &section{at: configs.Position{File: "/etc/x.conf"}, options: map[string]option{"environment": {value: text}}}
		if got, err := readEnvironment(p); err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{`A="hunter2`, "hunter2", "A=%(ENV_hunter)s", "A=1%"} {
		p := &section{options: map[string]option{"environment": {value: text}}}
		if _, err := readEnvironment(p); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDotenv(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	text := "# c\nexport A=1 # c\nB=\"x ${A} \\\"y\\\"\" # c\nC='${A} # not'\nD=${B}-${NONE}\nE=\n=x\nnothing\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readDotenv(file)
	want := map[string]string{"A": "1", "B": `x 1 "y"`, "C": "${A} # not", "D": `x 1 "y"-`, "E": ""}
	delete(got, "")
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestRedisOf makes of an application's variables what Laravel makes of them.
func TestRedisOf(t *testing.T) {
	for _, test := range []struct {
		values map[string]string
		want   string
	}{
		{map[string]string{"REDIS_HOST": "h"}, "h h:6379 0 false  "},
		{map[string]string{"REDIS_HOST": "tls://h", "REDIS_PORT": "1", "REDIS_PASSWORD": "null", "REDIS_DB": "3"}, "h h:1 3 true  "},
		{map[string]string{"REDIS_HOST": "ignored", "REDIS_URL": "rediss://u:p%40@h:2/5", "REDIS_DB": "1"}, "h h:2 5 true u p@"},
		{map[string]string{"REDIS_HOST": "/run/redis.sock"}, "run-redis.sock unix:///run/redis.sock 0 false  "},
	} {
		c, err := redisOf(test.values)
		if got := fmt.Sprintf("%s %s %d %v %s %s", c.Name, c.Address, c.Database, c.TLS != nil, c.Username, c.Password.Reveal()); err != nil || got != test.want {
			t.Errorf("%v: got %q, %v", test.values, got, err)
		}
	}
	for _, values := range []map[string]string{{}, {"REDIS_URL": "hunter2"}, {"REDIS_HOST": "h", "REDIS_DB": "hunter2"}} {
		if _, err := redisOf(values); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v: %v", values, err)
		}
	}
}

// TestIncludes: an include of a file that is included does not count, and no
// file counts twice.
func TestIncludes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.conf":    "[include]\nfiles = sub/*.conf sub/a.conf none/*.ini\n",
		"sub/a.conf":   "[program:a]\ncommand=php artisan queue:work\n[include]\nfiles=../other.conf\n",
		"other.conf":   "[program:other]\ncommand=x\n",
		"sub/skip.txt": "[",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Convert(Input{Paths: []string{filepath.Join(dir, "main.conf"), filepath.Join(dir, "sub")}, Connection: "eu"})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Queues) != 1 || found.Programs != 1 || found.Queues[0].Name != "a" || found.Queues[0].Connection != "eu" {
		t.Errorf("got %+v", found)
	}
	var said strings.Builder
	for _, w := range found.Warnings {
		said.WriteString(w.String() + "\n")
	}
	for _, want := range []string{"[include] of a file that is included itself", "a pattern names no file"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in %s", want, said.String())
		}
	}
}
