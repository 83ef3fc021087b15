package proc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // setuid and the umask's bits too
			t.Fatal(err)
		}
		return path
	}
	plain := file("plain", "", 0o644)
	setuid := file("setuid", "", 0o755|fs.ModeSetuid)
	setgid := file("setgid", "", 0o755|fs.ModeSetgid)
	bad := uint32(0o1000)
	cases := []struct {
		name   string
		change func(*Spec)
		reason StartReason
		text   string
	}{
		{"fine", func(*Spec) {}, "", ""},
		{"script", func(s *Spec) { s.Path = file("script", "#! /bin/sh -e\n", 0o755) }, "", ""},
		{"no path", func(s *Spec) { s.Path = "" }, MissingCommand, "absolute"},
		{"no arguments", func(s *Spec) { s.Args = nil }, MissingCommand, "empty"},
		{"no command", func(s *Spec) { s.Path = dir + "/none" }, MissingCommand, dir + "/none does not exist"},
		{"below a file", func(s *Spec) { s.Path = plain + "/none" }, MissingCommand, "not a directory"},
		{"a directory", func(s *Spec) { s.Path = dir }, NotExecutable, "not a file"},
		{"not executable", func(s *Spec) { s.Path = plain }, NotExecutable, "-rw-r--r--"},
		{"setuid", func(s *Spec) { s.Path = setuid }, SetuidCommand, setuid},
		{"setgid", func(s *Spec) { s.Path = setgid }, SetuidCommand, setgid},
		{"no interpreter", func(s *Spec) { s.Path = file("s1", "#!/no/such\n", 0o755) }, MissingCommand, "the interpreter of"},
		{"setuid interpreter", func(s *Spec) { s.Path = file("s2", "#!"+setuid+" -x", 0o755) }, SetuidCommand, setuid},
		{"NUL", func(s *Spec) { s.Args = []string{"a", "b\x00"} }, OtherReason, "NUL"},
		{"no directory", func(s *Spec) { s.Dir = dir + "/none" }, BadDirectory, "does not exist"},
		{"relative directory", func(s *Spec) { s.Dir = "srv" }, BadDirectory, "absolute"},
		{"a file as directory", func(s *Spec) { s.Dir = plain }, BadDirectory, "not a directory"},
		{"unknown limit", func(s *Spec) { s.Limits = []Limit{{"files", 1, 1}} }, BadLimit, `"files"`},
		{"limits reversed", func(s *Spec) { s.Limits = []Limit{{"nofile", 2, 1}} }, BadLimit, "nofile"},
		{"nice", func(s *Spec) { s.Nice = 20 }, BadLimit, "20"},
		{"umask", func(s *Spec) { s.Umask = &bad }, BadLimit, "01000"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			spec := shell(t, "true")
			c.change(&spec)
			err := Check(&spec)
			if c.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			start, ok := errors.AsType[*StartError](err)
			if !ok || start.Reason != c.reason || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestCheckReportsEveryMistake(t *testing.T) {
	spec := shell(t, "true")
	spec.Path, spec.Dir, spec.Nice = "/no/command", "/no/directory", 99
	err := Check(&spec)
	for _, want := range []string{"/no/command", "/no/directory", "99"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

func TestCheckUser(t *testing.T) {
	spec := shell(t, "true")
	spec.User = nil
	root := os.Geteuid() == 0
	if err := Check(&spec); (err != nil) != root {
		t.Errorf("without a user: %v", err)
	}
	spec.User = &Identity{UID: uint32(os.Geteuid()) + 1, GID: 65534}
	if err := Check(&spec); (err == nil) != root {
		t.Errorf("with another user: %v", err)
	}
}

func TestRealSetuidCommandIsRefused(t *testing.T) {
	spec := shell(t, "true")
	spec.Path = "/bin/su"
	if info, err := os.Stat(spec.Path); err != nil || info.Mode()&fs.ModeSetuid == 0 {
		t.Skip("there is no setuid su here")
	}
	if start, _ := errors.AsType[*StartError](Check(&spec)); start == nil || start.Reason != SetuidCommand {
		t.Errorf("error is %v", start)
	}
}

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]fs.FileMode{"bin/tool": 0o755, "first/tool": 0o644, "first/other": 0o644} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	search := dir + "/none:" + dir + "/first:bin"
	cases := []struct{ name, command, want string }{
		{"absolute", "/x/y", "/x/y"},
		{"relative", "./artisan", dir + "/artisan"},
		{"executable is preferred", "tool", dir + "/bin/tool"},
		{"no better one", "other", dir + "/first/other"},
		{"nowhere", "nothing", ""},
		{"empty", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := LookPath(c.command, dir, search)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	if got, err := LookPath("sh", dir, ""); err != nil || filepath.Base(got) != "sh" {
		t.Errorf("without a PATH: %q, %v", got, err)
	}
}

func TestLookupIdentity(t *testing.T) {
	cases := []struct {
		name, user, group string
		uid, gid          uint32
		err               string
	}{
		{"root", "root", "", 0, 0, ""},
		{"by number", "0", "", 0, 0, ""},
		{"another group", "root", "12345", 0, 12345, ""},
		{"number of nobody", "54321", "12345", 54321, 12345, ""},
		{"number of nobody without group", "54321", "", 0, 0, "a group is needed"},
		{"unknown user", "no-such-user", "", 0, 0, `no user "no-such-user"`},
		{"unknown group", "root", "no-such-group", 0, 0, `no group "no-such-group"`},
		{"the number that changes nothing", "4294967295", "0", 0, 0, "4294967295"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := LookupIdentity(c.user, c.group)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.UID != c.uid || got.GID != c.gid || len(got.Groups) == 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}
