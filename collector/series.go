package collector

import (
	"io"
	"math"
	"strconv"
	"strings"
)

// kind is the type of a metric family.
type kind string

const (
	gauge   kind = "gauge"
	counter kind = "counter"
)

// familyID is a family's place in the families table and so on the page.
type familyID int

// family is one metric family of the fleet page.
type family struct {
	name string
	kind kind
	help string
}

// sample is one series of a block. labels holds what it has beyond the block's
// own labels, rendered with a comma before each (see label), so that the page
// is made by appending text.
type sample struct {
	family familyID
	labels string
	value  float64
}

// block is the samples of one thing (a connection, a queue) under the labels
// that identify it. Samples are in family order.
type block struct {
	labels  string // `connection="shop",team="payments"`
	samples []sample
}

// add appends a sample, unless its value is NaN: what is not known is absent.
func (b *block) add(id familyID, labels string, value float64) {
	if !math.IsNaN(value) {
		b.samples = append(b.samples, sample{id, labels, value})
	}
}

var labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// label renders `,name="value"`, and nothing for an empty value.
func label(name, value string) string {
	if value == "" {
		return ""
	}
	return "," + name + `="` + escapeLabel(value) + `"`
}

// escapeLabel escapes a label value for the text format. Bytes that are not
// UTF-8 become U+FFFD: Prometheus refuses a whole page for one of them.
func escapeLabel(value string) string {
	return labelEscaper.Replace(strings.ToValidUTF8(value, "\uFFFD"))
}

var helpEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`)

// Page is what a collection found, to be written as text. It is immutable and
// may be written any number of times: scrapes that share a collection render it
// each for itself, which costs less than to keep megabytes of text about.
type Page struct {
	families []family
	blocks   []block
}

// chunk is how much text is gathered before it is written.
const chunk = 32 << 10

// WriteTo writes the page in the text exposition format, version 0.0.4. Each
// family appears once with all its series, as the format wants it. The text is
// appended by hand because client_golang's const metrics cost several times
// what a whole probe costs.
func (p *Page) WriteTo(w io.Writer) (int64, error) {
	out := chunkWriter{w: w, buf: make([]byte, 0, chunk+chunk/8)}
	next := make([]int, len(p.blocks))
	for id := range p.families {
		f := &p.families[id]
		headed := false
		for i := range p.blocks {
			b := &p.blocks[i]
			n := next[i]
			for n < len(b.samples) && b.samples[n].family == familyID(id) {
				if !headed {
					out.buf = appendHeader(out.buf, f)
					headed = true
				}
				out.buf = appendSeries(out.buf, f.name, b.labels, &b.samples[n])
				n++
			}
			next[i] = n
			if len(out.buf) >= chunk && !out.flush() {
				return out.written, out.err
			}
		}
	}
	out.flush()
	return out.written, out.err
}

// chunkWriter counts what it writes and stops at the first error.
type chunkWriter struct {
	w       io.Writer
	buf     []byte
	written int64
	err     error
}

func (c *chunkWriter) flush() bool {
	n, err := c.w.Write(c.buf)
	c.written += int64(n)
	c.err = err
	c.buf = c.buf[:0]
	return err == nil
}

func appendHeader(dst []byte, f *family) []byte {
	dst = append(dst, "# HELP "...)
	dst = append(dst, f.name...)
	dst = append(dst, ' ')
	dst = append(dst, helpEscaper.Replace(f.help)...)
	dst = append(dst, "\n# TYPE "...)
	dst = append(dst, f.name...)
	dst = append(dst, ' ')
	dst = append(dst, f.kind...)
	return append(dst, '\n')
}

func appendSeries(dst []byte, name, labels string, s *sample) []byte {
	dst = append(dst, name...)
	extra := s.labels
	if labels == "" && extra != "" {
		extra = extra[1:]
	}
	if labels != "" || extra != "" {
		dst = append(dst, '{')
		dst = append(dst, labels...)
		dst = append(dst, extra...)
		dst = append(dst, '}')
	}
	dst = append(dst, ' ')
	dst = appendValue(dst, s.value)
	return append(dst, '\n')
}

// maxExactInt is where whole float64 values stop being exact.
const maxExactInt = 1 << 53

func appendValue(dst []byte, v float64) []byte {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < maxExactInt:
		return strconv.AppendInt(dst, int64(v), 10)
	case math.IsInf(v, 1):
		return append(dst, "+Inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-Inf"...)
	default:
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	}
}
