package mixin

import (
	"os"
	"path/filepath"

	"github.com/queuefleet/queuefleet/internal/atomicfile"
)

// Written is what Write has done with one file.
type Written struct {
	Path    string `json:"path"`
	Changed bool   `json:"changed"`
}

// Write puts the files below dir, each of them whole or not at all. Those that
// hold the same already are left alone, and so is everything else in dir.
func Write(dir string, files []File) ([]Written, error) {
	var written []Written
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return written, err
		}
		changed, err := atomicfile.WriteIfChanged(path, []byte(f.Text), 0o644)
		if err != nil {
			return written, err
		}
		written = append(written, Written{path, changed})
	}
	return written, nil
}
