package proc

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

type piece struct {
	Size       int
	More, Open bool
}

// split cuts text that arrives in chunks of a size.
func split(text string, chunk int) (lines []string, pieces []piece) {
	s := splitter{emit: func(text []byte, more, open bool) {
		lines = append(lines, string(text))
		pieces = append(pieces, piece{len(text), more, open})
	}}
	for len(text) > 0 {
		n := min(chunk, len(text))
		s.write([]byte(text[:n]))
		text = text[n:]
	}
	s.end()
	return lines, pieces
}

func TestSplit(t *testing.T) {
	euro := strings.Repeat("€", MaxLine/3+1) // three bytes each: no whole number fits
	cases := []struct {
		name, text string
		want       []piece
	}{
		{"nothing", "", nil},
		{"empty lines", "\n\n", []piece{{}, {}}},
		{"no newline", "abc", []piece{{3, false, true}}},
		{"DOS lines", "abc\r\nd\r", []piece{{3, false, false}, {2, false, true}}},
		{"longest line", strings.Repeat("x", MaxLine) + "\n", []piece{{MaxLine, false, false}}},
		{"too long", strings.Repeat("x", MaxLine+1) + "\n", []piece{{MaxLine, true, false}, {1, false, false}}},
		{"much too long", strings.Repeat("x", 3*MaxLine), []piece{{MaxLine, true, false}, {MaxLine, true, false}, {MaxLine, false, true}}},
		{"characters stay whole", euro, []piece{{MaxLine / 3 * 3, true, false}, {3, false, true}}},
		{"no characters at all", strings.Repeat("\x80", MaxLine+2), []piece{{MaxLine, true, false}, {2, false, true}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, chunk := range []int{1, 7, 32 << 10, 1 << 20} {
				_, got := split(c.text, chunk)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("in chunks of %d (-want +got):\n%s", chunk, diff)
				}
			}
		})
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("a\nb", 1)
	f.Add("\r\n\r", 2)
	f.Add(strings.Repeat("ä", MaxLine), 1000)
	f.Fuzz(func(t *testing.T, text string, chunk int) {
		if chunk < 1 {
			chunk = 1
		}
		lines, pieces := split(text, chunk)
		var joined strings.Builder
		for i, line := range lines {
			if len(line) > MaxLine {
				t.Fatalf("a piece has %d bytes", len(line))
			}
			if cleaned := clean([]byte(line)); !utf8.ValidString(cleaned) || strings.ContainsAny(cleaned, "\x00\x1b\r\n\x7f") {
				t.Fatalf("%q is not clean", cleaned)
			}
			joined.WriteString(line)
			if !pieces[i].More && !pieces[i].Open {
				joined.WriteByte('\n')
			}
		}
		if got, want := joined.String(), strings.ReplaceAll(text, "\r\n", "\n"); got != want {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext":           "plain\ttext",
		"Grüße €":               "Grüße €",
		"nul\x00esc\x1bdel\x7f": "nul\ufffdesc\ufffddel\ufffd",
		"c1\u0085sep\u2028":     "c1\ufffdsep\ufffd",
		"broken \xff\xfe":       "broken \ufffd",
	} {
		if got := clean([]byte(text)); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
}

func TestLimiter(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiter(Rate{Lines: 10, Bytes: 100}, now)
	count := func(size int) (n int) {
		for l.allow(size, now) {
			n++
		}
		return n
	}
	if got := count(1); got != 20 {
		t.Errorf("%d short lines at first", got)
	}
	now = now.Add(time.Second)
	if got := count(1); got != 10 {
		t.Errorf("%d short lines after a second", got)
	}
	now = now.Add(time.Hour)
	if got := count(50); got != 4 {
		t.Errorf("%d long lines after an hour", got)
	}
}
