package php

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

const (
	// resultMark begins the line on which a script gives its result.
	resultMark = "queuefleet-result "
	timeout    = 60 * time.Second
	// maxOutput bounds what of a process's output is kept.
	maxOutput = 64 << 20
)

// Interpreter is a PHP to be asked.
type Interpreter struct {
	Path string // of the executable, absolute
	Run  Runner
	User *proc.Identity // whom it runs as; nil = this program's own user
}

// Find returns the path of PHP: name is a path, or looked for in PATH.
func Find(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	path, err := proc.LookPath(name, dir, os.Getenv("PATH"))
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err != nil {
		return "", err
	} else if info.IsDir() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s is not executable", path)
	}
	return path, nil
}

// Call is one run of PHP.
type Call struct {
	Dir string            // working directory, absolute
	Env map[string]string // beside PATH; nothing is inherited
}

// Lint has PHP check a file's syntax.
func (i *Interpreter) Lint(ctx context.Context, file string) error {
	out, err := i.run(ctx, Call{Dir: filepath.Dir(file)}, "-l", file)
	if err != nil {
		return err
	}
	if out.failed() {
		return fmt.Errorf("php -l %s: %s", file, out.complaint())
	}
	return nil
}

// Ask runs a script, which begins with <?php and ends with a line of
// resultMark and JSON, and decodes that into result.
func (i *Interpreter) Ask(ctx context.Context, c Call, script string, args []string, result any) error {
	code := strings.TrimPrefix(script, "<?php")
	out, err := i.run(ctx, c, append([]string{
		"-d", "display_errors=stderr", "-d", "log_errors=0", "-d", "html_errors=0", "-d", "auto_prepend_file=", "-d", "auto_append_file=",
		"-d", "memory_limit=512M", "-r", code, "--",
	}, args...)...)
	if err != nil {
		return err
	}
	for _, line := range out.stdout {
		if text, ok := strings.CutPrefix(line, resultMark); ok {
			return json.Unmarshal([]byte(text), result)
		}
	}
	return fmt.Errorf("PHP gives no answer: %s", out.complaint())
}

func (i *Interpreter) run(ctx context.Context, c Call, args ...string) (*output, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	variables := map[string]string{"PATH": os.Getenv("PATH"), "LANG": "C.UTF-8"}
	maps.Copy(variables, c.Env)
	env, err := proc.NewEnv(variables)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	spec := proc.Spec{
		Path: i.Path, Args: append([]string{i.Path}, args...), Dir: dir, Env: env,
		User: i.User, DeathSignal: syscall.SIGKILL,
	}
	out := &output{}
	out.exit, err = i.Run(ctx, proc.Launch{Spec: spec, Name: "php", Source: proc.Pipes{Separate: true}, Observe: out.line})
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("PHP does not end within %s", timeout)
	}
	if err != nil {
		return nil, err
	}
	out.seal()
	return out, nil
}

// output is what a process wrote and how it ended.
type output struct {
	exit *proc.Exit

	mu     sync.Mutex
	size   int
	stdout []string
	stderr []string
	open   map[string]bool // the stream's last line goes on
}

func (o *output) line(l proc.Line) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.size += len(l.Text); o.size > maxOutput {
		return
	}
	lines := &o.stdout
	if l.Stream == "stderr" {
		lines = &o.stderr
	}
	if o.open[l.Stream] {
		(*lines)[len(*lines)-1] += l.Text
	} else {
		*lines = append(*lines, l.Text)
	}
	if o.open == nil {
		o.open = map[string]bool{}
	}
	o.open[l.Stream] = l.More
}

// seal drops what somebody may still write.
func (o *output) seal() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.size = maxOutput
}

func (o *output) failed() bool { return o.exit == nil || o.exit.Status != 0 }

// complaint is the beginning of what PHP says of a failure, for people.
func (o *output) complaint() string {
	const most = 500
	text := strings.Join(strings.Fields(strings.Join(append(o.stderr, o.stdout...), " ")), " ")
	if text == "" {
		text = "it writes nothing"
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return text
}
