package connection

import (
	"bytes"
	"strconv"
)

// Limits on what a server may announce. go-redis allocates what a header
// announces before the first byte of it has arrived, so a header beyond these
// never reaches it.
const (
	// maxBulk is Redis' own default limit of one value (proto-max-bulk-len):
	// what is longer is no Redis talking.
	maxBulk = 512 << 20
	// maxPending is how many elements of arrays, maps and sets may be announced
	// and not yet seen, nested ones counted together.
	maxPending = 1 << 20
	// maxLine is the longest line: errors, statuses, numbers.
	maxLine = 64 << 10

	// headerSize bounds the line that announces a length: a type byte, ten
	// digits at most, CR LF.
	headerSize = 16
)

type guardState uint8

const (
	atStart   guardState = iota // a type byte comes next
	inHeader                    // collecting a line that announces a length
	inLine                      // within any other line
	inBody                      // within a bulk string that is passed on whole
	inHead                      // within the first part of one that is elided
	inMarker                    // within what the marker overwrites
	inMiddle                    // within what is dropped
	afterBody                   // before the CR of a bulk string's end
	afterCR                     // before its LF
)

// guard walks the framing of a RESP2 or RESP3 stream and cuts it where it
// leaves the limits above. It changes the bytes in place, never allocates and
// looks at no body. The zero value stands at the start of a stream.
type guard struct {
	state   guardState
	kept    uint8 // bytes in header
	last    byte  // of an unfinished line
	pending int   // elements announced and not yet begun
	left    int64 // bytes left in this state
	size    int64 // of the bulk string at hand
	header  [headerSize]byte
	marker  [markerSize]byte
	err     error // why the stream was cut; it stays cut
}

// held returns a header whose end has not arrived. The caller puts it before
// the bytes that it reads next: a header is judged whole or not passed on.
func (g *guard) held() []byte { return g.header[:g.kept] }

// filter takes the next bytes of the stream, held ones first, and returns how
// many bytes at the start of b are to be passed on. What follows them is gone.
// An error comes with the bytes before it and stays.
func (g *guard) filter(b []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	g.kept = 0
	n, err := g.filterHeld(b)
	if err != nil {
		g.err = err
	}
	return n, err
}

func (g *guard) filterHeld(b []byte) (w int, err error) {
	r := 0
	for r < len(b) {
		if w == r && g.state == atStart {
			// Most of a pipeline's replies are short lines, and stay where they are.
			r += g.skipLines(b[r:])
			if w = r; r == len(b) {
				return w, nil
			}
		}
		read, written, err := g.step(b[r:], b[w:])
		if err != nil {
			return w, err
		}
		r, w = r+read, w+written
		if g.kept > 0 {
			return w, nil // the rest of b is an unfinished header, held for the next call
		}
	}
	return w, nil
}

// skipLines returns how many bytes at the start of in are whole short lines of
// the simple types. It does what step would do with them, ten times as fast.
func (g *guard) skipLines(in []byte) int {
	at := 0
	for at < len(in) {
		switch in[at] {
		case ':', '+', '-', '_', ',', '#':
		default:
			return at
		}
		end := at + 1
		for end < len(in) && in[end] != '\n' {
			end++
		}
		if end == len(in) || end-at >= maxLine || in[end-1] != '\r' {
			return at
		}
		if g.pending > 0 {
			g.pending--
		}
		at = end + 1
	}
	return at
}

// step handles the next part of in, all of one state, and writes what remains
// of it to out, which overlaps in and never lies after it.
func (g *guard) step(in, out []byte) (read, written int, err error) {
	switch g.state {
	case atStart:
		return 0, 0, g.begin(in[0])
	case inHeader:
		return g.readHeader(in, out)
	case inLine:
		return g.readLine(in, out)
	case inMarker:
		read = int(min(g.left, int64(len(in))))
		from := markerSize - int(g.left)
		written = copy(out, g.marker[from:from+read])
	case inMiddle:
		read = int(min(g.left, int64(len(in))))
	case inBody, inHead:
		read = int(min(g.left, int64(len(in))))
		written = copy(out, in[:read])
	case afterBody, afterCR:
		if want := "\r\n"[g.state-afterBody]; in[0] != want {
			return 0, 0, protocolErrorf("a value is longer than announced")
		}
		read, written = 1, copy(out, in[:1])
	}
	if g.left -= int64(read); g.left == 0 {
		g.next()
	}
	return read, written, nil
}

// next moves on from a state that has run out of bytes.
func (g *guard) next() {
	switch g.state {
	case inHead:
		g.state, g.left = inMarker, int64(markerSize)
	case inMarker:
		g.state, g.left = inMiddle, g.size-2*elideKeep-int64(markerSize)
	case inMiddle:
		g.state, g.left = inBody, elideKeep
	case inBody:
		g.state, g.left = afterBody, 1
	case afterBody:
		g.state, g.left = afterCR, 1
	default:
		g.state = atStart
	}
}

// begin looks at the type byte of the next element.
func (g *guard) begin(kind byte) error {
	if g.pending > 0 {
		g.pending--
	}
	switch kind {
	case '+', '-', ':', '_', ',', '#', '(':
		g.state, g.left = inLine, maxLine
	case '$', '=', '!', '*', '~', '>', '%', '|':
		g.state = inHeader
	case 0x15:
		return &failure{reason: ReasonTLS, text: "the server answers with a TLS alert: it expects TLS"}
	default:
		return protocolErrorf("%q begins no Redis reply", kind)
	}
	return nil
}

func (g *guard) readLine(in, out []byte) (read, written int, err error) {
	read = bytes.IndexByte(in, '\n') + 1
	switch {
	case read == 0:
		read = len(in)
		g.last = in[read-1]
	case read > 1 && in[read-2] == '\r', read == 1 && g.last == '\r':
		g.state = atStart
	default:
		return 0, 0, protocolErrorf("a line ends without a carriage return")
	}
	if g.left -= int64(read); g.left < 0 {
		return 0, 0, protocolErrorf("a line is longer than %d bytes", maxLine)
	}
	return read, copy(out, in[:read]), nil
}

func (g *guard) readHeader(in, out []byte) (read, written int, err error) {
	read = bytes.IndexByte(in[:min(len(in), headerSize)], '\n') + 1
	if read == 0 {
		if len(in) >= headerSize {
			return 0, 0, protocolErrorf("a length has too many digits")
		}
		g.kept = uint8(copy(g.header[:], in))
		return len(in), 0, nil
	}
	n, ok := parseLength(in[:read])
	if !ok {
		return 0, 0, protocolErrorf("%q announces no length", in[:read])
	}
	switch kind := in[0]; kind {
	case '$', '=', '!':
		if n > elideAbove && n <= maxBulk {
			g.elide(n)
			written = len(strconv.AppendInt(append(out[:0], kind), int64(elidedSize), 10))
			return read, written + copy(out[written:], "\r\n"), nil
		}
		err = g.bulk(n)
	default:
		err = g.aggregate(kind, n)
	}
	if err != nil {
		return 0, 0, err
	}
	return read, copy(out, in[:read]), nil
}

func (g *guard) bulk(n int64) error {
	switch {
	case n > maxBulk:
		return protocolErrorf("a value of %d bytes is announced, more than Redis allows", n)
	case n < 0:
		g.state = atStart
	case n == 0:
		g.state, g.left = afterBody, 1
	default:
		g.state, g.left = inBody, n
	}
	return nil
}

func (g *guard) aggregate(kind byte, n int64) error {
	g.state = atStart
	if n < 0 {
		return nil
	}
	switch kind {
	case '%':
		n *= 2
	case '|': // attributes come before the element that they describe
		n = 2*n + 1
	}
	if n > maxPending-int64(g.pending) {
		return protocolErrorf("more than %d elements are announced", maxPending)
	}
	g.pending += int(n)
	return nil
}

// parseLength reads the number of a header such as "$12\r\n"; -1 is the absent
// value of RESP2.
func parseLength(line []byte) (n int64, ok bool) {
	digits := line[1:]
	if len(digits) < 3 || digits[len(digits)-2] != '\r' {
		return 0, false
	}
	digits = digits[:len(digits)-2]
	if string(digits) == "-1" {
		return -1, line[0] == '$' || line[0] == '*'
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + int64(d-'0') // headerSize keeps it below 10^13
	}
	return n, true
}
