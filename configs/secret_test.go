package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const planted = "hunter2-is-the-password"

// TestSecretNeverPrints tries every way of printing that somebody may use by
// mistake.
func TestSecretNeverPrints(t *testing.T) {
	type hidden struct{ inner Secret }
	type shown struct {
		Inner Secret
		Ptr   *Secret
		List  []Secret
		Map   map[string]Secret
		Any   any
	}
	s := NewSecret(planted)
	all := shown{s, &s, []Secret{s}, map[string]Secret{"x": s}, hidden{s}}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%p", "%T", "%10.3s", "%!"} {
		fmt.Fprintf(&b, verb+verb+verb+verb+"\n", s, &s, hidden{s}, all)
	}
	fmt.Fprintln(&b, s, s.String(), hidden{s}, all, errors.New(fmt.Sprint(s)), fmt.Errorf("%w %v", errors.ErrUnsupported, s))
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("msg", "s", s, "p", &s, "all", all, slog.Any("hidden", hidden{s}), slog.Group("g", "s", s))
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		text, err := marshal(shown{Inner: s, Ptr: &s, List: []Secret{s}, Map: map[string]Secret{"x": s}})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	out := b.String()
	for _, part := range []string{planted, "hunter2", fmt.Sprintf("%x", planted)} {
		if strings.Contains(out, part) {
			t.Errorf("%q is printed:\n%s", part, out)
		}
	}
	if !strings.Contains(out, masked) {
		t.Error("nothing shows that there is a secret")
	}
	if s.Reveal() != planted || s != NewSecret(planted) || s == NewSecret("other") || !NewSecret("").IsZero() || fmt.Sprint(Secret{}) != "" {
		t.Error("a secret does not compare by its text")
	}
}

// TestConfigNeverPrints puts a password into every place that takes one.
func TestConfigNeverPrints(t *testing.T) {
	cfg := mustParse(t, `
connections:
  - {name: a, address: "a:6379", password: `+planted+`}
  - {name: b, sentinel: {master: m, addresses: ["s:1"], password: `+planted+`}}
applications: [{slug: shop, metadata: {api_token: `+planted+`}}]
queues:
  - {application: shop, connection: a, queue_names: [x], worker: {environment: {DB_PASSWORD: `+planted+`, APP_ENV: production}}}
`)
	text, err := cfg.MaskedYAML()
	if err != nil {
		t.Fatal(err)
	}
	out := string(text) + fmt.Sprintf("%v %+v", cfg.Connections, cfg.Connections[1].Sentinel)
	if strings.Contains(out, "hunter2") {
		t.Errorf("the password is shown:\n%s", out)
	}
	if !strings.Contains(out, "APP_ENV: production") || strings.Count(string(text), masked) != 4 {
		t.Errorf("not everything else is shown:\n%s", out)
	}
	if got := cfg.Secrets(); len(got) != 1 || got[0] != planted {
		t.Errorf("secrets are %q", got)
	}
}

// TestErrorsDoNotQuote puts a password where something else belongs.
func TestErrorsDoNotQuote(t *testing.T) {
	lines := []string{
		"address: %s", "address: redis://u:%s@h:1", "address: h:%s", "database: %s", "active: %s", "probe_timeout: %s", "labels: %s", "tls: %s",
		"options: {pool_size: %s}", "options: {client_name: 'a %s'}", "credentials_expire_at: %s", "password: {a: %s}", "password: [%s]", "password: *%s",
		"password: &%s", "password: !%s", "password: !<%s>", "password: %%%s", "password: @%s", "password: `%s", "password: #%s", "password: \"%s", "password: '%s",
		"password: {%s", "password: [%s", "password: a: %s", "password: |%s", "password: >%s", "password: - %s", "password: ? %s", "password: *a %s", "password: &a *%s",
		"password: \"\\q%s\"", "password: !!int %s", "password: !!binary %s", "password_age: %s", "password_file: %s", "password_env: %s", "unknown: %s", "labels: {a: [%s]}", "\tpassword: %s",
	}
	tr := newTree(t, nil)
	for _, line := range lines {
		text := "connections:\n  - name: a\n    address: localhost:6379\n    " + fmt.Sprintf(line, planted) + "\n"
		if strings.HasPrefix(line, "address") {
			text = strings.Replace(text, "    address: localhost:6379\n", "", 1)
		}
		tr.write("main.yml", text)
		_, err := Load(tr.path("main.yml"))
		if err == nil {
			t.Errorf("%s is accepted", line)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
