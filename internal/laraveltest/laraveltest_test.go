package laraveltest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// The application pushes and works jobs with the framework's own code.
func TestApp(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	app := laraveltest.New(t, server.Addr)
	app.Push(5, "high", laraveltest.Job{})
	app.Push(2, "high", laraveltest.Job{Delay: 3600})
	sizes := func(want laraveltest.Sizes) {
		t.Helper()
		if d := cmp.Diff(map[string]laraveltest.Sizes{"high": want}, app.Sizes("high")); d != "" {
			t.Error(d)
		}
	}
	sizes(laraveltest.Sizes{Size: 7, Pending: 5, Delayed: 2})
	app.Work("--queue=high", "--stop-when-empty")
	sizes(laraveltest.Sizes{Size: 2, Delayed: 2})
	if done := server.Client().Get(t.Context(), "laravel_database_done:high").Val(); done != "5" {
		t.Errorf("%q jobs were done, want 5", done)
	}
}
