package demo

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// await calls done until it says so, as long as the test may last.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for !done() {
		if t.Context().Err() != nil {
			t.Fatal(what)
		}
	}
}

// TestFleetOnRealServers leaves nothing on servers that are not its own.
func TestFleetOnRealServers(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := server.Client()
	if err := c.Set(t.Context(), "mine", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	f, err := New(t.Context(), Options{Logger: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Addresses: []string{server.Addr}, Speed: 5})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	await(t, "no worker took a job", func() bool { return c.ZCard(t.Context(), shopPrefix+"queues:default:reserved").Val() > 0 })
	await(t, "Horizon gives no sign of life", func() bool { return c.ZCard(t.Context(), horizonPrefix+"masters").Val() == 1 })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if keys := c.Keys(t.Context(), "*").Val(); len(keys) != 1 || keys[0] != "mine" {
		t.Errorf("left behind: %v", keys)
	}
}

func TestFleetEmbedded(t *testing.T) {
	f, err := New(t.Context(), Options{Logger: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Speed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s := f.Servers(); len(s) != 4 || s[0].Down || !s[3].Down {
		t.Errorf("servers: %v", s)
	}
	if info, err := os.Stat(f.Config()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("configuration: %v, %v", info, err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestFleetRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"no speed":          {Speed: 0},
		"too fast":          {Speed: 100},
		"nobody there":      {Speed: 1, Addresses: []string{redistest.FreeAddr(t)}},
		"missing directory": {Speed: 1, Dir: "/nonexistent/queuefleet"},
	} {
		t.Run(name, func(t *testing.T) {
			o.Logger = slog.New(slog.DiscardHandler)
			f, err := New(t.Context(), o)
			if err == nil {
				t.Error("was started", f.Close())
			}
		})
	}
}
