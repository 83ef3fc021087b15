package workers

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The parameters of lists.
const (
	keyApplication = "application"
	keyConnection  = "connection"
	keyPool        = "pool"
	keyState       = "state"
	keyText        = "q"
	keyPage        = "page"
)

// filter is what a list is narrowed by. Values of one key are alternatives,
// keys add up; no value means any.
type filter struct {
	values map[string][]string
	words  []string // all of them must be found
}

// parse reads parameters. One that is not known would silently show more than
// was asked for, and is refused.
func parse(params url.Values, keys, states []string) (filter, error) {
	f := filter{values: map[string][]string{}}
	for key, values := range params {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
		switch {
		case !slices.Contains(keys, key):
			return filter{}, fmt.Errorf("unknown parameter %q: use %s", key, strings.Join(keys, ", "))
		case key == keyText:
			f.words = strings.Fields(strings.ToLower(strings.Join(values, " ")))
		case key == keyState:
			for _, value := range values {
				if !slices.Contains(states, value) {
					return filter{}, fmt.Errorf("unknown state %q: use %s", value, strings.Join(states, ", "))
				}
			}
			f.values[key] = values
		case len(values) > 0:
			f.values[key] = values
		}
	}
	return f, nil
}

// has reports whether value is one of those asked for under key.
func (f filter) has(key, value string) bool {
	wanted := f.values[key]
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

// found reports whether all words are somewhere in texts.
func (f filter) found(texts ...string) bool {
	if len(f.words) == 0 {
		return true
	}
	all := strings.ToLower(strings.Join(texts, "\n"))
	return !slices.ContainsFunc(f.words, func(word string) bool { return !strings.Contains(all, word) })
}

// with returns a link to the page with one parameter changed, none where value
// is empty, and back on the first page.
func with(params url.Values, key, value string) string {
	next := url.Values{}
	for k, v := range params {
		if k != key && k != keyPage {
			next[k] = v
		}
	}
	if value != "" {
		next.Set(key, value)
	}
	if len(next) == 0 {
		return "workers"
	}
	return "workers?" + next.Encode()
}

// natural reads a parameter that is a number of at least least; without it
// byDefault.
func natural(params url.Values, key string, least, byDefault int) (int, error) {
	text := params.Get(key)
	if text == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, fmt.Errorf("%s: %q is not a number of at least %d", key, text, least)
	}
	return n, nil
}
