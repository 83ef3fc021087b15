package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// nobody is who a supervisor of root's tests runs as. Otherwise it is the
// test's own user, and the credential nil.
func nobody(t *testing.T) (name string, who *syscall.Credential) {
	t.Helper()
	if os.Geteuid() != 0 {
		self, err := user.Current()
		if err != nil {
			t.Fatal(err)
		}
		return self.Username, nil
	}
	account, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return account.Username, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// TestWithoutRoot is the life of a supervisor of an ordinary user, who can run
// workers as nobody else.
func TestWithoutRoot(t *testing.T) {
	redistest.Need(t, "/bin/sleep")
	name, who := nobody(t)
	server := redistest.Start(t, redistest.Options{})
	dir := t.TempDir()
	config := filepath.Join(dir, "queuefleet.yml")
	configure := func(seconds int) {
		text := fmt.Sprintf("connections: [{name: main, address: %q}]\napplications: [{slug: shop}]\nqueues:\n", server.Addr)
		for pool, as := range map[string]string{"own": "", "named": ", user: " + name, "other": ", user: root"} {
			text += fmt.Sprintf("  - {name: %s, application: shop, connection: main, queue_names: [%[1]s], min_processes: 2, max_processes: 2,\n"+
				"     worker: {preset: exec, command: [/bin/sleep, \"%d\"], directory: /%s}}\n", pool, seconds, as)
		}
		write(t, config, text)
		if who != nil {
			if err := os.Chown(config, int(who.Uid), int(who.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	configure(100000)
	if who != nil {
		open(t, dir)
		open(t, filepath.Dir(built.path))
	}
	p := startProcessAs(t, who, config)
	var pids []int
	running := func(pool string) bool {
		for pid := range p.pids(pool) {
			pids = append(pids, pid)
		}
		return len(p.pids(pool)) == 2 && p.pool(pool).Outdated == 0
	}
	for _, pool := range []string{"own", "named"} {
		p.await("workers of "+pool, func() bool { return running(pool) })
		for pid := range p.pids(pool) {
			info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
			if err != nil {
				t.Fatal(err)
			}
			want := uint32(os.Geteuid())
			if who != nil {
				want = who.Uid
			}
			if got := info.Sys().(*syscall.Stat_t).Uid; got != want {
				t.Errorf("%s: a worker of user %d, want %d", pool, got, want)
			}
		}
	}
	p.await("a refusal", func() bool { return p.pool("other").CannotStart != nil })
	if why := p.pool("other").CannotStart; why.Reason != "bad_user" || !strings.Contains(why.Text, "only a supervisor that runs as root") {
		t.Errorf("a worker of root's: %+v", why)
	}
	before := p.pids("own")
	configure(100001)
	p.signal(syscall.SIGHUP)
	p.await("other workers", func() bool {
		for pid := range p.pids("own") {
			if before[pid] {
				return false
			}
		}
		return running("own") && running("named")
	})
	if status, text := p.post("/api/v1/pools/own/restart"); status != 200 {
		t.Errorf("an order: %d %s", status, text)
	}
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	for _, pid := range pids {
		if command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && strings.HasPrefix(string(command), "/bin/sleep\x00") {
			t.Errorf("worker %d is left behind", pid)
		}
	}
}
