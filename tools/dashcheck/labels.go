package main

import (
	"maps"
	"slices"
	"strings"
)

// labelSet are the labels that series can have. With open, any more of them.
type labelSet struct {
	names map[string]bool
	open  bool
}

func newLabels(names ...string) labelSet {
	l := labelSet{names: map[string]bool{}}
	for _, name := range names {
		l.names[name] = true
	}
	return l
}

func (l labelSet) has(name string) bool { return l.open || l.names[name] }

func (l labelSet) with(names ...string) labelSet {
	more := labelSet{names: maps.Clone(l.names), open: l.open}
	if more.names == nil {
		more.names = map[string]bool{}
	}
	for _, name := range names {
		more.names[name] = true
	}
	return more
}

func (l labelSet) without(names ...string) labelSet {
	less := l.with()
	for _, name := range names {
		delete(less.names, name)
	}
	return less
}

// only keeps the named ones.
func (l labelSet) only(names ...string) labelSet {
	kept := newLabels()
	for _, name := range names {
		if l.has(name) {
			kept.names[name] = true
		}
	}
	return kept
}

// or is what series of either can have.
func (l labelSet) or(other labelSet) labelSet {
	both := l.with(slices.Collect(maps.Keys(other.names))...)
	both.open = l.open || other.open
	return both
}

// same reports whether two sets are equal, as far as they are known.
func (l labelSet) same(other labelSet) bool {
	return l.open || other.open || maps.Equal(l.names, other.names)
}

func (l labelSet) String() string {
	if l.open {
		return "any label"
	}
	return strings.Join(slices.Sorted(maps.Keys(l.names)), ", ")
}
