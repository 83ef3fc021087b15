package configs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// watched runs story while a Store watches main.yml of the tree in fake time.
func watched(t *testing.T, tr *tree, story func(s *Store, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := NewStore(Options{
			Path: tr.path("main.yml"), Namespace: "test", Registerer: prometheus.NewRegistry(),
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		reload(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Watch(ctx, time.Minute) }()
		synctest.Wait()
		story(s, &log)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch returns %v", err)
		}
	})
}

// tick lets the watcher look once, and once more after the moment for which a
// change has to stand.
func tick() {
	pass(time.Minute + 2*longestSettle)
}

// pass lets fake time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestWatch(t *testing.T) {
	cert, key := certificate(t, time.Now().Add(time.Hour))
	id := newIdentity(t)
	tr := newTree(t, map[string]string{
		"main.yml": "global: {age_identity_files: [id]}\n" + includeAll +
			"connections: [{name: main, address: \"m:1\", password_file: pw, tls: {cert_file: cert, key_file: key}}]\n",
		"conf.d/a.yml": conn("a"), "pw": "one", "cert": cert, "key": key, "id": id.String(),
	})
	newCert, newKey := certificate(t, time.Now().Add(2*time.Hour))
	watched(t, tr, func(s *Store, log *bytes.Buffer) {
		changes := []struct {
			name   string
			change func()
		}{
			{"secret", func() { tr.write("pw", "two") }},
			{"certificate", func() { tr.write("cert", newCert); tr.write("key", newKey) }},
			{"identity", func() { tr.write("id", newIdentity(t).String()) }},
			{"fragment", func() { tr.write("conf.d/a.yml", conn("b")) }},
			{"new fragment", func() { tr.write("conf.d/c.yml", conn("c")) }},
			{"fragment goes", func() { tr.remove("conf.d/c.yml") }},
			{"main file", func() { tr.write("main.yml", includeAll+conn("other")) }},
		}
		for _, one := range changes {
			before := s.Current()
			tick()
			if s.Current() != before {
				t.Errorf("before %s: loaded without a change", one.name)
			}
			one.change()
			tick()
			if s.Current() == before {
				t.Errorf("%s: the change is not seen", one.name)
			}
		}
		if strings.Count(log.String(), "\n") != len(changes) {
			t.Errorf("log: %s", log)
		}
	})
}

// TestWatchFailure: a wrong file is tried and logged once, and what it refers
// to is watched as well.
func TestWatchFailure(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": conn("a")})
	watched(t, tr, func(s *Store, log *bytes.Buffer) {
		before := s.Current()
		tr.write("main.yml", "connections: [{name: b, address: \"b:1\", password_file: later}]")
		tick()
		tick()
		tick()
		if s.Current() != before || strings.Count(log.String(), "is not accepted") != 1 {
			t.Errorf("log: %s", log)
		}
		tr.write("later", "secret")
		tick()
		if got := names(s.Current()); got != "b" {
			t.Errorf("in force is %q: the missing file has come and nobody looked", got)
		}
		if err := os.Remove(tr.path("main.yml")); err != nil {
			t.Fatal(err)
		}
		tick()
		if got := names(s.Current()); got != "b" || strings.Count(log.String(), "is not accepted") != 2 {
			t.Errorf("in force is %q; log: %s", got, log)
		}
	})
}

// TestWatchWaitsForTheWriter: a file that still changes is not loaded, though
// every state of it would be accepted.
func TestWatchWaitsForTheWriter(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": conn("a")})
	watched(t, tr, func(s *Store, _ *bytes.Buffer) {
		before := s.Current()
		pass(30 * time.Second)
		tr.write("main.yml", "connections: []\n")
		pass(30*time.Second + longestSettle/2) // the watcher has seen the change
		tr.write("main.yml", conn("b"))
		pass(longestSettle)
		if s.Current() != before {
			t.Error("a file that is being written is loaded")
		}
		tick()
		if got := names(s.Current()); got != "b" {
			t.Errorf("in force is %q", got)
		}
	})
}

// TestWatchBeforeTheFirstLoad does nothing.
func TestWatchBeforeTheFirstLoad(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": conn("a")})
	synctest.Test(t, func(t *testing.T) {
		s := tr.store()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := s.Watch(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) || s.Current() != nil {
			t.Errorf("%v, %v", err, s.Current())
		}
	})
}
