package logging

import (
	"cmp"
	"math/bits"
	"slices"
	"sort"
	"strings"
)

// matcher finds tens of thousands of patterns in one pass over a text. It is
// immutable.
//
// Every pattern is at least four bytes long. The first four select: a filter
// tells for nearly every position of a text that nothing begins there, and
// only where it does not, the sorted patterns are searched.
type matcher struct {
	patterns []pattern // sorted by text
	filter   []uint64  // two bits for each four-byte beginning
	shift    int       // leaves as many bits of a hash as the filter has
}

type pattern struct {
	head   uint32 // the first four bytes, big-endian, so that it orders as the text does
	parent int32  // the longest other pattern that this one begins with, or -1
	text   string
}

// newMatcher returns a matcher for every form of the secrets, or nil where
// there are none.
func newMatcher(secrets []string) *matcher {
	patterns := make([]pattern, 0, 6*len(secrets))
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			patterns = append(patterns, pattern{head: head(form), text: form})
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	slices.SortFunc(patterns, comparePatterns)
	patterns = slices.CompactFunc(patterns, func(a, b pattern) bool { return a.text == b.text })
	linkParents(patterns)

	logBits := max(bits.Len(uint(16*len(patterns))), 10)
	m := &matcher{
		patterns: patterns,
		filter:   make([]uint64, 1<<(logBits-6)),
		shift:    64 - logBits,
	}
	for _, p := range patterns {
		first, second := m.places(p.head)
		m.filter[first>>6] |= 1 << (first & 63)
		m.filter[second>>6] |= 1 << (second & 63)
	}
	return m
}

func comparePatterns(a, b pattern) int {
	if a.head != b.head {
		return cmp.Compare(a.head, b.head)
	}
	return strings.Compare(a.text, b.text)
}

func head(text string) uint32 {
	return uint32(text[0])<<24 | uint32(text[1])<<16 | uint32(text[2])<<8 | uint32(text[3])
}

// linkParents fills in the parents of sorted patterns. A pattern that another
// begins with sorts before it and, apart from its other extensions, right
// before it.
func linkParents(patterns []pattern) {
	for i := range patterns {
		parent := int32(i - 1)
		for parent >= 0 && !strings.HasPrefix(patterns[i].text, patterns[parent].text) {
			parent = patterns[parent].parent
		}
		patterns[i].parent = parent
	}
}

// places returns the two bits of the filter that belong to a beginning.
func (m *matcher) places(head uint32) (uint64, uint64) {
	first := uint64(head) * 0x9e3779b97f4a7c15
	second := (uint64(head) ^ 0xa5a5a5a5) * 0xc2b2ae3d27d4eb4f
	return first >> m.shift, second >> m.shift
}

func (m *matcher) maybe(head uint32) bool {
	first, second := m.places(head)
	return m.filter[first>>6]&(1<<(first&63)) != 0 && m.filter[second>>6]&(1<<(second&63)) != 0
}

// mask replaces each stretch of text that patterns cover with the mask.
func (m *matcher) mask(text string) string {
	if len(text) < MinSecretLength {
		return text
	}
	out := masking{text: text}
	start, end := 0, 0 // of the stretch found last, empty at first
	window := head(text) >> 8
	for i := MinSecretLength - 1; i < len(text); i++ {
		window = window<<8 | uint32(text[i])
		if !m.maybe(window) {
			continue
		}
		at := i - MinSecretLength + 1
		n := m.longest(window, text[at:])
		if n == 0 {
			continue
		}
		if at > end || end == 0 {
			out.cover(start, end)
			start = at
		}
		end = max(end, at+n)
	}
	out.cover(start, end)
	return out.rest()
}

// masking is a text on its way to being masked.
type masking struct {
	text string
	out  strings.Builder
	done int // how much of text is in out, one way or another
}

// cover masks a stretch of the text, none where it is empty.
func (m *masking) cover(start, end int) {
	if start == end {
		return
	}
	m.out.WriteString(m.text[m.done:start])
	m.out.WriteString(Mask)
	m.done = end
}

// rest returns the whole.
func (m *masking) rest() string {
	if m.done == 0 {
		return m.text
	}
	m.out.WriteString(m.text[m.done:])
	return m.out.String()
}

// longest returns the length of the longest pattern that text begins with, or
// 0. All of those are the greatest pattern not above text, or its ancestors.
func (m *matcher) longest(head uint32, text string) int {
	above := sort.Search(len(m.patterns), func(i int) bool {
		p := &m.patterns[i]
		if p.head != head {
			return p.head > head
		}
		return p.text > text
	})
	for i := int32(above - 1); i >= 0; i = m.patterns[i].parent {
		if strings.HasPrefix(text, m.patterns[i].text) {
			return len(m.patterns[i].text)
		}
	}
	return 0
}
