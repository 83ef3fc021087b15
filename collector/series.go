package collector

import (
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

// render appends the text exposition (version 0.0.4) of the blocks to dst. Each
// family appears once with all its series, as the format wants it. It is
// appended by hand because client_golang's const metrics cost several times
// what a whole probe costs.
func render(dst []byte, families []family, blocks []block) []byte {
	next := make([]int, len(blocks))
	for id := range families {
		f := &families[id]
		headed := false
		for i := range blocks {
			b := &blocks[i]
			n := next[i]
			for n < len(b.samples) && b.samples[n].family == familyID(id) {
				if !headed {
					dst = appendHeader(dst, f)
					headed = true
				}
				dst = appendSeries(dst, f.name, b.labels, &b.samples[n])
				n++
			}
			next[i] = n
		}
	}
	return dst
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
