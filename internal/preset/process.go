package preset

import (
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// defaultPath is the PATH of workers whose configuration gives none.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// process is what a preset adds to what all workers have.
type process struct {
	command   []string
	variables map[string]string // from the preset; environment and environment_file come on top or below
	explicit  map[string]string // worker.environment, with its templates filled in
	queues    []*configs.Queue  // whose limits hold; the first one's Worker is run
}

// spec makes the Spec of a worker.
func (p process) spec() (proc.Spec, error) {
	w := p.queues[0].Worker
	dir, err := directory(w)
	if err != nil {
		return proc.Spec{}, err
	}
	id, account, err := identity(w)
	if err != nil {
		return proc.Spec{}, err
	}
	env, err := p.environment(w, account)
	if err != nil {
		return proc.Spec{}, err
	}
	search, _ := env.Lookup("PATH")
	path, err := proc.LookPath(p.command[0], dir, search)
	if err != nil {
		return proc.Spec{}, err
	}
	s := proc.Spec{Path: path, Args: p.command, Dir: dir, Env: env, User: id, Nice: p.queues[0].Nice, MemoryMax: uint64(w.MemoryMax)}
	for _, name := range slices.Sorted(maps.Keys(w.Rlimits)) {
		s.Limits = append(s.Limits, proc.Limit{Name: name, Soft: w.Rlimits[name], Hard: w.Rlimits[name]})
	}
	for _, q := range p.queues {
		s.StopTimeout = max(s.StopTimeout, q.Worker.StopTimeout.Std())
	}
	return s, finish(&s, w)
}

// finish sets what is written as text in the configuration.
func finish(s *proc.Spec, w *configs.Worker) error {
	if w.Umask != "" {
		n, err := strconv.ParseUint(w.Umask, 8, 32)
		if err != nil {
			return misconfigured("worker.umask: %q is no octal number", w.Umask)
		}
		umask := uint32(n)
		s.Umask = &umask
	}
	var err error
	if s.StopSignal, err = signal("worker.stop_signal", w.StopSignal, syscall.SIGTERM); err != nil {
		return err
	}
	if w.DeathSignal == "none" {
		return nil
	}
	s.DeathSignal, err = signal("worker.death_signal", w.DeathSignal, s.StopSignal)
	return err
}

func directory(w *configs.Worker) (string, error) {
	dir, err := filepath.Abs(w.Directory) // "" is the supervisor's own
	if err != nil {
		return "", &proc.StartError{Reason: proc.BadDirectory, Doing: "finding the supervisor's own directory", Err: err}
	}
	return dir, nil
}

// account is what a worker is told of its own user.
type account struct{ name, home string }

// identity finds whom a worker runs as. The Identity is nil where that is the
// supervisor's own user.
func identity(w *configs.Worker) (*proc.Identity, account, error) {
	if w.User == "" {
		if w.Group != "" {
			return nil, account{}, misconfigured("worker.group needs worker.user beside it")
		}
		return nil, accountOf(strconv.Itoa(os.Geteuid())), nil
	}
	id, err := proc.LookupIdentity(w.User, w.Group)
	if err != nil {
		return nil, account{}, &proc.StartError{Reason: proc.BadUser, Err: err}
	}
	return id, accountOf(strconv.FormatUint(uint64(id.UID), 10)), nil
}

// accountOf looks up a user by number. One that the system does not know has
// no home.
func accountOf(uid string) account {
	u, err := user.LookupId(uid)
	if err != nil {
		return account{name: uid, home: "/"}
	}
	return account{name: u.Username, home: u.HomeDir}
}

// environment is everything that a worker finds in its environment: nothing is
// inherited. What comes later here wins.
func (p process) environment(w *configs.Worker, a account) (proc.Env, error) {
	all := map[string]string{"PATH": defaultPath, "LANG": "C.UTF-8", "HOME": a.home, "USER": a.name, "LOGNAME": a.name}
	if w.EnvironmentFile != "" {
		file, err := readEnvironment(w.EnvironmentFile, w.SecretDir)
		if err != nil {
			return proc.Env{}, misconfigured("worker.environment_file: %s", err)
		}
		maps.Copy(all, file)
	}
	maps.Copy(all, p.variables)
	maps.Copy(all, p.explicit)
	env, err := proc.NewEnv(all)
	if err != nil {
		return proc.Env{}, &Error{ReasonBadConfiguration, err.Error()}
	}
	return env, nil
}

var signals = map[string]syscall.Signal{
	"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGQUIT": syscall.SIGQUIT, "SIGHUP": syscall.SIGHUP,
	"SIGUSR1": syscall.SIGUSR1, "SIGUSR2": syscall.SIGUSR2, "SIGWINCH": syscall.SIGWINCH, "SIGTSTP": syscall.SIGTSTP,
	"SIGTTIN": syscall.SIGTTIN, "SIGTTOU": syscall.SIGTTOU, "SIGCONT": syscall.SIGCONT, "SIGALRM": syscall.SIGALRM,
	"SIGKILL": syscall.SIGKILL,
}

// signal is the signal of a name, or the other one where there is no name.
func signal(key, name string, otherwise syscall.Signal) (syscall.Signal, error) {
	if name == "" {
		return otherwise, nil
	}
	s, ok := signals[name]
	if !ok {
		return 0, misconfigured("%s: there is no signal %q", key, name)
	}
	return s, nil
}

// number is a number as it stands on a command line.
func number[T ~int | ~int64](n T) string { return fmt.Sprint(int64(n)) }

// indexed is the key of a list's element.
func indexed(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }
