package configs

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// identityLabels are those of connection series and of
// redis_connection_info; labels of the operator's must not collide with them.
var identityLabels = []string{
	"connection", "environment", "region", "team", "provider", "mode", "address", "database",
}

const (
	// longestProbe fits into Prometheus' default scrape timeout of 10 s.
	longestProbe = 9500 * Duration(time.Millisecond)
	maxPool      = 1000
)

var (
	validName  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
	validLabel = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	validColor = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)
	// validClient is what CLIENT SETNAME takes: printable, no spaces.
	validClient = regexp.MustCompile(`^[!-~]+$`)
	validEnv    = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

const maxNameLength = 200

// IsPattern reports whether a queue name is a pattern, which stands for all
// queues that match it, rather than a name.
func IsPattern(name string) bool { return strings.ContainsAny(name, "*?[") }

// badPattern reports a glob that path.Match cannot read.
func badPattern(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err != nil
}

func (o origin) checkName(key, name string) {
	switch {
	case name == "":
		o.fail(key, "is missing")
	case len(name) > maxNameLength || !validName.MatchString(name):
		o.fail(key, "must begin with a letter or digit and hold only letters, digits, _ . and -, %d at most", maxNameLength)
	}
}

// oneOf checks a value of a closed set.
func (o origin) oneOf(key, value string, set []string) bool {
	if slices.Contains(set, value) {
		return true
	}
	if len(set) == 1 {
		o.fail(key, "%.64q is not available; there is only %s yet", value, set[0])
		return false
	}
	o.fail(key, "%.64q is none of %s%s", value, strings.Join(set, ", "), didYouMean(value, set))
	return false
}

func (o origin) positive(key string, d Duration) {
	if d <= 0 {
		o.fail(key, "must be more than 0")
	}
}

func (o origin) notNegative(key string, d Duration) {
	if d < 0 {
		o.fail(key, "must not be negative")
	}
}

func (o origin) atLeast(key string, n, least int) {
	if n < least {
		o.fail(key, "must be %d or more", least)
	}
}

// patterns checks a list of globs.
func (o origin) patterns(key string, list []string) {
	for i, p := range list {
		if p == "" || badPattern(p) {
			o.fail(indexed(key, i), "is no valid pattern (* ? [a-z] and \\ to escape)")
		}
	}
}
