package supervisord

import (
	"errors"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// ignored says of options that are not carried over why not.
var ignored = map[string]string{
	"priority":              "pools start side by side, within one limit for all",
	"autorestart":           "a worker that ends is always started again, after a growing time where it crashes",
	"startsecs":             "a worker counts as running when it is ready",
	"startretries":          "a worker that crashes is started again at growing intervals",
	"exitcodes":             "which ends are expected is the preset's to know",
	"stopasgroup":           "the signal goes to the worker alone: a second one can mean \"at once\" to it",
	"killasgroup":           "the whole group is always killed",
	"redirect_stderr":       "both are always in the log",
	"stdout_logfile":        "output goes to the supervisor's log",
	"stderr_logfile":        "output goes to the supervisor's log",
	"process_name":          "workers have numbers",
	"numprocs_start":        "workers have numbers",
	"serverurl":             "has no counterpart",
	"stdout_events_enabled": "has no counterpart",
	"stderr_events_enabled": "has no counterpart",
}

var carried = []string{"command", "numprocs", "directory", "user", "environment", "stopsignal", "stopwaitsecs", "umask", "autostart"}

// finish carries over what all kinds of programs have.
func (c *converter) finish(p *section, q *configs.Queue, app application) {
	w := q.Worker
	n := 1
	if o, given := p.options["numprocs"]; given {
		if n, _ = strconv.Atoi(o.value); n < 1 {
			n = 1
			c.warn(o.at, "is no number of processes; it becomes 1")
		}
	}
	// As many as there were, whatever waits, and queues in their order.
	q.Balance, q.MinProcesses, q.MaxProcesses = "off", n, n
	if user := p.options["user"].value; user != "" {
		w.User = user
	}
	if o := p.options["umask"]; o.value != "" {
		w.Umask = strings.Repeat("0", max(0, 4-len(o.value))) + o.value
	}
	if o := p.options["autostart"]; strings.EqualFold(o.value, "false") || o.value == "0" || strings.EqualFold(o.value, "off") {
		q.Active = false
	}
	if signal := strings.ToUpper(strings.TrimPrefix(p.options["stopsignal"].value, "SIG")); signal != "" {
		w.StopSignal = "SIG" + signal
	}
	c.stopTimeout(p, q)
	environment, err := readEnvironment(p)
	if err == nil && len(environment) > 0 {
		w.Environment = environment
	}
	for name, o := range sorted(p.options) {
		base := strings.TrimSuffix(strings.TrimSuffix(name, "_maxbytes"), "_backups")
		switch why, known := ignored[strings.TrimSuffix(base, "_capture")]; {
		case slices.Contains(carried, name):
		case known:
			c.warn(o.at, "is not carried over: %s", why)
		default:
			c.warn(o.at, "is not carried over: it is not known here")
		}
	}
	c.found.Queues = append(c.found.Queues, *q)
	c.taken[q.Name] = p.at
	c.belong(q, app)
}

// stopTimeout keeps a time to finish that is long enough.
func (c *converter) stopTimeout(p *section, q *configs.Queue) {
	o, given := p.options["stopwaitsecs"]
	if !given {
		return
	}
	seconds, err := strconv.Atoi(o.value)
	wait := configs.Duration(seconds) * configs.Duration(time.Second)
	switch {
	case err != nil || seconds < 0:
		c.warn(o.at, "is no number of seconds and is left out")
	case wait < q.Timeout+10*configs.Duration(time.Second):
		c.warn(o.at, "would end jobs that may take %s; stop_timeout stays timeout + 10s", q.Timeout)
	default:
		q.Worker.StopTimeout = wait
	}
}

// belong makes the application of a queue configuration, and gives it the
// connection.
func (c *converter) belong(q *configs.Queue, app application) {
	i := slices.IndexFunc(c.found.Applications, func(a configs.Application) bool { return a.Slug == app.slug })
	if i < 0 {
		one := configs.NewApplication(app.slug)
		one.Name = app.values["APP_NAME"]
		c.found.Applications = append(c.found.Applications, one)
		i = len(c.found.Applications) - 1
	}
	a := &c.found.Applications[i]
	if !slices.ContainsFunc(a.Connections, func(p configs.ApplicationConnection) bool { return p.Connection == q.Connection }) {
		a.Connections = append(a.Connections, configs.ApplicationConnection{Connection: q.Connection, Primary: len(a.Connections) == 0, Active: true})
	}
}

func sorted(options map[string]option) func(func(string, option) bool) {
	return func(yield func(string, option) bool) {
		for _, name := range slices.Sorted(maps.Keys(options)) {
			if !yield(name, options[name]) {
				return
			}
		}
	}
}

var expansion = regexp.MustCompile(`%\(([A-Za-z0-9_]+)\)[0-9]*[sd]|%%|%`)

// expand does what supervisord does with %(name)s, where that can be known.
func expand(text string, p *section) (string, error) {
	var err error
	out := expansion.ReplaceAllStringFunc(text, func(m string) string {
		name := expansion.FindStringSubmatch(m)[1]
		switch {
		case m == "%%":
			return "%"
		case name == "here":
			return filepath.Dir(p.at.File)
		case name == "program_name" || name == "group_name":
			return p.name
		case name == "numprocs":
			return p.options["numprocs"].value
		case m == "%":
			err = errors.New("a % that begins nothing")
		case name == "process_num":
			err = errors.New("%(process_num) makes each process another one: workers of a pool are all alike")
		default:
			err = errors.New("%(" + name + ")s is known to supervisord only")
		}
		return m
	})
	return out, err
}

// readEnvironment reads KEY="value",KEY2=value. Its errors repeat no value.
func readEnvironment(p *section) (map[string]string, error) {
	text, err := expand(p.options["environment"].value, p)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for text = strings.TrimLeft(text, ", \t\n"); text != ""; text = strings.TrimLeft(text, ", \t\n") {
		name, rest, ok := strings.Cut(text, "=")
		if !ok {
			return values, errors.New("is not KEY=value,…")
		}
		rest = strings.TrimLeft(rest, " \t")
		end := strings.IndexByte(rest, ',')
		value := rest
		switch {
		case rest != "" && (rest[0] == '"' || rest[0] == '\''):
			if end = strings.IndexByte(rest[1:], rest[0]); end < 0 {
				return values, errors.New("a quote is not closed")
			}
			value, text = rest[1:1+end], rest[end+2:]
		case end >= 0:
			value, text = strings.TrimSpace(rest[:end]), rest[end:]
		default:
			value, text = strings.TrimSpace(rest), ""
		}
		values[strings.TrimSpace(name)] = value
	}
	return values, nil
}
