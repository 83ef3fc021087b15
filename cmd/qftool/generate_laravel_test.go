package main

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// replaceText is `replace OLD NEW FILE`: OLD must be there.
func replaceText(ts *testscript.TestScript, _ bool, args []string) {
	before := ts.ReadFile(args[2])
	after := strings.ReplaceAll(before, args[0], args[1])
	if after == before {
		ts.Fatalf("%s does not hold %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(after), 0o600))
}
