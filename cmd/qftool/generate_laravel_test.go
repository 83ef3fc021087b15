package main

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/queuefleet/queuefleet/internal/laraveltest"
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

// layOutLaravel is `laravel NAME`: it lays out a real application, which the
// user of the script's workers can run, and puts its directory into $NAME.
func layOutLaravel(ts *testscript.TestScript, _ bool, args []string) {
	app := laraveltest.New(tb(ts), "127.0.0.1:1")
	ts.Setenv(args[0], app.Dir)
	if os.Geteuid() != 0 {
		return
	}
	ts.Check(os.Chmod(filepath.Dir(app.Dir), 0o755)) //nolint:gosec // for the other user
	nobody, err := user.Lookup("nobody")
	ts.Check(err)
	uid, err := strconv.Atoi(nobody.Uid)
	ts.Check(err)
	gid, err := strconv.Atoi(nobody.Gid)
	ts.Check(err)
	ts.Check(filepath.WalkDir(app.Dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	}))
}
