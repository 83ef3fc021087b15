package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/generate/laravel"
)

// What an application's owner has laid out does not lead root to where only
// root may write, and what root writes there is the owner's.
func TestFilesAreTheOwners(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has rights to be given up")
	}
	const owner = 64321 // nobody's number
	base := t.TempDir()
	at := func(path string) string { return filepath.Join(base, path) }
	for dir := base; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // for the other user
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"root", "app", "app/files", "app/good"} {
		if err := os.Mkdir(at(dir), 0o755); err != nil { //nolint:gosec // for the other user
			t.Fatal(err)
		}
	}
	if err := errors.Join(
		os.Symlink(at("root"), at("app/directory")), os.Symlink(at("root/new.php"), at("app/files/database.php")), os.Symlink(at("app/files"), at("link")),
	); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"app", "app/files", "app/good", "app/directory", "app/files/database.php"} {
		if err := os.Lchown(at(path), owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := configs.Parse("test.yml", []byte(`
connections: [{name: main, address: "r:6379", password: hunter2}]
applications: [{slug: shop, connections: [{connection: main, primary: true}]}]
queues: [{name: mails, application: shop, connection: main, queue_names: [mails]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := laravel.New(cfg, "shop", laravel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	write := func(dir, envFile string) error {
		files := []laravel.File{{Name: "database.php", Mode: 0o644, Text: "<?php"}}
		if envFile != "" {
			passwords, err := plan.RenderVariables(envFile)
			if err != nil {
				return err
			}
			files = append(files, passwords)
		}
		changes, err := compareAsOwner(dir, envFile, files, func(s string) string { return s })
		if err != nil {
			return err
		}
		return applyAsOwner(envFile, changes)
	}
	for _, dir := range []string{"app/directory", "app/directory/deeper", "app/files", "link"} {
		if err := write(at(dir), ""); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "with the rights of user 64321") {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if entries, err := os.ReadDir(at("root")); err != nil || len(entries) > 0 {
		t.Errorf("written where only root may: %v, %v", entries, err)
	}
	if err := write(at("app/good/new"), at("root/shop.env")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]uint32{"app/good/new": owner, "app/good/new/database.php": owner, "root/shop.env": 0} {
		info, err := os.Lstat(at(path))
		if err != nil {
			t.Fatal(err)
		}
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != want || stat.Gid != want {
			t.Errorf("%s belongs to %d:%d, want %d", path, stat.Uid, stat.Gid, want)
		}
	}
}

// An application that anybody but root can change is not run as root.
func TestApplicationsAreRunAsWhoseTheyAre(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has rights to be given up")
	}
	dir := t.TempDir()
	for _, name := range []string{"config", "bootstrap", "bootstrap/cache"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := &importHorizon{}
	c.source.ConfigDir = filepath.Join(dir, "config")
	for _, step := range []struct{ change, want string }{{"", ""}, {"bootstrap/cache", "64321"}, {"config", "64321"}} {
		if step.change != "" {
			if err := os.Chown(filepath.Join(dir, step.change), 64321, 64321); err != nil {
				t.Fatal(err)
			}
		}
		if owner, err := c.whose(); err != nil || owner != step.want {
			t.Errorf("after %q it is %q's, want %q (%v)", step.change, owner, step.want, err)
		}
	}
}
