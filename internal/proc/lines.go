package proc

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLine is the length in bytes beyond which a line of output is passed on in
// several pieces.
const MaxLine = 64 << 10

// Line is a line of a worker's output, or a piece of one.
type Line struct {
	Stream string // "stdout", "stderr", or "output" where they are not told apart
	Text   string // valid UTF-8 without control characters but tabs
	More   bool   // the line was too long: its next piece follows
	Open   bool   // the output ended without a newline
	Lost   uint64 // lines of this worker that were dropped right before this one
}

// splitter cuts a stream into lines. The text that it hands on is valid only
// during the call.
type splitter struct {
	carry []byte // the beginning of a line whose end is still to come
	emit  func(text []byte, more, open bool)
}

// write takes the next bytes of the stream.
func (s *splitter) write(chunk []byte) {
	for len(chunk) > 0 {
		end := bytes.IndexByte(chunk, '\n')
		if end < 0 {
			s.carry = append(s.carry, chunk...)
			s.shorten()
			return
		}
		line := chunk[:end]
		chunk = chunk[end+1:]
		if len(s.carry) > 0 || len(line) > MaxLine {
			s.carry = append(s.carry, line...)
			s.shorten()
			line = s.carry
		}
		s.emit(bytes.TrimSuffix(line, []byte{'\r'}), false, false)
		s.carry = nil // a worker that once wrote a long line does not keep the memory
	}
}

// shorten passes on pieces until what is left is a line's length at most.
func (s *splitter) shorten() {
	for len(s.carry) > MaxLine {
		cut := runeStart(s.carry, MaxLine)
		s.emit(s.carry[:cut], true, false)
		s.carry = append(s.carry[:0], s.carry[cut:]...)
	}
}

// end passes on what the stream ended with.
func (s *splitter) end() {
	if len(s.carry) > 0 {
		s.emit(s.carry, false, true)
	}
	s.carry = nil
}

// runeStart returns the highest position up to limit where no character is cut
// in two, or limit where the bytes are not text anyway.
func runeStart(b []byte, limit int) int {
	for at := limit; at > limit-utf8.UTFMax && at > 0; at-- {
		if utf8.RuneStart(b[at]) {
			return at
		}
	}
	return limit
}

// clean makes text safe to be written to a log: bytes that are not UTF-8 and
// control characters but tabs become U+FFFD.
func clean(text []byte) string {
	if isPlain(text) {
		return string(text)
	}
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || r == '\u2028' || r == '\u2029') {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(text), string(utf8.RuneError)))
}

// isPlain reports whether text consists of printable ASCII and tabs.
func isPlain(text []byte) bool {
	for _, b := range text {
		if (b < ' ' && b != '\t') || b >= 0x7f {
			return false
		}
	}
	return true
}
