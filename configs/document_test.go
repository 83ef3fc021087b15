package configs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/configs"
)

func TestReadDocument(t *testing.T) {
	d, err := configs.ReadDocument("mixin.yaml", []byte(`# how it is here
scopeLabels: [cluster, environment]
thresholds: &t
  memory: 0.9
  jobs: 12
  since: 2026-03-14
teams:
  pay-ments: {slack: "#pay", email: null, on: true}
again: *t
`))
	if err != nil {
		t.Fatal(err)
	}
	thresholds := map[string]any{"memory": 0.9, "jobs": int64(12), "since": "2026-03-14"}
	want := map[string]any{
		"scopeLabels": []any{"cluster", "environment"},
		"thresholds":  thresholds,
		"teams":       map[string]any{"pay-ments": map[string]any{"slack": "#pay", "email": nil, "on": true}},
		"again":       thresholds,
	}
	if diff := cmp.Diff(want, d.Value); diff != "" {
		t.Error(diff)
	}
	for path, line := range map[string]int{"scopeLabels[1]": 2, "thresholds.jobs": 5, "thresholds.nothing": 3, "teams.pay-ments.slack": 8, "none": 1} {
		if got := d.At(path); got.Line != line || got.Path != path || got.File != "mixin.yaml" {
			t.Errorf("At(%q) = %v, want line %d", path, got, line)
		}
	}
}

func TestReadDocumentMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\nb: 2\na: 3\n":         "f:3: a: is there twice",
		"a:\n  b: !secret x\n":       "f:2: a.b: a tag that is not understood; put a value that begins with ! in quotes",
		"- a\n":                      "f:1: must be a mapping (key: value)",
		"a: &x {b: 1}\n<<: *x\n":     "f:2: a key must be a plain word",
		`{"a": {"b": 1, "b": 2}}`:    "f:1: a.b: is there twice",
		"? [a, b]\n: 1\n":            "f:1: a key must be a plain word",
		"a: 1\n---\nb: 2\n":          "f:2: holds a second document; one file is one document",
		"{\"a\": \"\\u0000\"}\x00\n": "f:1: contains a NUL byte",
	} {
		_, err := configs.ReadDocument("f", []byte(text))
		var mistake *configs.Error
		if !errors.As(err, &mistake) {
			t.Errorf("%q: %v, want a mistake", text, err)
			continue
		}
		if err.Error() != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

func TestReadDocumentBoundsAliases(t *testing.T) {
	if _, err := configs.ReadDocument("f", []byte(bomb())); err == nil || !strings.Contains(err.Error(), "the file holds more than 100000 values") {
		t.Error(err)
	}
}

// bomb is a small file that aliases make a large one.
func bomb() string {
	text := "a0: &a0 [1, 1, 1]\n"
	for i := range 20 {
		text += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
	}
	return text
}
