// Package atomicfile replaces files whole: whoever reads one, also after a
// crash at any moment, finds all of the old content or all of the new.
package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// marker is in the name of every temporary file, so that what a crash has left
// can be told from everything else. The leading dot keeps it out of globs.
const marker = ".atomic-"

// step is a moment of a write, for tests that end the process there.
type step string

const (
	stepCreate  step = "create"
	stepWrite   step = "write"
	stepOwner   step = "owner"
	stepSync    step = "sync"
	stepRename  step = "rename"
	stepSyncDir step = "sync-dir"
	stepDone    step = "done"
)

// writer is one Write with what happens around its steps.
type writer struct {
	before func(step) error
}

// Write puts data into the file at path. A file that is there keeps its mode
// and owner; a new one gets mode. A symbolic link stays and its target is
// replaced. Temporary files that an earlier crash has left for the same path
// are removed.
func Write(path string, data []byte, mode fs.FileMode) error {
	w := writer{before: func(step) error { return nil }}
	return w.write(path, data, mode)
}

// WriteIfChanged is Write, but leaves a file alone that holds data already. It
// reports whether it has written.
func WriteIfChanged(path string, data []byte, mode fs.FileMode) (bool, error) {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, data) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, Write(path, data, mode)
}

func (w writer) write(path string, data []byte, mode fs.FileMode) (err error) {
	target, err := follow(path)
	if err != nil {
		return err
	}
	old, err := os.Stat(target)
	switch {
	case err == nil && !old.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case err == nil:
		mode = old.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := w.before(stepCreate); err != nil {
		return err
	}
	removeStale(target)
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+marker+"*")
	if err != nil {
		return cannotMake(filepath.Dir(target), err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error that is returned says more
		}
	}()
	defer func() { err = errors.Join(err, f.Close()) }() // late: its lock says that it is in use
	if err := w.fill(f, data, old, mode); err != nil {
		return err
	}
	if err := w.before(stepRename); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	if err := w.before(stepSyncDir); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(target)); err != nil {
		return err
	}
	return w.before(stepDone)
}

// cannotMake names the directory that does not take a file, in place of a name
// that nobody has asked for.
func cannotMake(dir string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("cannot make a file in %s: %w", dir, err)
}

// fill writes the temporary file and gives it the looks of the one that it
// will replace, before anybody can see it under its name.
func (w writer) fill(f *os.File, data []byte, old fs.FileInfo, mode fs.FileMode) error {
	if err := flock(f, true); err != nil {
		return err
	}
	if err := w.before(stepWrite); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := w.before(stepOwner); err != nil {
		return err
	}
	if err := keepOwner(f, old); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil { // after chown, which takes bits away
		return err
	}
	if err := w.before(stepSync); err != nil {
		return err
	}
	return f.Sync()
}

// keepOwner gives f the owner and group of old. Who may not do that may not
// replace the file either: its owner could no longer read what is theirs.
func keepOwner(f *os.File, old fs.FileInfo) error {
	if old == nil {
		return nil
	}
	was, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if is, ok := now.Sys().(*syscall.Stat_t); ok && is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
		return fmt.Errorf("keep the owner of the file: %w", err)
	}
	return nil
}

// follow resolves symbolic links, also one whose target is not there yet.
func follow(path string) (string, error) {
	const most = 40
	for range most {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}

// removeStale removes temporary files of writes to target that have not come
// to their end. Failing to is no reason not to write.
func removeStale(target string) {
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		return
	}
	prefix := "." + filepath.Base(target) + marker
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && e.Type().IsRegular() {
			removeUnused(filepath.Join(filepath.Dir(target), e.Name()))
		}
	}
}

// fresh is the age below which a temporary file may be one that its writer has
// created and not locked yet.
const fresh = time.Minute

// removeUnused removes a temporary file unless somebody is writing it now.
func removeUnused(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close() //nolint:errcheck // read only
	if info, err := f.Stat(); err != nil || time.Since(info.ModTime()) < fresh {
		return
	}
	if flock(f, false) == nil {
		_ = os.Remove(path)
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
