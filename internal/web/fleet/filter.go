package fleet

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// filter is what a list is narrowed by. Values of one key are alternatives,
// keys add up; no value means any.
type filter struct {
	values map[string][]string
	text   []string // every word must be found
}

// keys of a filter, also the query parameters.
const (
	keyApplication = "application"
	keyConnection  = "connection"
	keyEnvironment = "environment"
	keyRegion      = "region"
	keyTeam        = "team"
	keyState       = "state"
	keyText        = "q"
)

// subject is what a filter looks at.
type subject struct {
	applications []string
	connection   string
	environment  string
	region       string
	team         string
	state        string
	text         []string
}

// query says which parameters a list takes.
type query struct {
	keys   []string // to filter by, beside keyText
	states []string
	other  []string // parameters that are no filter
}

// parse reads the parameters of a list. One that it does not know would
// silently show more than was asked for, and is refused.
func (q query) parse(params url.Values) (filter, error) {
	f := filter{values: map[string][]string{}}
	for key, values := range params {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
		switch {
		case key == keyText:
			f.text = strings.Fields(strings.ToLower(strings.Join(values, " ")))
		case slices.Contains(q.keys, key):
			if len(values) > 0 {
				f.values[key] = values
			}
		case !slices.Contains(q.other, key):
			allowed := slices.Concat(q.keys, []string{keyText}, q.other)
			return filter{}, fmt.Errorf("unknown parameter %q: use %s", key, strings.Join(allowed, ", "))
		}
	}
	for _, state := range f.values[keyState] {
		if !slices.Contains(q.states, state) {
			return filter{}, fmt.Errorf("unknown state %q: use %s", state, strings.Join(q.states, ", "))
		}
	}
	return f, nil
}

// matches reports whether s is in the list.
func (f filter) matches(s subject) bool { return f.has(keyState, s.state) && f.matchesAnyState(s) }

// matchesAnyState leaves the state out of account, for counts by state.
func (f filter) matchesAnyState(s subject) bool {
	return f.has(keyConnection, s.connection) && f.has(keyEnvironment, s.environment) &&
		f.has(keyRegion, s.region) && f.has(keyTeam, s.team) && f.hasAny(keyApplication, s.applications) && f.matchesText(s)
}

func (f filter) hasAny(key string, values []string) bool {
	return len(f.values[key]) == 0 || slices.ContainsFunc(values, func(v string) bool { return f.has(key, v) })
}

func (f filter) has(key, value string) bool {
	wanted := f.values[key]
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

func (f filter) matchesText(s subject) bool {
	if len(f.text) == 0 {
		return true
	}
	all := strings.ToLower(strings.Join(slices.Concat(s.text, s.applications,
		[]string{s.connection, s.environment, s.region, s.team, s.state}), "\n"))
	for _, word := range f.text {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

// with returns a link to path with one parameter changed, none where value is
// empty, and back on the first page.
func with(path string, params url.Values, key, value string) string {
	next := url.Values{}
	for k, v := range params {
		if k != key && (k != keyPage || key == keyPage) {
			next[k] = v
		}
	}
	if value != "" {
		next.Set(key, value)
	}
	if len(next) == 0 {
		return path
	}
	return path + "?" + next.Encode()
}
