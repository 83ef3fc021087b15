package laravel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	udiff "github.com/aymanbagabas/go-udiff"

	"github.com/queuefleet/queuefleet/internal/atomicfile"
)

// State is how a file on the disk compares with what it is to be.
type State string

// The states.
const (
	Unchanged State = "unchanged"
	Missing   State = "missing"
	Stale     State = "stale"    // generated from another configuration
	Edited    State = "edited"   // by hand, since it was generated
	Foreign   State = "foreign"  // not generated at all
	TooOpen   State = "too_open" // the passwords' file can be read by others
)

// Change is what would become of a file.
type Change struct {
	Path  string
	State State
	Diff  string // from what is there, without passwords

	file File
}

// MaxFile is more than any generated file has, in bytes.
const MaxFile = 64 << 20

// Compare looks at what is in dir. mask hides the secrets of a text.
func Compare(dir string, files []File, mask func(string) string) ([]Change, error) {
	var changes []Change
	for _, f := range files {
		path := f.Name
		if f.kind != envKind {
			path = filepath.Join(dir, f.Name)
		}
		c := Change{Path: path, file: f}
		old, err := atomicfile.Read(path, MaxFile)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.State = Missing
		case err != nil:
			return nil, err
		default:
			if c.State, err = f.compare(path, string(old)); err != nil {
				return nil, err
			}
		}
		if c.State != Unchanged {
			c.Diff = difference(path, string(old), f, mask)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func (f *File) compare(path, old string) (State, error) {
	body, ours, intact := f.kind.parse(old)
	switch {
	case !ours:
		return Foreign, nil
	case !intact:
		return Edited, nil
	case body != f.body:
		return Stale, nil
	case f.kind == envKind:
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		if info.Mode().Perm()&0o077 != 0 {
			return TooOpen, nil
		}
	}
	return Unchanged, nil
}

// difference is what changes, for people.
func difference(path, old string, f File, mask func(string) string) string {
	now := f.Text
	if f.kind == envKind {
		old, now = hideValues(old), hideValues(now)
		if old == now {
			return "" // passwords have changed, and nothing that can be shown
		}
	}
	return mask(udiff.Unified(path, path, hideLiterals(old), hideLiterals(now)))
}

var (
	variable = regexp.MustCompile(`(?m)^([^#\n][^=\n]*=).+$`)
	// literal matches a password that somebody has written into PHP or JSON.
	literal = regexp.MustCompile(`(?i)((?:password|passwd|secret|token|auth)['"]?\s*(?:=>|:)\s*)(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\[[^\n]*)`)
	// fallback matches what env() is to return where there is no variable.
	fallback = regexp.MustCompile(`(env\(\s*['"][^'"\n]*['"]\s*,\s*)[^)\n]*`)
	userinfo = regexp.MustCompile(`://[^@/\s'"]*@`)
)

// hideValues masks every variable's value. A change of a hash tells nothing
// either.
func hideValues(text string) string {
	var b strings.Builder
	for line := range strings.Lines(variable.ReplaceAllString(text, "${1}<secret>")) {
		if !strings.HasPrefix(line, envMark) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func hideLiterals(text string) string {
	text = userinfo.ReplaceAllString(fallback.ReplaceAllString(text, "${1}<secret>"), "://<secret>@")
	return literal.ReplaceAllStringFunc(text, func(found string) string {
		if strings.Contains(found, "env(") || strings.Contains(found, envKey) {
			return found
		}
		return literal.FindStringSubmatch(found)[1] + "<secret>"
	})
}

// ErrByHand is what Apply gives for files that it does not overwrite.
var ErrByHand = errors.New("is not overwritten")

// Refused lists the changes that would overwrite somebody's own work.
func Refused(changes []Change) error {
	var errs []error
	for _, c := range changes {
		switch c.State {
		case Edited:
			errs = append(errs, fmt.Errorf("%s was changed by hand and %w; give --force, or move the change to the configuration", c.Path, ErrByHand))
		case Foreign:
			errs = append(errs, fmt.Errorf("%s was not generated and %w; give --force, or choose another place", c.Path, ErrByHand))
		case Unchanged, Missing, Stale, TooOpen:
		}
	}
	return errors.Join(errs...)
}

// Apply brings the files to the disk, each one whole, the passwords first: so
// that no file refers to a variable that is not there yet.
func Apply(changes []Change) error {
	for _, passwords := range []bool{true, false} {
		for _, c := range changes {
			if (c.file.kind == envKind) != passwords || c.State == Unchanged {
				continue
			}
			if err := c.write(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Change) write() error {
	if err := os.MkdirAll(filepath.Dir(c.Path), 0o755); err != nil {
		return err
	}
	if c.file.kind == envKind {
		// A file that is there keeps its mode: it must be closed before it is filled.
		if err := os.Chmod(c.Path, c.file.Mode); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return atomicfile.Write(c.Path, []byte(c.file.Text), c.file.Mode)
}
