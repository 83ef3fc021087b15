package configs

import (
	"slices"
	"strings"
	"testing"
)

// Passwords in addresses are secrets, whatever the variable or key is called.
func TestPasswordsInAddressesAreMasked(t *testing.T) {
	cfg, err := Parse("test.yml", []byte(`
connections: [{name: main, address: "r:6379"}]
applications: [{slug: shop, metadata: {broker: "amqp://shop:hunter2-broker@mq/", wiki: "https://wiki/shop"}, connections: [{connection: main}]}]
queues:
  - {name: mails, application: shop, connection: main, queue_names: [mails],
     worker: {preset: exec, directory: /, command: [work, "--dsn=redis://:hunter2-dsn@r"], environment: {REDIS_URL: "redis://u:hunter2-url@r:6379", HOME_URL: "https://shop/"}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := cfg.MaskedYAML()
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"masked": string(shown)}
	for _, mode := range []SecretsMode{SecretsOmit, SecretsMask} {
		entries, left, err := cfg.Export(ExportOptions{Secrets: mode, Directory: "/"})
		if err != nil {
			t.Fatal(err)
		}
		text, err := entries.YAML()
		if err != nil {
			t.Fatal(err)
		}
		texts["exported, "+string(mode)] = string(text)
		want := []string{"application shop: metadata.broker", "queue mails: a password in worker.command", "queue mails: worker.environment.REDIS_URL"}
		if mode == SecretsMask {
			want = nil
		}
		if !slices.Equal(left, want) {
			t.Errorf("%s: left out are %q", mode, left)
		}
	}
	for what, text := range texts {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s: a password is shown:\n%s", what, text)
		}
		for _, harmless := range []string{"https://wiki/shop", "https://shop/"} {
			if !strings.Contains(text, harmless) {
				t.Errorf("%s: %s is missing:\n%s", what, harmless, text)
			}
		}
	}
	// The mask must not become the password.
	tr := newTree(t, map[string]string{"main.yml": "{}\n"})
	for what, text := range texts {
		_, err := open(t, tr.path("main.yml")).Merge([]byte(text), MergeOptions{})
		if err == nil || !strings.Contains(err.Error(), "worker.command[1] is masked") && !strings.Contains(err.Error(), "worker.command[1]: is masked") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, secret := range []string{"hunter2-url", "hunter2-dsn", "hunter2-broker"} {
		if !slices.Contains(cfg.Secrets(), secret) {
			t.Errorf("logs would show %s", secret)
		}
	}
}
