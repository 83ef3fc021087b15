package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// choose returns which of the known names are meant by names and globs, in
// their own order. A name means itself; a glob means all that it matches out
// of those that are eligible. What means nothing is an error, all of them at
// once. what is the noun for messages.
func choose(what string, known, wanted []string, eligible func(name string) bool) ([]string, error) {
	chosen := make(map[string]bool, len(wanted))
	var errs []error
	for _, w := range wanted {
		names, err := mean(what, known, w, eligible)
		if err != nil {
			errs = append(errs, err)
		}
		for _, name := range names {
			chosen[name] = true
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(known), func(name string) bool { return !chosen[name] }), nil
}

// mean returns what one name or glob means.
func mean(what string, known []string, wanted string, eligible func(string) bool) ([]string, error) {
	if slices.Contains(known, wanted) {
		return []string{wanted}, nil
	}
	if !strings.ContainsAny(wanted, `*?[\`) {
		if near := configs.Nearest(wanted, known); near != "" {
			return nil, fmt.Errorf("no %s is named %q; did you mean %q?", what, wanted, near)
		}
		return nil, fmt.Errorf("no %s is named %q", what, wanted)
	}
	var names []string
	for _, name := range known {
		ok, err := path.Match(wanted, name)
		if err != nil {
			return nil, fmt.Errorf("%q is not a pattern: %w", wanted, err)
		}
		if ok && eligible(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no active %s matches %q", what, wanted)
	}
	return names, nil
}

// means reports whether a queue name or pattern of the configuration means name.
func means(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return pattern == name || ok && err == nil
}
