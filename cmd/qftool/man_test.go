package main

import (
	"io"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/queuefleet/queuefleet/internal/logging"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// TestEveryCommandHasAnExample: a help text that only lists flags helps nobody.
func TestEveryCommandHasAnExample(t *testing.T) {
	app := newApp(&env{stdout: io.Discard, stderr: io.Discard, commands: map[string]command{}, redactor: &logging.Redactor{}})
	page := manual(app.Model())
	for _, cmd := range app.Model().FlattenedCommands() {
		if cmd.Hidden || len(cmd.Commands) > 0 || cmd.Name == "help" {
			continue
		}
		if exampleOf(cmd) == "" && !strings.Contains(cmd.HelpLong, "qftool ") {
			t.Errorf("%s has an example neither in examples nor in a long help text", cmd.FullCommand)
		}
		if !strings.HasPrefix(exampleOf(cmd), "qftool ") && !strings.Contains(exampleOf(cmd), "qftool "+cmd.FullCommand) && exampleOf(cmd) != "" {
			t.Errorf("the example of %s is one of something else: %s", cmd.FullCommand, exampleOf(cmd))
		}
		if !strings.Contains(page, "\n.SS "+roff(cmd.FullCommand)+"\n") {
			t.Errorf("%s is not in the manual page", cmd.FullCommand)
		}
	}
}

// TestManualPage lets groff read the page: nothing in it is a mistake.
func TestManualPage(t *testing.T) {
	redistest.Need(t, "groff")
	app := newApp(&env{stdout: io.Discard, stderr: io.Discard, commands: map[string]command{}, redactor: &logging.Redactor{}})
	command := exec.Command("groff", "-man", "-Tutf8", "-ww")
	command.Stdin = strings.NewReader(manual(app.Model()))
	var said, page strings.Builder
	command.Stderr, command.Stdout = &said, &page
	if err := command.Run(); err != nil || said.Len() > 0 {
		t.Errorf("%v\n%s", err, said.String())
	}
	for _, want := range []string{"--config.file", "qftool connections test --timeout=2s shop-eu", "A mistake was found"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("no %q in the page", want)
		}
	}
}

// TestHelpFitsAScreen also where somebody has a small one.
func TestHelpFitsAScreen(t *testing.T) {
	var help strings.Builder
	if code := run([]string{"qftool", "--help"}, strings.NewReader(""), &help, io.Discard); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	lines := strings.Split(strings.TrimRight(help.String(), "\n"), "\n")
	if len(lines) > 28 {
		t.Errorf("%d lines:\n%s", len(lines), help.String())
	}
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > 79 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestRoff(t *testing.T) {
	if got, want := roff(".a\n'b\n\\c -d\n\ne"), "\\&.a\n\\&'b\n\\ec \\-d\n.sp\ne"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
