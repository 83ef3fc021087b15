package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var steps = []step{stepCreate, stepWrite, stepOwner, stepSync, stepRename, stepSyncDir, stepDone}

// TestMain becomes, where it is asked to, a writer that kills itself at a step.
func TestMain(m *testing.M) {
	if at := os.Getenv("ATOMICFILE_DIE_AT"); at != "" {
		w := writer{before: func(s step) error {
			if string(s) == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return nil
		}}
		fmt.Println(w.write(os.Getenv("ATOMICFILE_PATH"), bytes.Repeat([]byte("new\n"), 1<<16), 0o600))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestKilled kills a real process at every step of a write.
func TestKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, existing := range []bool{true, false} {
		for _, at := range steps {
			t.Run(fmt.Sprintf("%s/existing=%v", at, existing), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "file")
				old := bytes.Repeat([]byte("old\n"), 1<<15)
				if existing {
					if err := os.WriteFile(path, old, 0o640); err != nil {
						t.Fatal(err)
					}
				}
				child := exec.Command(self)
				child.Env = append(os.Environ(), "ATOMICFILE_DIE_AT="+string(at), "ATOMICFILE_PATH="+path)
				out, err := child.CombinedOutput()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("the child did not die at its step: %v\n%s", err, out)
				}
				got, err := os.ReadFile(path)
				switch isNew := bytes.Equal(got, bytes.Repeat([]byte("new\n"), 1<<16)); {
				case at == stepSyncDir || at == stepDone:
					if !isNew {
						t.Errorf("after the rename the file holds %d bytes that are not the new ones (%v)", len(got), err)
					}
				case existing && !bytes.Equal(got, old):
					t.Errorf("the file holds neither what it held nor what it was to hold: %d bytes, %v", len(got), err)
				case !existing && !errors.Is(err, os.ErrNotExist):
					t.Errorf("a file has appeared: %d bytes, %v", len(got), err)
				}
				age(t, filepath.Dir(path))
				if err := Write(path, []byte("later"), 0o600); err != nil {
					t.Fatalf("a later write fails: %v", err)
				}
				if left := names(t, filepath.Dir(path)); left != "file" {
					t.Errorf("left in the directory: %s", left)
				}
			})
		}
	}
}

// TestStepFails holds that a write that fails changes nothing and leaves
// nothing.
func TestStepFails(t *testing.T) {
	for _, at := range steps[:5] {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("no space left")
		w := writer{before: func(s step) error {
			if s == at {
				return broken
			}
			return nil
		}}
		if err := w.write(path, []byte("new"), 0o600); !errors.Is(err, broken) {
			t.Errorf("%s: error is %v", at, err)
		}
		if got, _ := os.ReadFile(path); string(got) != "old" {
			t.Errorf("%s: the file holds %q", at, got)
		}
		if left := names(t, filepath.Dir(path)); left != "file" {
			t.Errorf("%s: left in the directory: %s", at, left)
		}
	}
}

func TestModeOwnerAndLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(target, 0o640); err != nil {
		t.Fatal(err)
	}
	owner := os.Getuid()
	if owner == 0 {
		owner = 65534
		if err := os.Chown(target, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(target)
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; info.Mode() != 0o640 || int(uid) != owner {
		t.Errorf("mode %v, owner %d", info.Mode(), uid)
	}
	if to, err := os.Readlink(link); err != nil || to != "target" {
		t.Errorf("the link is %q, %v", to, err)
	}
	if got, _ := os.ReadFile(target); string(got) != "new" {
		t.Errorf("the target holds %q", got)
	}
	if changed, err := WriteIfChanged(link, []byte("new"), 0o600); changed || err != nil {
		t.Errorf("the same again: %v, %v", changed, err)
	}
	after, err := os.Lstat(target)
	if err != nil || !os.SameFile(info, after) {
		t.Errorf("the same again has replaced the file (%v)", err)
	}
	if changed, err := WriteIfChanged(filepath.Join(dir, "fresh"), nil, 0o600); !changed || err != nil {
		t.Errorf("a new file: %v, %v", changed, err)
	}
}

// TestNoDirectory: the error names the directory, and not the temporary file
// that could not be made in it.
func TestNoDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	err := Write(filepath.Join(dir, "f"), nil, 0o600)
	if !errors.Is(err, os.ErrNotExist) || err.Error() != "cannot make a file in "+dir+": no such file or directory" {
		t.Errorf("error is %v", err)
	}
}

// TestTogether holds that writers beside each other do not take each other's
// temporary files away.
func TestTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	errs := make(chan error)
	for i := range 8 {
		go func() {
			var err error
			for range 20 {
				err = errors.Join(err, Write(path, bytes.Repeat([]byte{byte('a' + i)}, 4096), 0o600))
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || len(got) != 4096 || strings.Trim(string(got), string(got[:1])) != "" {
		t.Errorf("the file is mixed: %d bytes, %v", len(got), err)
	}
}

// age makes all files of a directory an hour old.
func age(t *testing.T, dir string) {
	t.Helper()
	for name := range strings.FieldsSeq(names(t, dir)) {
		then := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), then, then); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}
