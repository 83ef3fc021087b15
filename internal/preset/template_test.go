package preset

import (
	"errors"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
)

func templateFacts(secret bool) *facts {
	c := &configs.Connection{Name: "eu", Address: "[::1]:6379", Password: configs.NewSecret(password)}
	f := newFacts(&configs.Queue{Name: "main", Application: "shop"}, c, []string{strings.Repeat("q", 1000)})
	f.secret = secret
	return f
}

func TestTemplateIsBounded(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("{{.Queue}}", 1000):         "cannot be filled in: it is longer than 120 KiB",
		"{{.Name}}" + strings.Repeat("x", 121<<10): "A: it is longer than 120 KiB",
	} {
		if _, err := fill("A", text, templateFacts(true)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v", text, err)
		}
	}
	if got, err := fill("A", "{{.URL}}", templateFacts(true)); err != nil || got != "redis://:"+password+"@[::1]:6379/0" {
		t.Errorf("%q, %v", got, err)
	}
}

// Whatever a template says, it ends, stays small, and keeps the password off
// the command line.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		"{{.URL}}", "{{if .TLS}}{{.Host}}{{else}}{{.Port}}{{end}}", "{{urlquery .Name | urlquery}}", "{{range 9}}{{end}}", "{{with .Queues}}{{end}}",
		"{{$a := .Password}}", "{{/* */}}", "{{(.Name).X}}", "{{eq .Tries 1 2}}", "{{nil}}", "{{break}}", "{{.Queue.Len}}", "{{- .Name -}}", "{{and}}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, err := fill("A", text, templateFacts(false))
		wrong := &Error{}
		if err != nil && (!errors.As(err, &wrong) || wrong.Reason != ReasonBadConfiguration) {
			t.Fatal(err)
		}
		if len(out) > maxVariable && strings.Contains(text, "{{") || strings.Contains(out, password) || err != nil && strings.Contains(err.Error(), password) {
			t.Fatalf("%.200q", out)
		}
	})
}
