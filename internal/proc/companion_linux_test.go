package proc

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startable is a companion that runs a script.
func startable(t *testing.T, script string) (Companion, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out")
	output, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = output.Close() })
	return Companion{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Dir: t.TempDir(), Env: []string{"PATH=/bin:/usr/bin", "A=b"}, Output: output}, file
}

func TestCompanionEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, file := startable(t, `trap 'echo bye; exit 3' TERM; echo "$A $$"; while :; do sleep 0.05; done`)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	text := ""
	for deadline := time.Now().Add(10 * time.Second); !strings.HasPrefix(text, "b ") && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(file)
		text = string(b)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	b, _ := os.ReadFile(file)
	if !strings.HasSuffix(string(b), "bye\n") {
		t.Errorf("it was not asked to end: %q", b)
	}
}

func TestCompanionThatEndsByItself(t *testing.T) {
	c, _ := startable(t, "exit 7")
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "/bin/sh has ended: exit status 7") {
		t.Error(err)
	}
	c.Path = "/nonexistent"
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // there is nothing to be ended, also where that is wanted at once
		if err := c.Run(ended); !errors.Is(err, syscall.ENOENT) {
			t.Fatal(err)
		}
	}
}
