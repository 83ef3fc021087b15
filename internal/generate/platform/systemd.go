package platform

import (
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// The units' names.
const (
	ExporterUnit   = "queuefleet-exporter.service"
	SupervisorUnit = "queuefleet-supervisor.service"
)

const (
	// stopMargin is what systemd waits beyond the last worker's deadline: for the
	// supervisor to kill, to reap and to write the last lines of output.
	stopMargin = 30 * time.Second
	// leastFiles is what either program needs beside its Redis connections and
	// workers: listeners, scrapes, files that are read.
	leastFiles = 4096
	// filesPerWorker are the pipe of its output, its process and its cgroup, with
	// as much again for one that replaces it.
	filesPerWorker = 8
	rootUser       = "root"
)

//go:embed exporter.service.tmpl
var exporterTemplate string

//go:embed supervisor.service.tmpl
var supervisorTemplate string

// Systemd says what the units are to hold beyond what the configuration says.
type Systemd struct {
	ConfigFile     string // absolute
	BinDir         string // where the programs are
	User           string // that the exporter runs as
	SupervisorUser string // root, or the one user that all workers run as
	SupervisorName string // empty: that of the machine; else only its pools count
	StateDir       string // of the supervisor; empty: none
	WebConfigFile  string // absolute; empty: none

	RunsHere func(*configs.Queue) bool // whether the supervisor runs the workers of a queue configuration
}

// unit is what the templates are filled with.
type unit struct {
	Unit, User, Command, ConfigFile  string
	Root, Home                       bool
	RuntimeDirectory, StateDirectory string
	NoFile, StopSeconds              int
	NoFileReason, StopReason         string
	Credentials                      []systemdCredential
}

// systemdCredential is a key file that systemd hands to the unit.
type systemdCredential struct {
	Name   string
	Source string // the file on the machine
	Bind   string // puts the copy in Source's place, where the configuration names Source
}

// Units returns the units of the exporter and of the supervisor, with what
// deserves a second look.
func (s Systemd) Units(cfg *configs.Config) ([]File, []string, error) {
	if err := s.check(); err != nil {
		return nil, nil, err
	}
	exporter, err := fill(ExporterUnit, exporterTemplate, s.exporter(cfg))
	if err != nil {
		return nil, nil, err
	}
	supervisor, err := fill(SupervisorUnit, supervisorTemplate, s.supervisor(cfg))
	if err != nil {
		return nil, nil, err
	}
	return []File{exporter, supervisor}, s.warnings(cfg), nil
}

// check refuses what would not be one word of a unit.
func (s Systemd) check() error {
	var errs []error
	for flag, path := range map[string]string{"--config.file": s.ConfigFile, "--bin.dir": s.BinDir, "--state.dir": s.StateDir, "--web.config.file": s.WebConfigFile} {
		if path != "" && !filepath.IsAbs(path) {
			errs = append(errs, fmt.Errorf("%s: %q is not an absolute path, which systemd needs", flag, path))
		}
	}
	for flag, user := range map[string]string{"--user": s.User, "--supervisor.user": s.SupervisorUser} {
		if user == "" || strings.ContainsAny(user, " \t\r\n%$\"'\\/:") {
			errs = append(errs, fmt.Errorf("%s: %q is not the name of a user", flag, user))
		}
	}
	return errors.Join(errs...)
}

func (s Systemd) exporter(cfg *configs.Config) unit {
	sockets := redisSockets(cfg)
	u := unit{Unit: ExporterUnit, User: s.User, ConfigFile: s.ConfigFile, RuntimeDirectory: "queuefleet-exporter"}
	u.NoFile = roundUp(leastFiles + sockets)
	u.NoFileReason = fmt.Sprintf("Enough for %d sockets to Redis, and as many again.", sockets)
	u.Home = strings.HasPrefix(s.ConfigFile, "/home/") || strings.HasPrefix(s.ConfigFile, "/root/")
	u.Credentials = credentials(cfg, ExporterUnit)
	u.Command = commandLine(filepath.Join(s.BinDir, "queuefleet_exporter"),
		"--config.file="+s.ConfigFile, "--web.control-socket=/run/queuefleet-exporter/exporter.sock", optional("--web.config.file=", s.WebConfigFile))
	return u
}

func (s Systemd) supervisor(cfg *configs.Config) unit {
	root := s.SupervisorUser == rootUser
	u := unit{Unit: SupervisorUnit, User: s.SupervisorUser, ConfigFile: s.ConfigFile, Root: root, RuntimeDirectory: "queuefleet"}
	workers, slowest := 0, (*configs.Queue)(nil)
	for q := range s.pools(cfg) {
		workers += q.MaxProcesses + q.MaxSurge
		if slowest == nil || q.Worker.StopTimeout > slowest.Worker.StopTimeout {
			slowest = q
		}
	}
	sockets := redisSockets(cfg)
	u.NoFile = roundUp(leastFiles + sockets + filesPerWorker*workers)
	u.NoFileReason = fmt.Sprintf("Enough for %d workers and %d sockets to Redis, and as many again.", workers, sockets)
	stop := stopMargin
	u.StopReason = "There are no workers yet: generate this file again when there are."
	if slowest != nil {
		stop += slowest.Worker.StopTimeout.Std()
		u.StopReason = fmt.Sprintf("The longest stop_timeout is %s, that of %s. Generate this file again when it grows.", slowest.Worker.StopTimeout, slowest.Name)
	}
	u.StopSeconds = int((stop + time.Second - 1) / time.Second)
	if rest, below := strings.CutPrefix(filepath.Clean(s.StateDir), "/var/lib/"); below && s.StateDir != "" {
		u.StateDirectory = escape(rest)
	}
	if !root {
		u.Credentials = credentials(cfg, SupervisorUnit)
	}
	u.Command = commandLine(filepath.Join(s.BinDir, "queuefleet_supervisor"),
		"--config.file="+s.ConfigFile, optional("--supervisor.name=", s.SupervisorName), "--web.control-socket=/run/queuefleet/supervisor.sock",
		optional("--state.dir=", s.StateDir), optional("--web.config.file=", s.WebConfigFile))
	return u
}

// pools goes through what the supervisor runs.
func (s Systemd) pools(cfg *configs.Config) func(func(*configs.Queue) bool) {
	return func(yield func(*configs.Queue) bool) {
		for i := range cfg.Queues {
			q := &cfg.Queues[i]
			if q.Worker != nil && cfg.QueueWatched(q) && (s.RunsHere == nil || s.RunsHere(q)) && !yield(q) {
				return
			}
		}
	}
}

// warnings tells what the units cannot do.
func (s Systemd) warnings(cfg *configs.Config) []string {
	var list []string
	for q := range s.pools(cfg) {
		switch w := q.Worker; {
		case s.SupervisorUser == rootUser && w.User == "":
			list = append(list, fmt.Sprintf("%s has no worker.user, which a supervisor that runs as root refuses", q.Name))
		case s.SupervisorUser != rootUser && w.User != "" && w.User != s.SupervisorUser:
			list = append(list, fmt.Sprintf("%s runs as %s, which a supervisor that runs as %s cannot become", q.Name, w.User, s.SupervisorUser))
		}
	}
	if s.StateDir != "" && !strings.HasPrefix(filepath.Clean(s.StateDir), "/var/lib/") {
		list = append(list, fmt.Sprintf("%s is not below /var/lib: make it before the supervisor starts", s.StateDir))
	}
	return list
}

// redisSockets counts the sockets that the connections in use may open.
func redisSockets(cfg *configs.Config) int {
	sockets := 0
	for i := range cfg.Connections {
		c := &cfg.Connections[i]
		if !c.Probed() {
			continue
		}
		sockets += c.Options.PoolSize * max(1, len(c.Addresses()))
	}
	return sockets
}

// credentials are the age identities, which only root should be able to read.
func credentials(cfg *configs.Config, unit string) []systemdCredential {
	var list []systemdCredential
	own := "/run/credentials/" + unit + "/"
	for i, path := range cfg.Global.AgeIdentityFiles {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		if name, given := strings.CutPrefix(path, own); given {
			list = append(list, systemdCredential{Name: escape(name), Source: escape("/etc/queuefleet/credentials/" + name)})
			continue
		}
		name := fmt.Sprintf("age-%d", i)
		list = append(list, systemdCredential{Name: name, Source: escape(path), Bind: bindMount(own+name, escape(path))})
	}
	return list
}

func fill(name, text string, u unit) (File, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(text)
	if err != nil {
		return File{}, err
	}
	var b strings.Builder
	if err := t.Execute(&b, u); err != nil {
		return File{}, err
	}
	return NewFile(name, b.String()), nil
}

// roundUp doubles n and rounds it up to a power of two.
func roundUp(n int) int {
	limit := leastFiles
	for limit < 2*n {
		limit *= 2
	}
	return limit
}

// optional is a flag with its value, or nothing.
func optional(flag, value string) string {
	if value == "" {
		return ""
	}
	return flag + value
}

// commandLine writes words as systemd reads them again, one a line.
func commandLine(words ...string) string {
	var quoted []string
	for _, w := range words {
		if w != "" {
			quoted = append(quoted, quoteWord(w))
		}
	}
	return strings.Join(quoted, " \\\n  ")
}

// quoteWord quotes a word of a command line: systemd expands % and $ itself.
func quoteWord(w string) string {
	w = strings.ReplaceAll(escape(w), "$", "$$")
	if !strings.ContainsAny(w, " \t\"'\\;") {
		return w
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
}

// bindMount is a setting that shows source where target is. It is no mistake
// where systemd made no source.
func bindMount(source, target string) string {
	return `"-` + source + `:` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `:`, `\\:`).Replace(target) + `"`
}

// escape keeps systemd from taking % for one of its specifiers.
func escape(s string) string { return strings.ReplaceAll(s, "%", "%%") }
