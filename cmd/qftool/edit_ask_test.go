package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestInterruptAtThePassword: an interrupt where a new connection's password is
// asked for ends the command at once, gives the echo back and writes nothing.
func TestInterruptAtThePassword(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "fleet.yml")
	ctrl, tty := openTerminal(t)
	var stdout bytes.Buffer
	if code := run([]string{"qftool", "encrypt", "--generate-identity", filepath.Join(dir, "age.key")}, tty, &stdout, &stdout); code != exitOK {
		t.Fatal(stdout.String())
	}
	before := "global: {age_identity_files: [age.key]}\n"
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	asked, code := make(prompts, 16), make(chan int, 1)
	go func() {
		code <- run([]string{"qftool", "--config.file", file, "connections", "add", "eu"}, tty, &stdout, asked)
	}()
	for question := range asked {
		if strings.HasPrefix(question, "Password") {
			break
		}
		answer := "\n"
		if strings.HasPrefix(question, "Address") {
			answer = "127.0.0.1:1\n"
		}
		if _, err := ctrl.WriteString(answer); err != nil {
			t.Fatal(err)
		}
	}
	for echoes(t, tty) {
		if t.Context().Err() != nil {
			t.Fatal("the terminal goes on echoing")
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitFailed {
		t.Errorf("exit code %d, want %d", got, exitFailed)
	}
	if !echoes(t, tty) {
		t.Error("the terminal was left without an echo")
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != before {
		t.Errorf("the configuration is %q, %v", got, err)
	}
}
