package preset

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/internal/proc"
)

//go:embed proof.php
var proofScript []byte

const (
	proofMark     = "queuefleet-proof "
	proofVariable = "QUEUEFLEET_PROOF"
	scanVariable  = "PHP_INI_SCAN_DIR"
)

// resolved is what an application says of one of its queue connections.
type resolved struct {
	Missing      bool   `json:"missing"`
	Driver       string `json:"driver"`
	Redis        string `json:"redis"` // name of the Redis connection
	MissingRedis bool   `json:"missing_redis"`
	Cluster      bool   `json:"cluster"`
	Scheme       string `json:"scheme"`
	Host         string `json:"host"`
	Port         string `json:"port"`
	Path         string `json:"path"` // of a socket, as Predis wants it
	Database     string `json:"database"`
}

// proveLaravel has the application itself say which Redis it uses: the script
// is run before artisan, by PHP's own configuration, so that it does not matter
// how PHP is called or how the application is put together.
func proveLaravel(ctx context.Context, run Runner, in Input) error {
	want, err := expected(in)
	if err != nil {
		return err
	}
	s, err := artisanSpec(in, "--version")
	if err != nil {
		return err
	}
	dir, err := layOutProof()
	if err != nil {
		return &UnprovenError{err.Error()}
	}
	defer os.RemoveAll(dir)
	defer context.AfterFunc(ctx, func() { _ = os.RemoveAll(dir) })() // a runner may not come back when all ends
	names := make([]string, 0, len(want))
	for _, w := range want {
		names = append(names, w.queueConnection)
	}
	if s.Env, err = proofEnvironment(s.Env, dir, names); err != nil {
		return &UnprovenError{err.Error()}
	}
	a, err := ask(ctx, run, in.Queue.Name+" (connection)", s)
	if err != nil {
		return err
	}
	seen, err := parseProof(a)
	if err != nil {
		return err
	}
	for _, w := range want {
		if err := w.compare(seen.Connections[w.queueConnection]); err != nil {
			return err
		}
	}
	if seen.Signals != nil && !*seen.Signals {
		return &DeafError{"PHP has no pcntl, or may not use pcntl_async_signals (disable_functions)"}
	}
	return nil
}

// expectation is that a queue connection of the application is one of ours.
type expectation struct {
	queueConnection string
	connection      string
	endpoint        endpoint
}

// expected is what all configurations of the process say. With the preset
// horizon they may use several connections.
func expected(in Input) ([]expectation, error) {
	var all []expectation
	for _, q := range configurations(in) {
		c := in.Connection
		if q != in.Queue {
			c, _ = in.Config.Connection(q.Connection) // it exists, or the file would not have been loaded
		}
		e, err := endpointOf(c)
		if err != nil {
			if in.Queue.Worker.Preset == horizonName {
				continue // the application knows it by itself
			}
			return nil, err
		}
		w := expectation{q.Worker.QueueConnection, c.Name, e}
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	if len(all) == 0 {
		return nil, &UnprovenError{"no connection has a single address to compare"}
	}
	return all, nil
}

// layOutProof writes the script and the piece of PHP's configuration that
// names it where the worker's user can read them.
func layOutProof() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "queuefleet-proof-"); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	if err = os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	script := filepath.Join(dir, "proof.php")
	for path, text := range map[string]string{
		script:                             string(proofScript),
		filepath.Join(dir, "10-proof.ini"): fmt.Sprintf("auto_prepend_file=%q\n", script),
	} {
		if err = os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
		if err = os.Chmod(path, 0o644); err != nil { // whatever the umask
			return "", err
		}
	}
	return dir, nil
}

// proofEnvironment is a worker's environment and what the script needs.
func proofEnvironment(env proc.Env, dir string, names []string) (proc.Env, error) {
	all := map[string]string{}
	for _, name := range env.Names() {
		all[name], _ = env.Lookup(name)
	}
	// An empty part stands for PHP's own directory.
	all[scanVariable] += string(os.PathListSeparator) + dir
	all[proofVariable] = strings.Join(names, ",")
	return proc.NewEnv(all)
}

// proof is the script's answer.
type proof struct {
	Connections map[string]resolved `json:"connections"`
	Signals     *bool               `json:"signals"` // PHP can handle them
	Error       string              `json:"error"`
}

// parseProof finds the script's answer.
func parseProof(a answer) (proof, error) {
	for _, line := range slices.Backward(a.lines) {
		text, ok := strings.CutPrefix(line, proofMark)
		if !ok {
			continue
		}
		var told proof
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			return proof{}, &UnprovenError{"its answer is garbled"}
		}
		if told.Connections == nil && a.failed() {
			break
		}
		if told.Connections == nil {
			return proof{}, &UnprovenError{"it has no Laravel configuration (" + told.Error + ")"}
		}
		return told, nil
	}
	if a.failed() {
		return proof{}, &Error{ReasonProbeFailed, fmt.Sprintf("the application does not start: %s: %s", a.status(), a.text())}
	}
	return proof{}, &UnprovenError{"it does not run the script that asks"}
}

// notRedis are Laravel's drivers that keep no job in Redis.
var notRedis = []string{"sync", "deferred", "background", "failover", "database", "beanstalkd", "sqs", "null"}

// compare reports whether r is what is expected.
func (w expectation) compare(r resolved) error {
	wrong := func(format string, args ...any) error {
		return &Error{ReasonWrongConnection, fmt.Sprintf("the application's queue connection %q ", w.queueConnection) + fmt.Sprintf(format, args...) +
			fmt.Sprintf("; expected is connection %s at %s", w.connection, w.endpoint)}
	}
	switch {
	case r.Missing, r == resolved{}:
		return wrong("does not exist: worker.queue_connection must be a name in its config/queue.php")
	case slices.Contains(notRedis, r.Driver):
		return wrong("uses the driver %s, not Redis", r.Driver)
	case r.Cluster:
		return wrong("uses %q, a Redis Cluster", r.Redis)
	case r.MissingRedis:
		return wrong("uses the Redis connection %q, which does not exist", r.Redis)
	}
	seen := r.endpoint()
	if seen.comparable() != w.endpoint.comparable() {
		return wrong("uses Redis at %s: its config/database.php takes that neither from the variables of worker.environment_names "+
			"nor from the same place as they say", seen)
	}
	return nil
}

// endpoint is where the application would connect to.
func (r resolved) endpoint() endpoint {
	e := endpoint{host: r.Host, port: r.Port}
	if scheme, host, ok := strings.Cut(r.Host, "://"); ok {
		e.host = host
		e.tls = secure(scheme)
	}
	e.tls = e.tls || secure(r.Scheme)
	if r.Path != "" && (r.Scheme == "unix" || r.Host == "") {
		e.host = r.Path
	}
	if e.unix() {
		e.port, e.tls = "0", false
	}
	_, _ = fmt.Sscan(r.Database, &e.database) // no database is 0, as it is for Laravel
	return e
}

func secure(scheme string) bool {
	return slices.Contains([]string{"tls", "ssl", "rediss", "tlsv1.2", "tlsv1.3"}, strings.ToLower(scheme))
}

// comparable is e with one form for what is the same place.
func (e endpoint) comparable() endpoint {
	e.host = strings.TrimSuffix(strings.ToLower(strings.Trim(e.host, "[]")), ".")
	if e.host == "localhost" {
		e.host = "127.0.0.1"
	}
	return e
}
