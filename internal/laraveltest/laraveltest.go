// Package laraveltest gives tests a real Laravel 8.83 application with queues
// on a real Redis: it lays out a small application that runs on Debian's
// php-laravel-framework and calls its artisan. Only tests use it.
package laraveltest

import (
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

//go:embed testdata/app
var files embed.FS

// framework is the file by which Debian's php-laravel-framework is loaded.
const framework = "/usr/share/php/Illuminate/autoload.php"

// App is an application laid out in a folder of its own.
type App struct {
	Dir string

	t           testing.TB
	environment []string
}

// New lays out an application whose default connection is the Redis at
// redisAddr (host:port). environment adds variables as NAME=value: APP_NAME,
// REDIS_PREFIX (else made of the name), REDIS_USERNAME, REDIS_PASSWORD,
// REDIS_DB, RETRY_AFTER (seconds, else 90). The test is skipped where PHP or
// the framework is not installed, and fails with CI set.
func New(t testing.TB, redisAddr string, environment ...string) *App {
	t.Helper()
	redistest.Need(t, "php")
	if _, err := os.Stat(framework); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("php-laravel-framework is not installed")
		}
		t.Skip("php-laravel-framework is not installed")
	}
	host, port, err := net.SplitHostPort(redisAddr)
	if err != nil {
		t.Fatal(err)
	}
	a := &App{Dir: t.TempDir(), t: t}
	a.environment = append([]string{"PATH=" + os.Getenv("PATH"), "REDIS_HOST=" + host, "REDIS_PORT=" + port}, environment...)
	a.layOut()
	return a
}

func (a *App) layOut() {
	a.t.Helper()
	root, err := fs.Sub(files, "testdata/app")
	if err != nil {
		a.t.Fatal(err)
	}
	if err := os.CopyFS(a.Dir, root); err != nil {
		a.t.Fatal(err)
	}
	// The framework writes its caches and its log into these.
	for _, dir := range []string{"bootstrap/cache", "storage/logs", "storage/framework/cache/data", "storage/framework/views", "storage/framework/sessions"} {
		if err := os.MkdirAll(filepath.Join(a.Dir, dir), 0o755); err != nil {
			a.t.Fatal(err)
		}
	}
}

// Command is artisan with the given arguments, not started yet: for workers
// that a supervisor is to run.
func (a *App) Command(args ...string) *exec.Cmd {
	cmd := exec.Command("php", append([]string{"artisan"}, args...)...)
	cmd.Dir, cmd.Env = a.Dir, a.environment
	return cmd
}

// Artisan runs a command and returns its output. It must succeed.
func (a *App) Artisan(args ...string) string {
	a.t.Helper()
	out, err := a.Command(args...).CombinedOutput()
	if err != nil {
		a.t.Fatalf("artisan %s: %v\n%s%s", strings.Join(args, " "), err, out, a.log())
	}
	return string(out)
}

func (a *App) log() string {
	text, err := os.ReadFile(filepath.Join(a.Dir, "storage/logs/laravel.log"))
	if err != nil {
		return ""
	}
	return string(text)
}

// Job is what a pushed job does. The zero value ends well at once.
type Job struct {
	Delay        int    // seconds
	Milliseconds int    // how long it takes
	Fail         string // throw or exit; empty = it ends well
	Pad          int    // bytes added to the payload
}

// Push dispatches n jobs.
func (a *App) Push(n int, queue string, job Job) {
	a.t.Helper()
	a.Artisan("push", strconv.Itoa(n), "--queue="+queue, "--delay="+strconv.Itoa(job.Delay), "--ms="+strconv.Itoa(job.Milliseconds),
		"--fail="+job.Fail, "--pad="+strconv.Itoa(job.Pad))
}

// Work runs queue:work until it ends by itself and returns its output: give it
// --stop-when-empty, --once or --max-jobs.
func (a *App) Work(args ...string) string {
	a.t.Helper()
	return a.Artisan(append([]string{"queue:work"}, args...)...)
}

// Worker is a running queue:work.
type Worker struct {
	t      testing.TB
	cmd    *exec.Cmd
	output bytes.Buffer
	ended  bool
}

// StartWorker starts queue:work. It is killed with the test at the latest.
func (a *App) StartWorker(args ...string) *Worker {
	a.t.Helper()
	w := &Worker{t: a.t, cmd: a.Command(append([]string{"queue:work"}, args...)...)}
	w.cmd.Stdout, w.cmd.Stderr = &w.output, &w.output
	if err := w.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(w.Kill)
	return w
}

// Kill ends the worker the hard way, whatever it is doing.
func (w *Worker) Kill() { w.end(syscall.SIGKILL) }

// Stop asks the worker to finish its job and waits until it has ended.
func (w *Worker) Stop() { w.end(syscall.SIGTERM) }

func (w *Worker) end(signal syscall.Signal) {
	if w.ended {
		return
	}
	w.ended = true
	if err := w.cmd.Process.Signal(signal); err != nil {
		w.t.Logf("signal %v: %v", signal, err)
	}
	if err := w.cmd.Wait(); err != nil && signal != syscall.SIGKILL {
		w.t.Errorf("worker: %v\n%s", err, w.output.String())
	}
}

// Sizes are what the framework says of a queue.
type Sizes struct {
	Size     int `json:"size"` // its own sum
	Pending  int `json:"pending"`
	Delayed  int `json:"delayed"`
	Reserved int `json:"reserved"`
}

// Sizes asks the framework about queues.
func (a *App) Sizes(queues ...string) map[string]Sizes {
	a.t.Helper()
	var sizes map[string]Sizes
	a.decode(a.Artisan(append([]string{"sizes"}, queues...)...), &sizes)
	return sizes
}

// Slugs asks the framework for its slugs of names, each with _ and with -.
func (a *App) Slugs(names ...string) [][2]string {
	a.t.Helper()
	var slugs [][2]string
	a.decode(a.Artisan(append([]string{"slugs"}, names...)...), &slugs)
	return slugs
}

// SetFlag stores true for ever under a key of the application's cache.
func (a *App) SetFlag(key string) {
	a.t.Helper()
	a.Artisan("flag", key)
}

func (a *App) decode(text string, into any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		a.t.Fatalf("%v in %q", err, text)
	}
}
