package redisexporter

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
)

func TestAddresses(t *testing.T) {
	for given, want := range map[string]address{
		"redis://h:1":                 {text: "h:1", host: "h"},
		"h":                           {text: "h:6379", host: "h"},
		"rediss://u:p%40w@h:1/3":      {text: "h:1", host: "h", tls: true, user: "u", password: "p@w", database: 3},
		"valkeys://:p@[::1]:1?db=2":   {text: "[::1]:1", host: "::1", tls: true, password: "p", database: 2},
		"unix:///run/r.sock":          {text: "unix:///run/r.sock", host: "r"},
		"/run/redis/r.sock":           {text: "unix:///run/redis/r.sock", host: "r"},
		"redis-socket:///run/r?db=15": {text: "unix:///run/r", host: "r", database: 15},
	} {
		if got, err := parseAddress(given); err != nil || got != want {
			t.Errorf("%s: %+v, %v", given, got, err)
		}
	}
	for _, given := range []string{"", "http://hunter2@h", "redis://hunter2@h:99999", "redis://h/hunter2", "redis://h:1/-1", "redis://%hunter2", "unix://"} {
		if _, err := parseAddress(given); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", given, err)
		}
	}
}

func TestRelabelling(t *testing.T) {
	const head = "relabel_configs:\n"
	start := map[string]string{"__address__": "redis://h:1", "Zone": "EU", "a": "1", "b": "1", "__meta_dc": "x"}
	for rules, want := range map[string]map[string]string{
		"  - {source_labels: [a, b], separator: '-', target_label: c}\n":                                            {"c": "1-1"},
		"  - {source_labels: [__address__], regex: 'redis://(.*):(.*)', target_label: c, replacement: '$2.${1}'}\n": {"c": "1.h"},
		"  - {source_labels: [a], regex: 2, target_label: b}\n":                                                     {},
		"  - {source_labels: [a], target_label: a, replacement: ''}\n":                                              {"a": ""},
		"  - {source_labels: [Zone], target_label: zone, action: lowercase}\n":                                      {"zone": "eu"},
		"  - {regex: '__meta_(.*)', action: labelmap}\n":                                                            {"dc": "x"},
		"  - {regex: 'a|b', action: labeldrop}\n":                                                                   {"a": "", "b": ""},
		"  - {regex: '__.*|a', action: LabelKeep}\n":                                                                {"Zone": "", "b": ""},
		"  - {source_labels: [a], target_label: b, action: keepequal}\n":                                            {},
		"  - {source_labels: [a], target_label: b, action: dropequal}\n":                                            nil,
		"  - {source_labels: [a], regex: 'x.*', action: keep}\n":                                                    nil,
	} {
		d, err := configs.ReadDocument("p.yml", []byte(head+rules))
		if err != nil {
			t.Fatal(err)
		}
		list, err := readRules(d, "relabel_configs", d.Value["relabel_configs"])
		if err != nil {
			t.Fatal(err)
		}
		got, expected := maps.Clone(start), maps.Clone(start)
		if stays := apply(list, got); stays != (want != nil) {
			t.Errorf("%s: stays: %v", rules, stays)
			continue
		}
		for name, v := range want {
			expected[name] = v
			if v == "" {
				delete(expected, name)
			}
		}
		if want != nil && !maps.Equal(got, expected) {
			t.Errorf("%s: got %v, want %v", rules, got, expected)
		}
	}
}

// TestPrecedence: a flag wins over the environment, an address over the flags,
// and servers are told apart by more than their host.
func TestPrecedence(t *testing.T) {
	env := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(env, []byte("export REDIS_ADDR=redis://ignored\nREDIS_PASSWORD=all\nREDIS_EXPORTER_IS_CLUSTER=true\nREDIS_EXPORTER_CONNECTION_TIMEOUT=20s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, warnings, err := Convert(Input{Flags: "redis_exporter --redis.addr=redis://h:1,redis://:own@h:2,h:2/1,h:1", EnvironmentFile: env})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, c.Name+" "+c.Cluster.Addresses[0]+" "+c.Password.Reveal())
	}
	if text := strings.Join(got, "; "); text != "h h:1 all; h-2 h:2 own; h-2-1 h:2 all" {
		t.Errorf("got %s", text)
	}
	var said strings.Builder
	for _, w := range warnings {
		said.WriteString(w.String() + "\n")
	}
	for _, want := range []string{"env:4: --connection-timeout: 20s does not fit", "h:1 is there already, as h"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in %s", want, said.String())
		}
	}
}

// Servers keep the names that the configuration has for them, the first one
// first, and each name is given once.
func TestKnownServersKeepTheirNames(t *testing.T) {
	known := []configs.Connection{configs.NewConnection("second"), configs.NewConnection("first"), configs.NewConnection("a")}
	known[0].Address, known[1].Address, known[2].Address, known[2].Database = "r:6379", "r:6379", "r:6379", 1
	list, _, err := Convert(Input{Flags: "--redis.addr=redis://r:6379/1,redis://r:6379,redis://other:6379", Known: known})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"a", "first", "other"}) {
		t.Errorf("names are %q", names)
	}
}
