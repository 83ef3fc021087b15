package main

import (
	"errors"
	"os/exec"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// eventually is `until CODE COMMAND…`: it runs a command again and again
// until it ends with this code.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until CODE COMMAND…")
	}
	code := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		var exit *exec.ExitError
		switch {
		case err == nil:
			code = "0"
		case errors.As(err, &exit):
			code = strconv.Itoa(exit.ExitCode())
		default:
			ts.Fatalf("%v", err)
		}
		if code == args[0] {
			return
		}
	}
	ts.Fatalf("exit code %s, want %s", code, args[0])
}
