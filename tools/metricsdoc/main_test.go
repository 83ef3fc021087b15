package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const small = `
identity: {connection: [connection], exporter: []}
groups: [{title: One group, text: About it.}]
metrics:
  - {name: redis_up, type: gauge, help: Up or not., group: One group, scope: connection, source: PING, shared: true, differs: a little}
  - name: redis_failures_total
    type: counter
    help: Failures.
    group: One group
    scope: connection
    per_node: true
    labels: [{name: reason, meaning: a|b, values: [dns, other]}]
    source: probe
    needs: Redis 7.0
    flag: --some.flag
    absent: at night
`

func document(t *testing.T, catalogue string) (code int, stdout, stderr string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "metrics.yaml")
	if err := os.WriteFile(path, []byte(catalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code = run([]string{path}, &out, &errs)
	return code, out.String(), errs.String()
}

func TestDocument(t *testing.T) {
	code, out, errs := document(t, small)
	if code != 0 || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{
		"- [One group](#one-group)\n",
		"## One group\n\nAbout it.\n\n",
		"| `redis_up` | gauge |  | Up or not. | PING |\n",
		"| `redis_failures_total` | counter | (`node`)<br>`reason`: a\\|b, one of `dns`, `other` | Failures. Absent at night. | probe; Redis 7.0 and later; with `--some.flag` |\n",
		"| `redis_up` | a little |\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestMistakes(t *testing.T) {
	for mistake, edit := range map[string][2]string{
		"field colour not found":           {"type: counter", "type: counter\n    colour: red"},
		"unknown type count":               {"type: counter", "type: count"},
		"unknown group Another":            {"group: One group\n    scope", "group: Another\n    scope"},
		"unknown scope fleet":              {"scope: connection\n", "scope: fleet\n"},
		"has no source":                    {"source: probe", "source: ''"},
		"has no help":                      {"help: Failures.", "help: ''"},
		"redis_up: is there twice":         {"name: redis_failures_total", "name: redis_up"},
		"the name is no metric name":       {"name: redis_failures_total", "name: Redis-failures"},
		"repeats the identity label":       {"name: reason", "name: connection"},
		"differs from what it does not":    {"shared: true", "shared: false"},
		"group Empty: has no metric":       {"groups: [", "groups: [{title: Empty}, "},
		"unknown endpoint page":            {"per_node: true", "endpoint: page"},
		"cannot unmarshal !!str `nothing`": {"labels: [{name: reason, meaning: a|b, values: [dns, other]}]", "labels: nothing"},
	} {
		broken := strings.Replace(small, edit[0], edit[1], 1)
		if broken == small {
			t.Fatalf("%s: nothing replaced", mistake)
		}
		if code, out, errs := document(t, broken); code != 1 || out != "" || !strings.Contains(errs, mistake) {
			t.Errorf("%s: exit %d, %q", mistake, code, errs)
		}
	}
}

func TestUse(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(nil, &out, &errs); code != 2 || !strings.Contains(errs.String(), "usage") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	if code := run([]string{filepath.Join(t.TempDir(), "absent.yaml")}, &out, &errs); code != 1 {
		t.Errorf("exit %d for a file that is not there", code)
	}
}

func TestDocumentIsUpToDate(t *testing.T) {
	docs := filepath.Join("..", "..", "docs")
	var out, errs bytes.Buffer
	if code := run([]string{filepath.Join(docs, "metrics.yaml")}, &out, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	committed, err := os.ReadFile(filepath.Join(docs, "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), committed) {
		t.Error("docs/metrics.md is not what docs/metrics.yaml makes: run make docs")
	}
}
