package preset

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// laravel is `php artisan queue:work`.
func laravel() Preset {
	return Preset{
		Name:           "laravel",
		PauseSignal:    syscall.SIGUSR2,
		ContinueSignal: syscall.SIGCONT,
		ReadySignal:    syscall.SIGCONT, // USR2 kills a worker that is still booting
		MemoryCode:     12,
		Check:          checkLaravel,
		Build:          buildLaravel,
		NewParser:      newLaravelParser,
		Probe:          probeLaravel,
		Prove:          proveLaravel,
	}
}

const queueWork = "queue:work"

func checkLaravel(q *configs.Queue, c *configs.Connection) error {
	if _, err := workCommand(q.Worker); err != nil {
		return err
	}
	if q.Worker.QueueConnection == "" {
		return misconfigured("worker.queue_connection is missing: the name of the connection in the application's config/queue.php")
	}
	_, err := endpointOf(c)
	return err
}

func buildLaravel(in Input) (proc.Spec, error) {
	if err := checkLaravel(in.Queue, in.Connection); err != nil {
		return proc.Spec{}, err
	}
	args, err := workCommand(in.Queue.Worker)
	if err != nil {
		return proc.Spec{}, err
	}
	return process{
		command:   slices.Concat(args, workFlags(in)),
		variables: redisVariables(in.Queue.Worker, in.Connection),
		explicit:  in.Queue.Worker.Environment,
		queues:    []*configs.Queue{in.Queue},
	}.spec()
}

// workCommand is the configured command, to which flags can be added. Options
// of its own, such as --force, may follow queue:work; what the configuration
// has keys for may not.
func workCommand(w *configs.Worker) ([]string, error) {
	at := slices.Index(w.Command, queueWork)
	if at < 1 {
		return nil, misconfigured("worker.command: there is no %s after a program in it; for another command use the preset exec", queueWork)
	}
	for _, word := range w.Command[at+1:] {
		name, _, _ := strings.Cut(word, "=")
		if key, ours := ownFlags[name]; ours {
			return nil, misconfigured("worker.command: %s is set by %s", name, key)
		}
		if !strings.HasPrefix(word, "-") {
			return nil, misconfigured("worker.command: after %s only options may follow; the connection is worker.queue_connection", queueWork)
		}
	}
	return w.Command, nil
}

// ownFlags are the flags that this preset sets, and by which keys.
var ownFlags = map[string]string{
	"--queue": "queue_names", "--name": "name", "--tries": "tries", "--timeout": "timeout", "--memory": "memory", "--sleep": "sleep",
	"--backoff": "backoff", "--delay": "backoff", "--rest": "rest", "--max-jobs": "max_jobs", "--max-time": "max_time",
}

// flag is one option of queue:work.
type flag struct {
	text         string
	major, minor int // the first version that knows it; an older one ends at once when it sees it
}

// workFlags are the connection and the options of queue:work. Where the
// version is not known it is taken for the oldest one with today's names of
// options.
func workFlags(in Input) []string {
	q, v := in.Queue, in.Version
	if !v.Known() {
		v = Version{Major: 8}
	}
	flags := []flag{
		{"--queue=" + strings.Join(in.Queues, ","), 5, 0},
		{"--name=" + q.Name, 8, 0},
		{"--tries=" + number(q.Tries), 5, 0},
		{"--timeout=" + wholeSeconds(q.Timeout), 5, 0},
		{"--memory=" + number(q.Memory.MiB()), 5, 0},
		{"--sleep=" + pause(q.Sleep), 5, 0},
		{"--backoff=" + wholeSeconds(q.Backoff), 8, 0},
		{"--max-jobs=" + number(q.MaxJobs), 8, 0},
		{"--max-time=" + wholeSeconds(q.MaxTime), 8, 0},
		{"--rest=" + pause(q.Rest), 8, 32},
		{"--json", 11, 27},
	}
	if !v.AtLeast(8, 0) {
		flags = append(flags, flag{"--delay=" + wholeSeconds(q.Backoff), 5, 0}) // its name until then
	}
	args := []string{q.Worker.QueueConnection}
	for _, f := range flags {
		if v.AtLeast(f.major, f.minor) && !slices.Contains(q.Worker.Command, f.text) {
			args = append(args, f.text)
		}
	}
	return args
}

// wholeSeconds rounds up: a limit of less than a second must not become none.
func wholeSeconds(d configs.Duration) string {
	return number(int64(math.Ceil(d.Seconds())))
}

// pause is a time between jobs. Laravel takes fractions only of less than a
// second.
func pause(d configs.Duration) string {
	if d > 0 && d.Std() < time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	}
	return wholeSeconds(d)
}

// artisan is the command up to the name of artisan's own command, in whose
// place other things can be asked.
func artisan(w *configs.Worker) []string {
	name := queueWork
	if w.Preset == horizonName {
		name = horizonName
	}
	for at := len(w.Command) - 1; at > 0; at-- {
		if w.Command[at] == name {
			return slices.Clone(w.Command[:at])
		}
	}
	return nil
}
