package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/queuefleet/queuefleet/internal/horizontest"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestMain(m *testing.M) {
	horizontest.Main()
	testscript.Main(m, map[string]func(){"qftool": main, "standin": horizontest.Play})
}

// TestScript runs testdata/script: what qftool does, as a user types and sees it.
func TestScript(t *testing.T) {
	examples, err := filepath.Abs("../../configs/examples")
	if err != nil {
		t.Fatal(err)
	}
	programs := buildSupervisor(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			e.Setenv("TMPDIR", e.WorkDir+"/tmp")
			e.Setenv("PATH", programs+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv("AS", "") // whom workers run as
			if os.Geteuid() == 0 {
				e.Setenv("AS", "user: nobody, group: nogroup,")
			}
			e.Values[serversKey{}] = map[string]*redistest.Server{}
			e.Values[testKey{}] = e.T()
			return os.MkdirAll(e.WorkDir+"/tmp", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":    runFor,
			"until":     eventually,
			"redis":     startRedis,
			"redis-do":  redisDo,
			"redis-get": redisGet,
			"dbsize":    dbSize,
			"free-addr": freeAddr,
			"silent":    silentServer,
			"await":     awaitPage,
			"quiet":     quiet,
			"mode":      fileMode,
			"emptydir":  emptyDir,
			"envsubst":  substitute,
			"paste":     paste,
			"fleet":     bigFleet,
			"need":      need,
			"laravel":   layOutLaravel,
			"replace":   replaceText,
		},
	})
}

// buildSupervisor builds the real program and returns the directory it is in.
func buildSupervisor(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", dir, "../queuefleet_supervisor").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

type (
	serversKey struct{}
	testKey    struct{}
)

func tb(ts *testscript.TestScript) testing.TB { return ts.Value(testKey{}).(testing.TB) }

func servers(ts *testscript.TestScript) map[string]*redistest.Server {
	return ts.Value(serversKey{}).(map[string]*redistest.Server)
}

// runFor is `status CODE COMMAND…`: it runs a command that must end with
// exactly this code. An argument with * is a glob for files.
func runFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND…")
	}
	var words []string
	for _, arg := range args[1:] {
		files, err := filepath.Glob(arg)
		if err != nil || len(files) == 0 || !filepath.IsAbs(arg) {
			files = []string{arg}
		}
		words = append(words, files...)
	}
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(words[0], words[1:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// startRedis is `redis NAME [tls] [socket] [password=…] [user=…]`: it starts a
// real redis-server and puts its address into $NAME and, with tls, the path of
// its authority's certificate into ${NAME}_CA.
func startRedis(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: redis NAME [option…]")
	}
	var o redistest.Options
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "tls":
			o.TLS = true
		case "socket":
			o.UnixSocket = true
		case "password":
			o.RequirePass = value
		case "user":
			o.Users = append(o.Users, value)
		default:
			ts.Fatalf("redis: unknown option %q", arg)
		}
	}
	s := redistest.Start(tb(ts), o)
	servers(ts)[args[0]] = s
	ts.Setenv(args[0], s.Addr)
	if s.PKI != nil {
		ts.Setenv(args[0]+"_CA", s.PKI.CA)
	}
	if s.Socket != "" {
		ts.Setenv(args[0]+"_SOCKET", s.Socket)
	}
}

// redisDo is `redis-do NAME COMMAND…`.
func redisDo(ts *testscript.TestScript, neg bool, args []string) {
	command := make([]any, 0, len(args))
	for _, arg := range args[1:] {
		command = append(command, arg)
	}
	err := servers(ts)[args[0]].Client().Do(tb(ts).Context(), command...).Err()
	if (err != nil) != neg {
		ts.Fatalf("%v: %v", args, err)
	}
}

// redisGet is `redis-get NAME COMMAND…`: the answer is what stdout looks at next.
func redisGet(ts *testscript.TestScript, _ bool, args []string) {
	command := make([]any, 0, len(args))
	for _, arg := range args[1:] {
		command = append(command, arg)
	}
	answer, err := servers(ts)[args[0]].Client().Do(tb(ts).Context(), command...).Text()
	ts.Check(err)
	_, err = fmt.Fprintln(ts.Stdout(), answer)
	ts.Check(err)
}

// need is `need PROGRAM`: the rest of the script needs it.
func need(ts *testscript.TestScript, _ bool, args []string) { redistest.Need(tb(ts), args[0]) }

// dbSize is `dbsize NAME N`: the server holds so many keys.
func dbSize(ts *testscript.TestScript, _ bool, args []string) {
	n, err := servers(ts)[args[0]].Client().DBSize(tb(ts).Context()).Result()
	if err != nil || strconv.FormatInt(n, 10) != args[1] {
		ts.Fatalf("%s holds %d keys, want %s (%v)", args[0], n, args[1], err)
	}
}

// freeAddr is `free-addr NAME`: an address on which nobody listens.
func freeAddr(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], redistest.FreeAddr(tb(ts)))
}

// silentServer is `silent NAME`: a server that accepts and never answers.
func silentServer(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], redistest.Silent(tb(ts)).Addr)
}

// awaitPage is `await URL REGEXP…`: it reads the page until it matches all of them.
func awaitPage(ts *testscript.TestScript, _ bool, args []string) {
	patterns := make([]*regexp.Regexp, 0, len(args))
	for _, arg := range args[1:] {
		patterns = append(patterns, regexp.MustCompile("(?m)"+arg))
	}
	ctx, cancel := context.WithTimeout(tb(ts).Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	page, err := "", error(nil)
	for ctx.Err() == nil {
		if page, err = get(ctx, args[0]); err == nil && matchAll(patterns, page) {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
	ts.Fatalf("%s does not match %q: %v\n%s", args[0], args[1:], err, page)
}

func matchAll(patterns []*regexp.Regexp, page string) bool {
	for _, p := range patterns {
		if !p.MatchString(page) {
			return false
		}
	}
	return true
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", response.Status)
	}
	return string(page), err
}

// quiet is `quiet`: what the last command said holds hunter2 in no form.
func quiet(ts *testscript.TestScript, _ bool, _ []string) {
	said := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	for _, form := range []string{"hunter2", "aHVudGVyM", "h1bnRlcj", "odW50ZXIy"} { // base64 at any offset
		if strings.Contains(said, form) {
			ts.Fatalf("%s is shown", form)
		}
	}
}

// fileMode is `mode 0600 FILE`.
func fileMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%#o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("mode of %s is %s, want %s", args[1], got, args[0])
	}
}

// substitute is `envsubst FILE…`: it replaces ${NAME} in the files by the
// script's variables.
func substitute(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// emptyDir is `emptydir DIR`.
func emptyDir(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(entries) > 0 {
		ts.Fatalf("%s holds %v", args[0], entries)
	}
}

// paste is `paste FILE ADDRESS BLOCK`: a configuration with one connection,
// below which the text of BLOCK is pasted.
func paste(ts *testscript.TestScript, _ bool, args []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "global: {age_identity_files: [age.key]}\nconnections:\n  - name: pasted\n    address: %s\n", args[1])
	for line := range strings.Lines(ts.ReadFile(args[2])) {
		b.WriteString("    " + line)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// bigFleet is `fleet FILE N ADDRESS K HUNG`: N connections, each K-th of them to HUNG.
func bigFleet(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	k, err := strconv.Atoi(args[3])
	ts.Check(err)
	var b strings.Builder
	b.WriteString("global: {probe_timeout: 5s}\nconnections:\n")
	for i := range n {
		// Those that answer get all the time that a busy machine may need.
		address, timeout := args[2], "30s"
		if i%k == 0 {
			address, timeout = args[4], "1s"
		}
		fmt.Fprintf(&b, "  - {name: c%04d, address: '%s', probe_timeout: %s, options: {dial_timeout: %[3]s, read_timeout: %[3]s, write_timeout: %[3]s}}\n", i, address, timeout)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}
