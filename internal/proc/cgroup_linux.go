package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// DelegatedCgroup returns the directory of the cgroup (version 2) in which this
// process may make cgroups of its own: that of its systemd unit with
// Delegate=yes, or the root of its container. The error says why there is none.
func DelegatedCgroup() (string, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	dir, err := cgroupDir(own, mounts)
	if err != nil {
		return "", err
	}
	// DelegateSubgroup= puts the process into a child of what is delegated.
	for _, candidate := range []string{dir, filepath.Dir(dir)} {
		if isDelegated(candidate) {
			return candidate, nil
		}
	}
	containerRoot := os.Getpid() == 1 && unix.Access(dir, unix.W_OK) == nil
	if containerRoot {
		return dir, nil
	}
	return "", fmt.Errorf("cgroup %s is not delegated to this process", dir)
}

// cgroupDir finds where the cgroup of a process is mounted.
func cgroupDir(own, mounts []byte) (string, error) {
	path := ""
	for line := range strings.Lines(string(own)) {
		if rest, ok := strings.CutPrefix(line, "0::"); ok {
			path = strings.TrimSuffix(rest, "\n")
		}
	}
	if path == "" {
		return "", errors.New("the process is in no cgroup of version 2")
	}
	for lines := bufio.NewScanner(bytes.NewReader(mounts)); lines.Scan(); {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		if len(fields) < 5 || !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		root, mountPoint := fields[3], fields[4]
		if rest, ok := strings.CutPrefix(path, strings.TrimSuffix(root, "/")); ok {
			return filepath.Join(mountPoint, rest), nil
		}
	}
	return "", errors.New("no cgroup file system of version 2 is mounted")
}

// isDelegated reports whether a cgroup was given away, as systemd marks it or
// by ownership.
func isDelegated(dir string) bool {
	for _, attribute := range []string{"trusted.delegate", "user.delegate"} {
		var value [1]byte
		if n, err := unix.Getxattr(dir, attribute, value[:]); err == nil && n == 1 && value[0] == '1' {
			return true
		}
	}
	return os.Geteuid() != 0 && unix.Access(dir, unix.W_OK) == nil
}

// cgroup is the parent of the workers' cgroups.
type cgroup struct {
	dir      string
	noMemory error // why memory.max cannot be set, nil if it can
}

// openCgroup prepares dir for leaves. Without the memory controller they still
// keep a worker's processes together.
func openCgroup(dir string) (*cgroup, error) {
	g := &cgroup{dir: dir}
	if err := unix.Access(filepath.Join(dir, "cgroup.procs"), unix.W_OK); err != nil {
		return nil, fmt.Errorf("cgroup %s: %w", dir, err)
	}
	g.noMemory = g.enableMemory()
	return g, nil
}

func (g *cgroup) enableMemory() error {
	controllers, err := os.ReadFile(filepath.Join(g.dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(string(controllers)), "memory") {
		return fmt.Errorf("cgroup %s: the memory controller is not available", g.dir)
	}
	enable := func() error { return writeCgroup(g.dir, "cgroup.subtree_control", "+memory") }
	err = enable()
	if !errors.Is(err, unix.EBUSY) {
		return err
	}
	// A cgroup with processes of its own cannot give controllers to its
	// children: the supervisor moves into one itself.
	own := filepath.Join(g.dir, "supervisor")
	if err := os.Mkdir(own, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := writeCgroup(own, "cgroup.procs", strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	return enable()
}

// leaf is the cgroup of one worker.
type leaf struct {
	dir    string
	handle *os.File // open while the worker is being put into it
}

// newLeaf makes a cgroup for one worker.
func (g *cgroup) newLeaf(name string, memoryMax uint64) (*leaf, error) {
	l := &leaf{dir: filepath.Join(g.dir, name)}
	if err := os.Mkdir(l.dir, 0o755); err != nil {
		return nil, err
	}
	if err := l.prepare(memoryMax, g.noMemory == nil); err != nil {
		l.remove()
		return nil, err
	}
	return l, nil
}

func (l *leaf) prepare(memoryMax uint64, memory bool) (err error) {
	if memory && memoryMax > 0 {
		if err := writeCgroup(l.dir, "memory.max", strconv.FormatUint(memoryMax, 10)); err != nil {
			return err
		}
		// One process of a worker cannot go on without the others. Linux 4.19.
		if err := writeCgroup(l.dir, "memory.oom.group", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	l.handle, err = os.Open(l.dir)
	return err
}

// processes returns how many live processes there are in the cgroup.
func (l *leaf) processes() int {
	text, err := os.ReadFile(filepath.Join(l.dir, "cgroup.procs"))
	if err != nil {
		return 0
	}
	return bytes.Count(text, []byte{'\n'})
}

// kill kills every process in the cgroup at once. Linux 5.14.
func (l *leaf) kill() error { return writeCgroup(l.dir, "cgroup.kill", "1") }

// outOfMemory reports whether the kernel killed something in the cgroup because
// of memory.max.
func (l *leaf) outOfMemory() bool {
	events, err := os.ReadFile(filepath.Join(l.dir, "memory.events"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(events)) {
		if count, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(count) != "0"
		}
	}
	return false
}

// remove removes a leaf, and reports false where something in it has not gone
// yet.
func (l *leaf) remove() bool {
	err := unix.Rmdir(l.dir)
	return err == nil || errors.Is(err, unix.ENOENT)
}

// removeLater tries to remove a child's leaf until it is empty. c.sweeps counts
// it.
func (m *Manager) removeLater(c *Child, after time.Duration) {
	time.AfterFunc(after, func() {
		select {
		case <-m.done:
			return
		default:
		}
		if !c.leaf.remove() {
			m.removeLater(c, min(2*after, time.Second))
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sweeps--
		c.checkGone()
	})
}

// writeCgroup writes a control file. It must exist: what the kernel does not
// offer is an error.
func writeCgroup(dir, file, text string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
