package connection

import (
	"strconv"
	"strings"
)

const (
	// elideAbove is the longest value that is passed on whole. INFO with all
	// sections and some hundred command statistics stays far below it.
	elideAbove = 256 << 10
	// elideKeep is how much of the head and of the tail of a longer one is kept.
	elideKeep = 4 << 10

	elideOpen  = "\x00<elided:"
	elideClose = ">\x00"
	// markerSize is fixed, so that the new length is known with the header.
	markerSize = len(elideOpen) + 10 + len(elideClose)
	elidedSize = 2*elideKeep + markerSize
)

// Elided splits a value that was too long to be passed on whole into its head
// and its tail and tells its true size in bytes. Of a whole value ok is false.
// The guard does this to every value above 256 KiB, so that a large job at the
// head of a queue costs neither memory nor parsing.
func Elided(s string) (head, tail string, size int64, ok bool) {
	if len(s) != elidedSize || !strings.HasPrefix(s[elideKeep:], elideOpen) {
		return "", "", 0, false
	}
	digits := s[elideKeep+len(elideOpen) : elideKeep+markerSize-len(elideClose)]
	size, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !strings.HasPrefix(s[elideKeep+markerSize-len(elideClose):], elideClose) {
		return "", "", 0, false
	}
	return s[:elideKeep], s[elideKeep+markerSize:], size, true
}

// elide begins the value of n bytes whose header has been read.
func (g *guard) elide(n int64) {
	g.state, g.left, g.size = inHead, elideKeep, n
	m := append(g.marker[:0], elideOpen...)
	for div := int64(1e9); div > 0; div /= 10 {
		m = append(m, byte('0'+n/div%10))
	}
	copy(g.marker[len(m):], elideClose)
}
