package configs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	maxSecretBytes = 64 << 10
	maxPEMBytes    = 1 << 20
)

var (
	errDirectory  = errors.New("is a directory")
	errNotRegular = errors.New("is not a regular file")
	errOutside    = errors.New("leads outside secret_dir")
)

func tooLarge(limit int) error {
	if limit >= 1<<20 {
		return fmt.Errorf("is larger than %d MiB", limit>>20)
	}
	return fmt.Errorf("is larger than %d KiB", limit>>10)
}

// joinPath makes a path that stands in a file of directory dir usable from
// where the program runs.
func joinPath(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// digest stands for what a file held: zero where it could not be read.
type digest [sha256.Size]byte

// reader reads every file once per Load and remembers what it held, so that
// the watcher can tell later whether anything has changed since.
type reader struct {
	read  map[asked]*fileRead
	roots map[string]*os.Root
	seen  map[asked]digest
}

// asked is how a file was asked for: not below a directory where below is "".
type asked struct {
	path, below string
	limit       int
}

type fileRead struct {
	text string
	mode fs.FileMode
	err  error
}

func newReader() *reader {
	return &reader{read: map[asked]*fileRead{}, roots: map[string]*os.Root{}, seen: map[asked]digest{}}
}

func (r *reader) close() {
	for _, root := range r.roots {
		_ = root.Close() // read only
	}
}

// file reads a regular file of at most limit bytes. Where below is given, the
// file has to lie in that directory, symbolic links resolved.
func (r *reader) file(path, below string, limit int) *fileRead {
	key := asked{path, below, limit}
	if got, ok := r.read[key]; ok {
		return got
	}
	got := &fileRead{}
	got.text, got.mode, got.err = r.open(path, below, limit)
	r.read[key] = got
	r.seen[key] = got.digest()
	return got
}

func (f *fileRead) digest() digest {
	if f.err != nil {
		return digest{}
	}
	h := sha256.New()
	_, _ = io.Copy(struct{ io.Writer }{h}, struct{ io.Reader }{strings.NewReader(f.text)}) // piece by piece, not as a copy
	return digest(h.Sum(nil))
}

// open does not wait for somebody to write into a FIFO, and reads nothing
// from what is no regular file.
func (r *reader) open(path, below string, limit int) (string, fs.FileMode, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	var f *os.File
	var err error
	if below == "" {
		f, err = os.OpenFile(path, flags, 0)
	} else {
		f, err = r.openBelow(path, below, flags)
	}
	if err != nil {
		return "", 0, plainError(err)
	}
	defer f.Close() //nolint:errcheck // read only
	text, mode, err := readRegular(f, limit)
	return text, mode, plainError(err)
}

func (r *reader) openBelow(path, below string, flags int) (*os.File, error) {
	rel, ok := relativeTo(below, path)
	if !ok {
		return nil, errOutside
	}
	root, ok := r.roots[below]
	if !ok {
		var err error
		if root, err = os.OpenRoot(below); err != nil {
			return nil, err
		}
		r.roots[below] = root
	}
	return root.OpenFile(rel, flags, 0)
}

// relativeTo returns path relative to dir where it lies below it by its name.
func relativeTo(dir, path string) (string, bool) {
	rel, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return rel, true
}

func readRegular(f *os.File, limit int) (string, fs.FileMode, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", 0, err
	case info.IsDir():
		return "", 0, errDirectory
	case !info.Mode().IsRegular():
		return "", 0, errNotRegular
	case info.Size() > int64(limit):
		return "", 0, tooLarge(limit)
	}
	var text strings.Builder
	text.Grow(int(info.Size()))
	_, err = io.Copy(&text, io.LimitReader(f, int64(limit)+1))
	if err == nil && text.Len() > limit {
		err = tooLarge(limit)
	}
	return text.String(), info.Mode(), err
}

// plainError leaves only the reason of a file error: the path is in the
// message already.
func plainError(err error) error {
	var pathErr *fs.PathError
	if !errors.As(err, &pathErr) {
		return err
	}
	if strings.Contains(pathErr.Err.Error(), "escapes") {
		return errOutside
	}
	return pathErr.Err
}

// names lists the files that were asked for, sorted.
func (r *reader) names() []string {
	names := make([]string, 0, len(r.seen))
	for key := range r.seen {
		names = append(names, key.path)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
