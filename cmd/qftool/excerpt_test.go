package main

import (
	"slices"
	"strings"
	"testing"
)

func TestExcerptShowsWhatIsHarmless(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"a plain key", "connections:\n  - name: shop  # the shop", "  - name: shop"},
		{"a flow map", "connections:\n  - {name: a, address: b:6379, database: 3}", "  - {name: a, address: b:6379, database: 3}"},
		{"an item of a list of names", "queues:\n  - queue_names:\n      - high", "      - high"},
		{"an item at its key's indentation", "queue_names:\n- high", "- high"},
		{"tabs and control characters", "connection:\n\tregion: \"a\x1b[31m\"", " region: \"a?[31m\""},
		{"a colour is no comment", "color: \"#3B82F6\"", "color: \"#3B82F6\""},
		{"a key without a value", "connections:\n  - tls:", "  - tls:"},
		{"a comment", "# password: hunter2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines := strings.Split(test.source, "\n")
			if got := newExcerpter().line(lines, len(lines)-1); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestExcerptHidesSecrets shows the last line of texts in which it holds, or
// may hold, a secret.
func TestExcerptHidesSecrets(t *testing.T) {
	const secret = "hunter2"
	for _, source := range []string{
		"password: hunter2",
		"  - password: 'hunter2'",
		"  - {name: a, password: hunter2}",
		"  - {password: hunter2, name: a}",
		"  - {name: a,password: hunter2}",
		"passwrod: hunter2",
		"Password: hunter2",
		"\"password\": hunter2",
		"'password' : hunter2",
		"password hunter2",
		"- name: a\n  password hunter2",
		"- hunter2",
		"connections:\n  - hunter2",
		"password:\n  hunter2",
		"password: |\n  hunter2",
		"password: >-\n\n  # no comment\n  hunter2",
		"password:\n  name: hunter2",
		"password:\n  - hunter2",
		"password:\n- hunter2",
		"address: redis://:hunter2@host:6379",
		"addresses:\n  - user:hunter2@host:6379",
		"cluster: {addresses: [\"user:hunter2@host\"]}",
		"name: a # hunter2",
		"environment: {DB_PASSWORD: hunter2}",
		"environment:\n  DB_PASSWORD: hunter2",
		"environment:\n  name: hunter2",
		"worker: {command: [php, --token=hunter2]}",
		"command:\n  - hunter2",
		"notes: the password is hunter2",
		"notes: |\n  name: hunter2",
		"metadata:\n  deep:\n    name: hunter2",
		"labels: {a: hunter2}",
		"hunter2",
		"? hunter2",
		"&anchor hunter2",
		"\thunter2",
	} {
		t.Run(source, func(t *testing.T) {
			lines := strings.Split(source, "\n")
			got := newExcerpter().line(lines, len(lines)-1)
			if strings.Contains(got, secret) {
				t.Errorf("shows %q", got)
			}
		})
	}
}

func TestUnderline(t *testing.T) {
	for _, test := range []struct{ shown, path, want string }{
		{"  - name: shop", "connections[0].name", "    ^^^^"},
		{"  - {name: a, database: x}", "connections[0].database", "              ^^^^^^^^"},
		{"  address: é:1", "connections[0].address", "  ^^^^^^^"},
		{"    queue_names: [a, '']", "queues[0].queue_names[1]", "    ^^^^^^^^^^^"},
		{"  - high", "queues[0].queue_names[0]", "    ^^^^"},
		{"  - name: shop", "connections[0]", "    ^^^^^^^^^^"},
		{"nonsense", "", "^^^^^^^^"},
	} {
		column, width := underline(test.shown, test.path)
		if got := strings.Repeat(" ", column) + strings.Repeat("^", width); got != test.want {
			t.Errorf("%s in %q: got\n%s\nwant\n%s", test.path, test.shown, got, test.want)
		}
	}
}

// FuzzExcerpt looks for texts that make it fall over, or that lead it to show
// what stands behind a password key.
func FuzzExcerpt(f *testing.F) {
	f.Add("connections:\n- name: a\n", "  password: hunter2")
	f.Add("a:\n\n  b: [", "c: {password: hunter2")
	x := newExcerpter()
	f.Fuzz(func(t *testing.T, above, last string) {
		lines := append(strings.Split(above, "\n"), "  password: "+strings.ReplaceAll(last, "\n", " ")+"SECRET")
		for i := range lines {
			shown := x.line(lines, i)
			column, width := underline(shown, "connections[0].password")
			if column < 0 || width < 1 {
				t.Errorf("underline at %d, %d wide", column, width)
			}
			if i == len(lines)-1 && strings.Contains(shown, "SECRET") {
				t.Errorf("shows %q", shown)
			}
		}
	})
}

// TestParentLines finds what lines are nested in as one does by reading upwards.
func TestParentLines(t *testing.T) {
	lines := strings.Split("a:\n- b:\n    c: 1\n\n# note\n- d:\n  - e\n  - f\n  g: 2\nh: 3\n  i", "\n")
	want := []int{-1, 0, 1, -1, -1, 0, 5, 5, 5, -1, 9}
	if got := parentLines(lines); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
