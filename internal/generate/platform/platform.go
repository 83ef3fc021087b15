// Package platform writes what a machine needs to run Queuefleet from the
// configuration that Queuefleet runs by: units for systemd and scrape
// configurations for Prometheus.
package platform

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/queuefleet/queuefleet/internal/atomicfile"
)

// File is a generated file. Its content begins with a line that holds a digest
// of the rest, by which a change by hand is noticed.
type File struct {
	Name string // without a directory
	Text string
}

const (
	markBegin = "# Made by qftool generate, sha256:"
	markEnd   = ". A file that was changed by hand is not overwritten.\n"
)

// NewFile puts the marking line above a body.
func NewFile(name, body string) File { return File{name, markBegin + digest(body) + markEnd + body} }

func digest(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:8])
}

// untouched reports whether text is what was generated once.
func untouched(text string) bool {
	first, body, _ := strings.Cut(text, "\n")
	return first+"\n" == markBegin+digest(body)+markEnd
}

// Result says what has become of a file.
type Result string

// The results of Write.
const (
	Written   Result = "written"
	Unchanged Result = "unchanged"
	Edited    Result = "edited" // by hand, and therefore left alone
)

// Outcome is what Write did with one file.
type Outcome struct {
	Path   string `json:"path"`
	Result Result `json:"result"`
	Diff   string `json:"diff,omitempty"` // from the edited file to what would be written
}

// Write puts files into dir, which it makes where it is missing, each whole or not at all. One that is there and
// that was changed by hand, or that was not generated, is left alone unless
// force is set.
func Write(dir string, files []File, force bool) ([]Outcome, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var outcomes []Outcome
	for _, f := range files {
		o := Outcome{Path: filepath.Join(dir, f.Name)}
		old, err := os.ReadFile(o.Path)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return outcomes, err
		case err == nil && string(old) == f.Text:
			o.Result = Unchanged
		case err == nil && !untouched(string(old)) && !force:
			o.Result = Edited
			o.Diff = udiff.Unified(o.Path, o.Path+" (generated)", string(old), f.Text)
		default:
			o.Result = Written
			if err := atomicfile.Write(o.Path, []byte(f.Text), 0o644); err != nil {
				return outcomes, fmt.Errorf("write %s: %w", o.Path, err)
			}
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}
