// Package queuefleet_test holds the project to its own layout.
package queuefleet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/queuefleet/queuefleet/"

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var list []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		list = append(list, p)
	}
	if len(list) < 8 {
		t.Fatalf("go list found only %d packages", len(list))
	}
	return list
}

// mayImport says which of our packages a package may use. A new package needs
// a line here, and with it a decision.
var mayImport = map[string][]string{
	"configs":              {"internal/atomicfile"},
	"internal/atomicfile":  {},
	"internal/logging":     {},
	"internal/connection":  {"configs"},
	"internal/horizon":     {},
	"internal/mailbox":     {},
	"internal/queue":       {"configs"},
	"internal/proc":        {"configs", "internal/mailbox"},
	"collector":            {"configs", "internal/connection", "internal/queue"},
	"internal/preset":      {"configs", "internal/proc", "internal/atomicfile", "internal/generate/laravel", "internal/generate/php"},
	"supervisor":           {"configs", "internal/connection", "internal/queue", "internal/proc", "internal/preset", "internal/horizon", "internal/mailbox"},
	"internal/web":         {"configs"},
	"internal/web/fleet":   {"configs", "collector", "internal/web"},
	"internal/web/workers": {"supervisor", "internal/web"},
	"internal/app": {
		"configs", "internal/logging", "internal/connection", "internal/proc", "collector", "supervisor",
		"internal/web", "internal/web/fleet", "internal/web/workers",
	},
	"mixin":          {}, // its sources, embedded
	"internal/mixin": {"configs", "mixin", "internal/atomicfile"},
	"internal/demo":  {"configs", "internal/app", "internal/queue", "internal/mixin", "internal/proc"},
	"cmd/queuefleet_exporter": {
		"configs", "internal/app", "internal/logging", "internal/connection", "internal/web", "collector",
	},
	"cmd/queuefleet_supervisor": {"internal/app", "internal/logging", "internal/proc"},
	"cmd/qftool": {
		"configs", "internal/app", "internal/atomicfile", "internal/demo", "internal/mixin", "internal/logging", "internal/connection", "internal/queue", "internal/proc", "collector", "supervisor",
		"internal/generate/php", "internal/generate/laravel", "internal/horizon",
		"internal/generate/platform",
		"internal/convert/horizon", "internal/convert/redisexporter",
		"internal/convert/supervisord",
	},
	"internal/generate/php":          {"internal/proc"},
	"internal/generate/laravel":      {"configs", "internal/atomicfile", "internal/generate/php"},
	"internal/generate/platform":     {"configs", "internal/atomicfile"},
	"internal/convert/horizon":       {"configs", "internal/generate/php"},
	"internal/convert/redisexporter": {"configs"},
	"internal/convert/supervisord":   {"configs"},
	// For tests only: no program may use them.
	"internal/redistest":   {},
	"internal/laraveltest": {"internal/redistest"},
	"internal/horizontest": {},
}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range packages(t) {
		allowed, known := mayImport[p.ImportPath]
		if !known && p.ImportPath != strings.TrimSuffix(module, "/") {
			t.Errorf("%s is not in mayImport: say there what it may use", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			ours, isOurs := strings.CutPrefix(imported, module)
			if isOurs && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", p.ImportPath, ours)
			}
		}
	}
}

// only lists packages that one room alone may import.
var only = map[string][]string{
	"gopkg.in/yaml.v3":            {"configs"},
	"github.com/go-kit/log":       {"internal/logging"},
	"github.com/go-kit/log/level": {"internal/logging"},
	"os/exec":                     {"internal/redistest", "internal/laraveltest"},
	"net/http/pprof":              {"internal/web"},
	"log":                         {},
	"golang.org/x/sys/unix":       {"internal/proc"},
}

func TestRoomsOfLibraries(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if rooms, restricted := only[imported]; restricted && !slices.Contains(rooms, p.ImportPath) {
				t.Errorf("%s must not import %s: that lives in %v", p.ImportPath, imported, rooms)
			}
		}
	}
}
