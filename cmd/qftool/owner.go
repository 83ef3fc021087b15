package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/queuefleet/queuefleet/internal/generate/laravel"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// asOwner runs f, which uses files below dir. Where this program is root and
// somebody else owns a directory on the way there, f has that user's rights to
// files and no others: a link that they have laid out, or put there at the last
// moment, leads nowhere they may not go themselves, and new files are theirs.
func asOwner(dir string, f func() error) error {
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		return f()
	}
	owner, place, err := ownerOnTheWay(dir)
	if err != nil {
		return err
	}
	if owner == nil {
		return f()
	}
	if err := proc.WithFilesOf(owner, f); err != nil {
		return fmt.Errorf("with the rights of user %d, whose %s is: %w", owner.UID, place, err)
	}
	return nil
}

// ownerOnTheWay returns who else than root owns the innermost directory or link
// on the way to dir, and which that is; nil where root owns all.
func ownerOnTheWay(dir string) (owner *proc.Identity, place string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, "", err
	}
	ways := []string{dir}
	// Links that root has made lead to directories with owners of their own.
	for at := dir; ; at = filepath.Dir(at) {
		real, err := filepath.EvalSymlinks(at)
		if err == nil {
			ways = append(ways, real)
			break
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	for _, way := range ways {
		for at := way; ; at = filepath.Dir(at) {
			info, err := os.Lstat(at)
			if err == nil {
				if uid, ok := ownerID(info); ok && uid != 0 {
					owner, err := identityOf(info)
					return owner, at, err
				}
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return nil, "", nil
}

// identityOf is the owner of a file, with the file's group where the system
// does not know the user.
func identityOf(info fs.FileInfo) (*proc.Identity, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	id, group := fmt.Sprint(stat.Uid), ""
	if _, err := user.LookupId(id); err != nil {
		group = fmt.Sprint(stat.Gid)
	}
	return proc.LookupIdentity(id, group)
}

// compareAsOwner is laravel.Compare with the rights of those whose files they
// are; envFile, which may be "", lies somewhere else.
func compareAsOwner(dir, envFile string, files []laravel.File, mask func(string) string) (all []laravel.Change, err error) {
	for _, f := range files {
		at := dir
		if envFile != "" && f.Name == envFile {
			at = filepath.Dir(envFile)
		}
		if err := asOwner(at, func() error {
			changes, err := laravel.Compare(dir, []laravel.File{f}, mask)
			all = append(all, changes...)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// applyAsOwner is laravel.Apply with the rights of those whose files they are.
func applyAsOwner(envFile string, changes []laravel.Change) error {
	for _, passwords := range []bool{true, false} {
		for _, c := range changes {
			if passwords != (envFile != "" && c.Path == envFile) {
				continue
			}
			if err := asOwner(filepath.Dir(c.Path), func() error { return laravel.Apply([]laravel.Change{c}) }); err != nil {
				return err
			}
		}
	}
	return nil
}
