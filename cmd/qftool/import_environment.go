package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/generate/laravel"
)

// placeEnvironments takes what is secret out of the environments of imported
// workers, into a file each that worker.environment_file names: that is the one
// place where workers find variables and the configuration need not have them.
func (f *importFlags) placeEnvironments(queues []configs.Queue, there []configs.Entry) error {
	for i := range queues {
		q := &queues[i]
		var names []string
		for _, name := range slices.Sorted(maps.Keys(q.Worker.Environment)) {
			if secretVariable(name, q.Worker.Environment[name]) {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			continue
		}
		path, err := filepath.Abs(filepath.Join(cmp.Or(f.secretsDir, filepath.Join(filepath.Dir(f.out), "secrets")), q.Name+".env"))
		if err != nil {
			return err
		}
		other := environmentFile(there, q.Name)
		if other != "" && other != path {
			f.warnings = append(f.warnings, fmt.Sprintf("queue %s: %s left out: its own file of variables, %s, is the place for that", q.Name, strings.Join(names, ", "), other))
			q.Worker.Environment = without(q.Worker.Environment, names)
			continue
		}
		if err := f.placeEnvironment(q, names, path, other == path); err != nil {
			return err
		}
	}
	return nil
}

// placeEnvironment moves variables of one worker into a file, which is its own
// where an earlier import has written it.
func (f *importFlags) placeEnvironment(q *configs.Queue, names []string, path string, own bool) error {
	lines := []string{"# Variables of the workers of " + q.Name + ", kept apart from the configuration by qftool import."}
	for _, name := range names {
		quoted, err := laravel.DotenvQuote(q.Worker.Environment[name])
		if err != nil {
			return fmt.Errorf("queue %s: the variable %s %w", q.Name, name, err)
		}
		lines = append(lines, name+"="+quoted)
	}
	text := strings.Join(lines, "\n")
	q.Worker.Environment, q.Worker.EnvironmentFile = without(q.Worker.Environment, names), path
	switch old, err := os.ReadFile(path); {
	case err == nil && string(old) == text+"\n":
		return nil
	case err == nil && !own:
		return fmt.Errorf("%s is there already, and not for the workers of %s: move it away, or give --secrets-dir", path, q.Name)
	}
	f.files = append(f.files, secretPlace{path: path, value: configs.NewSecret(text)})
	return nil
}

// secretVariable reports whether a worker's variable is one, by its name or as
// an address with a password in it.
func secretVariable(name, value string) bool {
	if value == "" {
		return false
	}
	if configs.SecretKey("worker.environment." + name) {
		return true
	}
	u, err := url.Parse(value)
	if err != nil {
		return strings.Contains(value, "://") && strings.Contains(value, "@")
	}
	_, has := u.User.Password()
	return has
}

// environmentFile is the absolute path of the file of variables that a queue
// configuration has already.
func environmentFile(there []configs.Entry, name string) string {
	for _, e := range there {
		if q := e.Queue(); q.Name == name && q.Worker != nil && q.Worker.EnvironmentFile != "" {
			if path, err := filepath.Abs(q.Worker.EnvironmentFile); err == nil {
				return path
			}
		}
	}
	return ""
}

// without is a map without some of its keys, nil where that is nothing.
func without(all map[string]string, keys []string) map[string]string {
	rest := maps.Clone(all)
	maps.DeleteFunc(rest, func(name, _ string) bool { return slices.Contains(keys, name) })
	if len(rest) == 0 {
		return nil
	}
	return rest
}
