package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// rival is a program that runs workers, and what was measured of it.
type rival struct {
	name   string
	yard   *yard
	file   string // its configuration
	text   func(programs [][]string) []byte
	launch func(context.Context) (*process, error) // returns when orders are taken, or before
	reload func(context.Context) error
	stop   func(context.Context) error // returns when all workers have left

	process    *process
	idleMemory float64 // bytes

	startTimes, growth, threads, cpu, crashes, reloads, stops []float64
}

// patience is how long anything of a rival may take.
const patience = 5 * time.Minute

func (r *rival) configure(programs [][]string) error {
	temporary := r.file + ".new"
	if err := os.WriteFile(temporary, r.text(programs), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, r.file)
}

func (r *rival) start(ctx context.Context, programs [][]string) error {
	if err := r.configure(programs); err != nil {
		return err
	}
	var err error
	r.process, err = r.launch(ctx)
	return err
}

// end kills the rival and then whatever workers it has left behind. Their end
// is no figure.
func (r *rival) end() {
	_ = r.process.cmd.Process.Kill()
	r.process.stop()
	for {
		pids, err := r.yard.running()
		if err != nil || len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// await waits until n workers run. It looks seldom: looking costs what the
// rival needs.
func (r *rival) await(ctx context.Context, n int) ([]int, error) {
	return r.awaitThat(ctx, func(pids []int) bool { return len(pids) == n })
}

// awaitOther waits until as many run as before and some are others.
func (r *rival) awaitOther(ctx context.Context, before []int) ([]int, error) {
	return r.awaitThat(ctx, func(pids []int) bool { return len(pids) == len(before) && !slices.Equal(pids, before) })
}

func (r *rival) awaitThat(ctx context.Context, enough func([]int) bool) ([]int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not within %s", patience))
	defer cancel()
	for {
		pids, err := r.yard.running()
		if err != nil || enough(pids) {
			return pids, err
		}
		select {
		case <-r.process.gone:
			return nil, fmt.Errorf("%s has ended: %s", r.name, r.process.said)
		case <-ctx.Done():
			return nil, fmt.Errorf("%d workers run: %w: %s", len(pids), context.Cause(ctx), r.process.said)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// next waits for the next worker.
func (r *rival) next(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no worker is executed within %s", patience))
	defer cancel()
	return r.yard.execs.next(ctx)
}

// ours is the supervisor, told what to do by its API.
func (y *yard) ours(b *bench) *rival {
	r := &rival{name: "supervisor", yard: y, file: filepath.Join(y.dir, "supervisor.yml"), text: y.yaml}
	var api web
	r.launch = func(context.Context) (*process, error) {
		// The port is not waited for: that would be time that workers start in.
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		api = newWeb(addr)
		p, err := start(r.name, nil, b.supervisor, "--config.file="+r.file, "--web.listen-address="+addr,
			"--web.enable-lifecycle", "--log.level=warn", "--supervisor.name=bench", "--supervisor.start-rate=0")
		if err != nil {
			return nil, fmt.Errorf("is it built? %w", err)
		}
		p.watch()
		return p, nil
	}
	r.reload = func(ctx context.Context) error {
		_, err := api.do(ctx, http.MethodPost, "/-/reload", "")
		return err
	}
	r.stop = func(ctx context.Context) error {
		if err := r.process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		select {
		case <-r.process.gone:
			return nil
		case <-time.After(patience):
			return errors.New("workers do not leave")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return r
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// yaml is a pool for each program.
func (y *yard) yaml(programs [][]string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "connections:\n  - {name: main, address: %q}\napplications:\n  - {slug: bench, connections: [{connection: main}]}\n", y.redis.addr)
	if len(programs) > 0 {
		out.WriteString("queues:\n")
	}
	user := ""
	if os.Geteuid() == 0 {
		user = ", user: root"
	}
	for i, command := range programs {
		words := make([]string, len(command))
		for i, word := range command {
			words[i] = strconv.Quote(word)
		}
		fmt.Fprintf(&out, "  - {name: pool-%04d, application: bench, connection: main, queue_names: [queue-%04[1]d], min_processes: 1, max_processes: 1,\n"+
			"     worker: {preset: exec, command: [%[2]s], directory: /%[3]s}}\n", i, strings.Join(words, ", "), user)
	}
	return out.Bytes()
}

// peer is Debian's supervisor, told what to do by its supervisorctl.
func (y *yard) peer() *rival {
	r := &rival{name: "peer", yard: y, file: filepath.Join(y.dir, "peer.conf"), text: y.ini}
	r.launch = func(context.Context) (*process, error) {
		p, err := start(r.name, nil, "supervisord", "--nodaemon", "--configuration", r.file)
		if err != nil {
			return nil, fmt.Errorf("is Debian's package supervisor installed? %w", err)
		}
		p.watch()
		return p, nil
	}
	ctl := func(ctx context.Context, words ...string) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		text, err := exec.CommandContext(ctx, "supervisorctl", append([]string{"--configuration", r.file}, words...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("supervisorctl %s: %w: %.500s", strings.Join(words, " "), err, text)
		}
		return nil
	}
	r.reload = func(ctx context.Context) error { return ctl(ctx, "update") }
	// Told to end, it would stop one program after the other.
	r.stop = func(ctx context.Context) error { return ctl(ctx, "stop", "all") }
	return r
}

// ini is a program section for each program, whose output goes nowhere as ours
// does. minfds stays as it is: with more of them the peer starts each program
// the slower, and the harness has raised the limit of files already.
func (y *yard) ini(programs [][]string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `[supervisord]
logfile=/dev/null
logfile_maxbytes=0
pidfile=%[1]s/peer.pid
[unix_http_server]
file=%[1]s/peer.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%[1]s/peer.sock
`, y.dir)
	for i, command := range programs {
		fmt.Fprintf(&out, "[program:pool-%04d]\ncommand=%s\ndirectory=/\nstdout_logfile=NONE\nstderr_logfile=NONE\n", i, strings.Join(command, " "))
	}
	return out.Bytes()
}
