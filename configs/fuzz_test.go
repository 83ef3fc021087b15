package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzParse wants of every text an error or a configuration, and of every
// configuration without secrets that its display reads back to the same.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yml", "examples/*.yml", "examples/*/*.yml", "examples/*/*/*.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, err := Parse("fuzz.yml", text)
		if err != nil {
			if cfg != nil || err.Error() == "" {
				t.Errorf("an error and a configuration: %v", err)
			}
			return
		}
		masked, err := cfg.MaskedYAML()
		if err != nil {
			t.Fatal(err)
		}
		if len(cfg.Secrets()) > 0 || strings.Contains(string(masked), "<secret>") {
			return
		}
		roundTrip(t, cfg, masked)
	})
}

func roundTrip(t *testing.T, cfg *Config, text []byte) {
	t.Helper()
	again, err := Parse("fuzz.yml", text)
	if err != nil {
		t.Fatalf("the display is not accepted: %v\n%s", err, text)
	}
	same := []cmp.Option{
		cmpopts.IgnoreUnexported(Config{}), cmpopts.IgnoreFields(Config{}, "Defaults"), cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b Secret) bool { return a == b }), cmp.Comparer(func(a, b Time) bool { return a.Equal(b.Time) }),
	}
	if diff := cmp.Diff(cfg, again, same...); diff != "" {
		t.Errorf("read back (-want +got):\n%s\n%s", diff, text)
	}
}

func TestRoundTrip(t *testing.T) {
	files, err := filepath.Glob("testdata/*.good.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// Secrets are masked; without them the rest has to come back.
		var plain []string
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, "password: from") {
				plain = append(plain, strings.Replace(line, ", password: another-one", "", 1))
			}
		}
		cfg := mustParse(t, strings.Join(plain, ""))
		masked, err := cfg.MaskedYAML()
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, cfg, masked)
	}
}
