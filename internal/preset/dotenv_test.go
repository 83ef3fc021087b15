package preset

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvironmentFile(t *testing.T) {
	text := "\ufeff# comment\r\n" + `
APP_NAME=Shop
export  APP_ENV = production   # which one
SPACED=a b  c
EMPTY=
ONLY_COMMENT= # nothing
HASH=a#b
SINGLE='as it \n is # ${APP_NAME}' # comment
DOUBLE="a \"b\" \$c \\ \t# ${APP_NAME}-${APP_ENV}"
LINES="first
second"
exported=1
URL=https://${APP_NAME}/x?a=b
APP_NAME=Later
DOLLAR=$APP_NAME
`
	want := map[string]string{
		"APP_NAME": "Later", "APP_ENV": "production", "SPACED": "a b  c", "EMPTY": "", "ONLY_COMMENT": "", "HASH": "a#b",
		"SINGLE": `as it \n is # ${APP_NAME}`, "DOUBLE": "a \"b\" $c \\ \t# Shop-production", "LINES": "first\nsecond", "exported": "1",
		"URL": "https://Shop/x?a=b", "DOLLAR": "$APP_NAME",
	}
	got, err := parseEnvironment("shop.env", text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestEnvironmentFileMistakes(t *testing.T) {
	bomb := "A=" + strings.Repeat("x", 4096) + "\n"
	for range 6 {
		bomb += `A="` + strings.Repeat("${A}", 16) + "\"\n"
	}
	for text, want := range map[string]string{
		"A=1\nsecret":               "x.env:2: there is no =",
		"A=1\n\n1A=secret":          "x.env:3: what is before the =",
		"A B=secret":                "x.env:1: what is before the =",
		"A='secret\nsecret\nsecret": "x.env:1: the closing quote is missing",
		`A="secret" secret`:         "x.env:1: something follows the closing quote",
		`A="\secret"`:               `x.env:1: after \ only`,
		"A=${SECRET}":               "x.env:1: ${…} names a variable that is not set",
		"A=${SECRET":                "x.env:1: ${ has no }",
		`A="${SECRET"`:              "x.env:1: ${ has no }",
		"A=\xff":                    "x.env is not a text",
		"A=\x00":                    "x.env is not a text",
		bomb:                        "a value is longer than",
	} {
		_, err := parseEnvironment("x.env", text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("%.40q: %v; want %s", text, err, want)
		}
	}
}

func TestReadEnvironment(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "a.env"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(file, []byte("A=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := readEnvironment(file, ""); err != nil || got["A"] != "1" {
		t.Errorf("%v, %v", got, err)
	}
	for path, want := range map[string]string{
		pipe: "is not a file", dir: "is not a file", file + "x": "no such file", filepath.Join(dir, "b.env"): "no such file",
	} {
		if _, err := readEnvironment(path, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := os.WriteFile(file, make([]byte, maxEnvironmentFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readEnvironment(file, ""); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("a large file: %v", err)
	}
}

// A tenant's file does not lead to another's, whatever is put in its place.
func TestReadEnvironmentBelow(t *testing.T) {
	dir := t.TempDir()
	shop, bank := filepath.Join(dir, "shop"), filepath.Join(dir, "bank")
	for _, tenant := range []string{shop, bank} {
		if err := os.Mkdir(tenant, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tenant, "a.env"), []byte("A=1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../bank/a.env", filepath.Join(shop, "link")); err != nil {
		t.Fatal(err)
	}
	if got, err := readEnvironment(filepath.Join(shop, "a.env"), shop); err != nil || got["A"] != "1" {
		t.Errorf("%v, %v", got, err)
	}
	for _, path := range []string{filepath.Join(shop, "link"), filepath.Join(bank, "a.env"), filepath.Join(shop, "../bank/a.env")} {
		if got, err := readEnvironment(path, shop); err == nil {
			t.Errorf("%s is read: %v", path, got)
		}
	}
}

// What comes later wins, and nothing is inherited.
func TestEnvironmentOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.env")
	if err := os.WriteFile(file, []byte("REDIS_HOST=file\nREDIS_URL=redis://file\nA=file\nB=file\nPATH=/bin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("QUEUEFLEET_TEST_INHERITED", "yes")
	in := input(t, one("", "", asUser()+"command: [sh, artisan, 'queue:work'], environment: {A: mine, APP_CONFIG_CACHE: mine}, environment_file: "+file))
	s, err := buildLaravel(in)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"REDIS_HOST": "redis-1.eu", "REDIS_URL": "", "A": "mine", "B": "file", "PATH": "/bin", "APP_CONFIG_CACHE": "mine", "QUEUEFLEET_TEST_INHERITED": "",
	} {
		if got, _ := s.Env.Lookup(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if s.Path != "/bin/sh" {
		t.Errorf("the command is %s", s.Path)
	}
	if err := os.WriteFile(file, []byte("\n\noops\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = buildLaravel(in)
	if reason, text := Explain(orNone(err)); reason != ReasonBadConfiguration || !strings.Contains(text, "worker.environment_file: a.env:3: ") {
		t.Errorf("the error is %s: %s", reason, text)
	}
}

func FuzzEnvironmentFile(f *testing.F) {
	for _, text := range []string{"A=1\n", "export A='x\ny'\nB=\"${A}\\n\"#", "A=\"\\", "A='", "export=1", "A=${", "\ufeff#\r\nA = b # c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseEnvironment("x.env", text)
		if (got == nil) == (err == nil) {
			t.Fatalf("%v, %v", got, err)
		}
		size := 0
		for name, value := range got {
			if size += len(value); !variableName.MatchString(name) || size > maxEnvironmentFile {
				t.Fatalf("%q", name)
			}
		}
	})
}
