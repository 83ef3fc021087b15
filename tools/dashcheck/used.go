package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// unused is a metric or recording rule that nothing reads, on purpose.
type unused struct {
	name, reason, place string
}

// readUnused reads lines of "name: reason".
func readUnused(path string) ([]unused, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []unused
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		place := fmt.Sprintf("%s:%d", path, i+1)
		name, reason, ok := strings.Cut(line, ": ")
		if !ok || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s: want name: reason", place)
		}
		list = append(list, unused{name, reason, place})
	}
	return list, nil
}

// checkUse tells which metrics and recording rules nothing reads, and which of
// those that are listed as such are read or not there.
func (c *checker) checkUse(kept []unused) {
	listed := map[string]bool{}
	for _, k := range kept {
		c.place = k.place
		_, isRule := c.rules[k.name]
		switch {
		case listed[k.name]:
			c.fail("%s is there twice", k.name)
		case !isRule && !slices.Contains(c.metrics.names, k.name):
			c.fail("there is no %s", k.name)
		case c.used[k.name]:
			c.fail("%s is used after all", k.name)
		}
		listed[k.name] = true
	}
	c.place = "docs/metrics.yaml"
	for _, name := range c.metrics.names {
		if !c.used[name] && !listed[name] {
			c.fail("nothing looks at %s: use it, or say in mixin/unused-metrics.txt why not", name)
		}
	}
	c.place = "rules"
	for _, name := range slices.Sorted(maps.Keys(c.rules)) {
		if !c.used[name] && !listed[name] {
			c.fail("nothing reads %s: use it, drop it, or say in mixin/unused-metrics.txt whom it is for", name)
		}
	}
}
