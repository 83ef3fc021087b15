package mixin

import (
	"fmt"
	"io/fs"
	"path"

	"github.com/google/go-jsonnet"
)

// importer finds imports beside the importing file, in files alone.
type importer struct {
	files fs.FS
	seen  map[string]jsonnet.Contents
}

// Import implements jsonnet.Importer.
func (i *importer) Import(importedFrom, importedPath string) (jsonnet.Contents, string, error) {
	name := path.Join(path.Dir(importedFrom), importedPath)
	if contents, ok := i.seen[name]; ok {
		return contents, name, nil
	}
	text, err := fs.ReadFile(i.files, name)
	if err != nil {
		return jsonnet.Contents{}, "", fmt.Errorf("import %q: %w", importedPath, err)
	}
	i.seen[name] = jsonnet.MakeContentsRaw(text)
	return i.seen[name], name, nil
}

// newVM returns a machine that imports from files.
func newVM(files fs.FS) *jsonnet.VM {
	vm := jsonnet.MakeVM()
	vm.Importer(&importer{files: files, seen: map[string]jsonnet.Contents{}})
	return vm
}

// evaluateFile evaluates a user's file, which may import what lies around it,
// and returns JSON.
func evaluateFile(name string) (string, error) { return jsonnet.MakeVM().EvaluateFile(name) }
