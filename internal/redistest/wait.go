package redistest

import (
	"testing"
	"time"
)

// WaitFor asks until ok answers true, and fails the test where it never does.
// what completes the sentence "… did not happen".
func WaitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("%s did not happen within %s", what, patience)
		case <-again.C:
		}
	}
}
