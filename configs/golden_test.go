package configs

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected errors in testdata")

// TestBad loads files with one mistake each and compares every word of what
// is said about it.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yml")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := Load(file)
			if err == nil {
				t.Fatal("is accepted")
			}
			got := err.Error() + "\n"
			if strings.Contains(got, "hunter2") {
				t.Errorf("the error shows a password:\n%s", got)
			}
			golden := strings.TrimSuffix(file, ".bad.yml") + ".err"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// TestErrorsCarryPositions holds for every mistake in testdata.
func TestErrorsCarryPositions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		_, err := Load(file)
		joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // the join itself is meant
		if !ok {
			t.Errorf("%s: the error is a %T", file, err)
			continue
		}
		for _, one := range joined.Unwrap() {
			var e *Error
			if !errors.As(one, &e) || e.File != file || e.Line < 1 || e.Text == "" {
				t.Errorf("%s: no position in %v", file, one)
			}
		}
	}
}

// TestGood loads files in which everything is right, and unusual.
func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/*.good.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if _, err := Load(file); err != nil {
				t.Fatal(err)
			}
		})
	}
}
