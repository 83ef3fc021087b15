package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadTakesRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(at("file"), []byte("1234"), 0o600), os.Symlink(at("file"), at("link")),
		syscall.Mkfifo(at("fifo"), 0o600), os.Symlink("/dev/zero", at("device")), //nolint:gosec // nothing is executed
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "link"} {
		if text, err := Read(at(name), 4); err != nil || string(text) != "1234" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, err := Read(at("file"), 3); err == nil || !strings.Contains(err.Error(), "more than 3 bytes") {
		t.Error(err)
	}
	for _, name := range []string{"fifo", "device", "."} {
		if _, err := Read(at(name), 4); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(at("none"), 4); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
