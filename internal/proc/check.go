package proc

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// defaultPath is where LookPath looks when the worker's environment has no
// PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// LookPath finds the executable that a command's first word means to a worker:
// a name with a slash is relative to dir, another is looked for in search, the
// worker's PATH (not the supervisor's). Whether it can be executed is Check's
// matter, unless there is a better one further on. It may block on a file
// system that does not answer.
func LookPath(name, dir, search string) (string, error) {
	if name == "" {
		return "", refuse(MissingCommand, "the command is empty")
	}
	if strings.Contains(name, "/") {
		if filepath.IsAbs(name) {
			return name, nil
		}
		return filepath.Join(dir, name), nil
	}
	if search == "" {
		search = defaultPath
	}
	found := ""
	for _, place := range filepath.SplitList(search) {
		if !filepath.IsAbs(place) {
			place = filepath.Join(dir, place)
		}
		path := filepath.Join(place, name)
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			continue
		}
		if info.Mode()&0o111 != 0 {
			return path, nil
		}
		if found == "" {
			found = path
		}
	}
	if found == "" {
		return "", refuse(MissingCommand, "there is no command %q in %s", name, search)
	}
	return found, nil
}

// Check looks for mistakes in a Spec that are certain to keep it from running,
// and for what is refused on purpose. Every mistake is a *StartError, several
// are joined. What only the worker's user can find out, such as a directory it
// may not enter, shows when the worker starts. It may block on a file system
// that does not answer, so it is not for a loop that others depend on.
func Check(s *Spec) error {
	return errors.Join(checkCommand(s), checkDirectory(s), checkUser(s), checkLimits(s))
}

func checkCommand(s *Spec) error {
	if len(s.Args) == 0 {
		return refuse(MissingCommand, "the command is empty")
	}
	if !filepath.IsAbs(s.Path) {
		return refuse(MissingCommand, "the command %q is not an absolute path", s.Path)
	}
	if slices.ContainsFunc(append([]string{s.Path, s.Dir}, s.Args...), hasNUL) {
		return refuse(OtherReason, "the command or its directory contains a NUL byte")
	}
	if err := checkExecutable(s.Path); err != nil {
		return err
	}
	// Only the interpreter's own bits count for the kernel, never the script's.
	if interpreter := interpreterOf(s.Path); interpreter != "" {
		if err := checkExecutable(interpreter); err != nil {
			return &StartError{Reason: err.Reason, Doing: "the interpreter of " + s.Path, Err: err}
		}
	}
	return nil
}

func checkExecutable(path string) *StartError {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse(MissingCommand, "%s does not exist", path)
	case err != nil:
		return refuse(MissingCommand, "%w", err)
	case !info.Mode().IsRegular():
		return refuse(NotExecutable, "%s is not a file", path)
	case info.Mode()&0o111 == 0:
		return refuse(NotExecutable, "%s is not executable (mode %v)", path, info.Mode())
	case info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0, hasCapabilities(path):
		return refuse(SetuidCommand,
			"%s changes its user, group or capabilities when executed; name the worker's user in the configuration instead", path)
	}
	return nil
}

// interpreterOf returns the interpreter of a script, "" if path is none or
// cannot be read.
func interpreterOf(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close() //nolint:errcheck // nothing was written
	line, err := bufio.NewReaderSize(io.LimitReader(file, 256), 256).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	rest, script := strings.CutPrefix(line, "#!")
	fields := strings.Fields(rest)
	if !script || len(fields) == 0 || !filepath.IsAbs(fields[0]) {
		return ""
	}
	return fields[0]
}

func checkDirectory(s *Spec) error {
	if !filepath.IsAbs(s.Dir) {
		return refuse(BadDirectory, "the directory %q is not an absolute path", s.Dir)
	}
	info, err := os.Stat(s.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse(BadDirectory, "the directory %s does not exist", s.Dir)
	case err != nil:
		return refuse(BadDirectory, "%w", err)
	case !info.IsDir():
		return refuse(BadDirectory, "%s is not a directory", s.Dir)
	}
	return nil
}

func checkUser(s *Spec) error {
	switch {
	case s.User == nil && os.Geteuid() == 0:
		return refuse(BadUser, "a supervisor that runs as root needs a user for every worker")
	case s.User != nil && os.Geteuid() != 0 && !isSelf(*s.User):
		return refuse(BadUser, "only a supervisor that runs as root can run a worker as another user")
	}
	return nil
}

// isSelf reports whether id is whom an unprivileged supervisor runs as. Its
// workers then keep the supplementary groups that it has.
func isSelf(id Identity) bool {
	return int(id.UID) == os.Geteuid() && int(id.GID) == os.Getegid()
}

func checkLimits(s *Spec) error {
	var all []error
	for _, limit := range s.Limits {
		if _, known := resources()[limit.Name]; !known {
			all = append(all, refuse(BadLimit, "there is no limit %q", limit.Name))
		} else if limit.Soft > limit.Hard {
			all = append(all, refuse(BadLimit, "limit %s: the soft one is above the hard one", limit.Name))
		}
	}
	if s.Nice < -20 || s.Nice > 19 {
		all = append(all, refuse(BadLimit, "nice %d is not within -20 … 19", s.Nice))
	}
	if s.Umask != nil && *s.Umask > 0o777 {
		all = append(all, refuse(BadLimit, "umask %#o is not within 0 … 0777", *s.Umask))
	}
	return errors.Join(all...)
}

func hasNUL(s string) bool { return strings.ContainsRune(s, 0) }
