package supervisor

import (
	"fmt"
	"os"
	"os/user"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/configs"
)

func TestInspect(t *testing.T) {
	self, err := user.LookupId(fmt.Sprint(os.Geteuid()))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("connections: [{name: main, address: \"localhost:1\"}]\napplications: [{slug: shop}]\nqueues:\n")
	for name, worker := range map[string]string{
		"good":      `preset: exec, command: [/bin/sh], directory: /`,
		"command":   `preset: exec, command: [/nowhere/worker], directory: /`,
		"directory": `preset: exec, command: [/bin/sh], directory: ` + dir + `/missing`,
		"user":      `preset: exec, command: [/bin/sh], directory: /, user: queuefleet-nobody`,
		"laravel":   `preset: laravel, command: [php, artisan, "queue:listen"], directory: ` + dir,
		"elsewhere": `preset: exec, command: [/nowhere/worker], directory: /`,
		"template":  `preset: exec, command: ["{{.nosuch}}"], directory: /`,
	} {
		if name != "user" {
			worker += ", user: " + self.Username
		}
		hosts := "here"
		if name == "elsewhere" || name == "template" {
			hosts = "there"
		}
		fmt.Fprintf(&text, "  - {name: %s, application: shop, connection: main, queue_names: [%[1]s], hosts: [%s], worker: {%s}}\n", name, hosts, worker)
	}
	cfg, err := configs.Parse("test.yml", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]map[string]bool{ // Here by queue and key
		"here": {
			"command worker.command": true, "directory worker.directory": true, "user worker.user": true,
			"laravel worker.command": false,
		},
		"there": {"elsewhere worker.command": true, "template worker.command": false},
		"":      {"laravel worker.command": false, "template worker.command": false},
		"none":  {},
	} {
		got := map[string]bool{}
		for _, f := range Inspect(cfg, name) {
			got[f.Queue+" "+f.Key] = f.Here
			if f.Text == "" {
				t.Errorf("%s %s: no text", f.Queue, f.Key)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("on %q (-want +got):\n%s", name, diff)
		}
	}
}
