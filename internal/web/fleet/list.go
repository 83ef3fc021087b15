package fleet

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
)

const (
	keyPage = "page"
	keySort = "sort"

	// perPage keeps a page of a fleet of ten thousand connections quick to
	// load and to scroll.
	perPage = 200
)

// tab is a choice of state.
type tab struct {
	Text    string
	Href    string
	Count   int
	Current bool
}

// chip is a filter in force and the link that takes it away.
type chip struct {
	Key, Value, Href string
}

// field is a parameter that the search form carries along.
type field struct{ Key, Value string }

// list is what the list pages have in common.
type list struct {
	Path   string
	Tabs   []tab
	Chips  []chip
	Fields []field
	Text   string

	From, To, Total int // of the rows that match; From counts from 1
	Prev, Next      string
}

// newList fills in what follows from the parameters and the counts by state.
func newList(path string, params url.Values, states []string, counts map[string]int) list {
	l := list{Path: path, Text: params.Get(keyText)}
	current := params.Get(keyState)
	all := 0
	for _, n := range counts {
		all += n
	}
	l.Tabs = append(l.Tabs, tab{"all", with(path, params, keyState, ""), all, current == ""})
	for _, state := range states {
		if counts[state] > 0 || state == current {
			l.Tabs = append(l.Tabs, tab{state, with(path, params, keyState, state), counts[state], state == current})
		}
	}
	for _, key := range []string{keyApplication, keyConnection, keyEnvironment, keyRegion, keyTeam} {
		for _, value := range params[key] {
			if value != "" {
				l.Chips = append(l.Chips, chip{key, value, with(path, params, key, "")})
			}
		}
	}
	for key, values := range params {
		if key == keyText || key == keyPage {
			continue
		}
		for _, value := range values {
			l.Fields = append(l.Fields, field{key, value})
		}
	}
	slices.SortFunc(l.Fields, func(a, b field) int { return slices.Compare([]string{a.Key, a.Value}, []string{b.Key, b.Value}) })
	return l
}

// paginate returns which rows the page shows.
func (l *list) paginate(params url.Values, total int) (from, to int, err error) {
	page := 1
	if text := params.Get(keyPage); text != "" {
		page, err = strconv.Atoi(text)
		if err != nil || page < 1 {
			return 0, 0, fmt.Errorf("%q is not the number of a page", text)
		}
	}
	last := max((total+perPage-1)/perPage, 1)
	page = min(page, last) // rows may have gone since the link was made
	from, to = (page-1)*perPage, min(page*perPage, total)
	l.From, l.To, l.Total = min(from+1, total), to, total
	if page > 1 {
		l.Prev = with(l.Path, params, keyPage, strconv.Itoa(page-1))
	}
	if page < last {
		l.Next = with(l.Path, params, keyPage, strconv.Itoa(page+1))
	}
	return from, to, nil
}
