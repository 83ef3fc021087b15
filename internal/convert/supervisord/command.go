package supervisord

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// work is what a command line of queue:work says.
type work struct {
	before     []string // the words up to and with artisan
	connection string
	queues     []string
	rest       []string // options that are queue:work's own business
	warnings   []string
	unusable   string // why it cannot be carried over
}

// artisan finds an application's artisan in a command line.
func artisan(words []string) int {
	return slices.IndexFunc(words, func(w string) bool { return filepath.Base(w) == "artisan" })
}

// subcommand is the word after artisan that is no option.
func subcommand(words []string) (string, int) {
	for i := artisan(words) + 1; i > 0 && i < len(words); i++ {
		if !strings.HasPrefix(words[i], "-") {
			return words[i], i
		}
	}
	return "", 0
}

// valued are the options of queue:work that take a value.
var valued = []string{"--name", "--queue", "--delay", "--backoff", "--max-jobs", "--max-time", "--memory", "--sleep", "--rest", "--timeout", "--tries", "--env"}

// readWork reads a command line of queue:work into q, which gets what Laravel
// would take where nothing is said.
func readWork(words []string, q *configs.Queue) work {
	_, at := subcommand(words)
	w := work{before: words[:artisan(words)+1]}
	q.Tries, q.MaxJobs, q.MaxTime, q.Backoff = 1, 0, 0, 0
	for i := at + 1; i < len(words); i++ {
		name, value, joined := strings.Cut(words[i], "=")
		if !strings.HasPrefix(name, "-") {
			w.connection = words[i]
			continue
		}
		if !joined && slices.Contains(valued, name) {
			if i+1 == len(words) {
				w.warnings = append(w.warnings, name+" has no value and is left out")
				break
			}
			i++
			value = words[i]
		}
		w.option(name, value, q)
	}
	if len(w.queues) == 0 {
		w.queues = []string{"default"}
	}
	return w
}

func (w *work) option(name, value string, q *configs.Queue) {
	switch name {
	case "--queue":
		w.queues = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
	case "--tries":
		w.count(name, value, &q.Tries)
	case "--max-jobs":
		w.count(name, value, &q.MaxJobs)
	case "--timeout":
		w.duration(name, value, &q.Timeout)
	case "--max-time":
		w.duration(name, value, &q.MaxTime)
	case "--sleep":
		w.duration(name, value, &q.Sleep)
	case "--rest":
		w.duration(name, value, &q.Rest)
	case "--backoff", "--delay":
		w.duration(name, value, &q.Backoff)
	case "--memory":
		n := 0
		if w.count(name, value, &n); n > 0 {
			q.Memory = configs.Bytes(n) << 20
		}
	case "--once", "--stop-when-empty":
		w.unusable = name + " makes it end after its work: it is no worker that runs on"
	case "--name", "--daemon", "--json", "-v", "-vv", "-vvv", "--verbose", "-q", "--quiet", "-n", "--no-interaction", "--ansi", "--no-ansi":
		// Queuefleet gives its own, or they change nothing that it is about.
	case "--env":
		w.rest = append(w.rest, "--env="+value)
	default:
		w.rest = append(w.rest, strings.TrimSuffix(name+"="+value, "="))
	}
}

func (w *work) count(name, value string, into *int) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		w.warnings = append(w.warnings, name+" is no number and is left out")
		return
	}
	*into = n
}

func (w *work) duration(name, value string, into *configs.Duration) {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || !(seconds >= 0 && seconds < 1e8) {
		w.warnings = append(w.warnings, name+" is no number of seconds and is left out")
		return
	}
	*into = configs.Duration(seconds * float64(time.Second))
}

// command is what worker.command has to be, nil where the default is right.
func (w *work) command(directory string) []string {
	words := slices.Clone(w.before)
	if last := len(words) - 1; filepath.Clean(words[last]) == "artisan" || filepath.Dir(words[last]) == filepath.Clean(directory) {
		words[last] = "artisan"
	}
	words = append(append(words, "queue:work"), w.rest...)
	if slices.Equal(words, []string{"php", "artisan", "queue:work"}) {
		return nil
	}
	return words
}

// unwrap takes away what only starts the command: env, nice, exec, and a shell
// with a simple line.
func unwrap(words []string, split func(string) ([]string, error)) (rest []string, nice int, why string) {
	for len(words) > 0 {
		switch filepath.Base(words[0]) {
		case "exec", "nohup":
			words = words[1:]
		case "env":
			if words = words[1:]; len(words) > 0 && (strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
				return nil, nice, "it sets variables by env: give them as environment"
			}
		case "nice":
			words = words[1:]
			if len(words) > 1 && words[0] == "-n" {
				nice, _ = strconv.Atoi(words[1])
				words = words[2:]
			} else if len(words) > 0 && strings.HasPrefix(words[0], "-") {
				nice, _ = strconv.Atoi(strings.TrimLeft(words[0], "-n="))
				words = words[1:]
			}
		case "sh", "bash", "dash":
			if len(words) != 3 || !strings.HasSuffix(words[1], "c") || strings.ContainsAny(words[2], ";&|<>`$(){}*?\n") {
				return nil, nice, "it is a script of a shell: give the worker itself as the command"
			}
			inner, err := split(words[2])
			if err != nil {
				return nil, nice, "it is a script of a shell that cannot be read"
			}
			words = inner
		case "sudo", "su", "runuser", "setpriv", "setuidgid", "chpst", "gosu":
			return nil, nice, "it changes its user by itself: set worker.user and give the worker as the command"
		default:
			return words, nice, ""
		}
	}
	return nil, nice, "it has no command"
}
