package laravel

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/queuefleet/queuefleet/internal/generate/php"
)

//go:embed verify.php
var verifyScript string

// Verify has PHP check the syntax of files and read them back: what it finds
// must be what was meant.
func Verify(ctx context.Context, p *php.Interpreter, files []File) (err error) {
	dir, err := os.MkdirTemp("", "queuefleet-verify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var paths []string
	var meant []any
	for _, f := range files {
		if f.value == nil {
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.WriteFile(path, []byte(f.Text), 0o600); err != nil {
			return err
		}
		if err := p.Lint(ctx, path); err != nil {
			return err
		}
		paths, meant = append(paths, path), append(meant, tree(f.value))
	}
	if len(paths) == 0 {
		return nil
	}
	var read []any
	if err := p.Ask(ctx, php.Call{Dir: dir}, verifyScript, paths, &read); err != nil {
		return err
	}
	for i, path := range paths {
		if i >= len(read) || !sameTree(read[i], meant[i]) {
			return fmt.Errorf("%s: PHP reads something else in it than was written", filepath.Base(path))
		}
	}
	return nil
}

// sameTree compares what PHP has reported with a tree.
func sameTree(read, meant any) bool {
	text, err := json.Marshal(meant)
	if err != nil {
		return false
	}
	var again any
	return json.Unmarshal(text, &again) == nil && reflect.DeepEqual(read, again)
}
