package horizon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Place is where an application lies: a process that works there is the
// application's.
type Place struct {
	dirs     []string // as configured and as it is
	releases string   // the directory of all releases, "" = there is none
	below    string   // where the application lies in a release, "" = at its top
}

// Locate finds out where an application's directory really is. The directory
// need not exist. It may block on a file system that does not answer.
//
// Deploys commonly move a link from one release to the next, as current to
// releases/42: a Horizon that was started before has another directory then,
// and is the application's all the same. So every directory beside the present
// release counts as well, if the releases have a directory of their own below
// that of the link.
func Locate(dir string) (Place, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Place{}, err
	}
	p := Place{dirs: []string{dir}}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || real == dir {
		return p, nil //nolint:nilerr // what is not there has no other name
	}
	p.dirs = append(p.dirs, real)
	for link := dir; link != "/"; link = filepath.Dir(link) {
		target, err := os.Readlink(link)
		if err != nil {
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		home, err1 := filepath.EvalSymlinks(filepath.Dir(link))
		releases, err2 := filepath.EvalSymlinks(filepath.Dir(target))
		if err1 == nil && err2 == nil && within(home, releases) {
			p.releases, p.below = releases, strings.TrimPrefix(dir, link)
		}
		break
	}
	return p, nil
}

// within reports whether path lies below dir.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != "." && filepath.IsLocal(rel)
}

// has reports whether a process is the application's by where it works, or
// where that may not be read, by the path of its artisan.
func (p Place) has(process *Process) bool {
	dir := process.Dir
	if dir == "" && filepath.IsAbs(process.script) {
		dir = filepath.Dir(process.script)
	}
	if dir == "" || slices.Contains(p.dirs, dir) {
		return dir != ""
	}
	release, ok := strings.CutSuffix(dir, p.below)
	return p.releases != "" && ok && filepath.Dir(release) == p.releases
}

// String returns the directory as configured, absolute.
func (p Place) String() string { return p.dirs[0] }
