package proc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWithFilesOf(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has files that others may not use")
	}
	base := t.TempDir()
	if err := os.Chmod(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	private, open := filepath.Join(base, "private"), filepath.Join(base, "open")
	for dir, mode := range map[string]os.FileMode{base: 0o755, private: 0o755, open: 0o777} {
		if err := errors.Join(os.MkdirAll(dir, mode), os.Chmod(dir, mode)); err != nil {
			t.Fatal(err)
		}
	}
	nobody := &Identity{UID: 65534, GID: 65534, Groups: []uint32{65534}}
	err := WithFilesOf(nobody, func() error {
		if err := os.WriteFile(filepath.Join(private, "file"), nil, 0o600); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a directory of root's: %v", err)
		}
		return os.WriteFile(filepath.Join(open, "file"), []byte("x"), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(open, "file"))
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 65534 || owner.Gid != 65534 {
		t.Errorf("the file belongs to %d:%d", owner.Uid, owner.Gid)
	}
	// Other goroutines keep their rights.
	for range 50 {
		done := make(chan error)
		go func() { done <- os.WriteFile(filepath.Join(private, "file"), nil, 0o600) }()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}
