package collector

import (
	"math"
	"strconv"
	"testing"
)

func TestParseNumber(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0": 0, "7": 7, "-1": -1, "0.00": 0, "7.88": 7.88, "0.016122": 0.016122, "100000000000000000000": 1e20,
		"1795708522141069": 1795708522141069, "123456789012345.5": 123456789012345.5, "1e3": 1000, "+5": 5, ".5": 0.5,
	} {
		if got := parseNumber(text); got != want {
			t.Errorf("%q is %v, not %v", text, got, want)
		}
	}
	for _, text := range []string{"", "-", ".", "-.", "5.", "1.2.3", "1,2", "inf", "-inf", "nan", "0x1p4", "1_0", " 1", "1 ", "1e", "1e400", "--1", "12K", "ok"} {
		if got := parseNumber(text); !math.IsNaN(got) {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, text := range []string{"0", "-1", "7.88", "1795708522141069", "1e400", "0.30000000000000004", "9007199254740993"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := parseNumber(text)
		if math.IsNaN(got) {
			return
		}
		if want, err := strconv.ParseFloat(text, 64); err != nil || got != want {
			t.Errorf("%q is %v; strconv says %v, %v", text, got, want, err)
		}
	})
}
