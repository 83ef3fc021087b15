// Package supervisord turns the programs of supervisord that work queues into
// queue configurations with workers.
package supervisord

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/shlex"

	"github.com/queuefleet/queuefleet/configs"
)

// Input says what to convert, and what the files do not say.
type Input struct {
	Paths       []string // files, or directories of them
	Connection  string   // that all programs work on; empty: what an application's .env says
	Application string   // slug of what all programs belong to; empty: by the application
	Generic     bool     // also programs that are no workers of Laravel
	Known       []configs.Connection
}

// Found is what was made of the programs.
type Found struct {
	Connections  []configs.Connection // with their passwords
	Applications []configs.Application
	Queues       []configs.Queue
	Warnings     []configs.Warning
	Programs     int // that were there
}

type converter struct {
	in    Input
	found Found
	taken map[string]configs.Position // programs by the names of their queue configurations
}

// Convert reads supervisord's configuration.
func Convert(in Input) (*Found, error) {
	f := &files{seen: map[string]bool{}}
	for _, path := range in.Paths {
		if err := f.read(path, true); err != nil {
			return nil, err
		}
	}
	c := &converter{in: in, taken: map[string]configs.Position{}, found: Found{Warnings: f.warnings, Programs: len(f.programs)}}
	for i := range f.programs {
		c.program(&f.programs[i])
	}
	return &c.found, nil
}

func (c *converter) warn(at configs.Position, format string, args ...any) {
	c.found.Warnings = append(c.found.Warnings, configs.Warning{Position: at, Text: fmt.Sprintf(format, args...)})
}

// program converts one program, or says why it does not.
func (c *converter) program(p *section) {
	given := p.options["command"]
	at := given.at
	if given.value == "" {
		c.warn(p.at, "has no command and is left out")
		return
	}
	line, err := expand(given.value, p)
	if err == nil {
		var words []string
		if words, err = shlex.Split(line); err == nil {
			c.command(p, words, at)
			return
		}
		err = errors.New("a quote is not closed") // the parser's own text may hold what is secret
	}
	c.warn(at, "is left out: %v", err)
}

func (c *converter) command(p *section, words []string, at configs.Position) {
	words, nice, why := unwrap(words, shlex.Split)
	if why != "" {
		c.warn(at, "is left out: %s", why)
		return
	}
	q := configs.NewQueue(clean(p.name), "", "")
	q.Nice = nice
	if first, known := c.taken[q.Name]; known {
		c.warn(p.at, "is left out: %s:%d has a program of that name", first.File, first.Line)
		return
	}
	switch sub, _ := subcommand(words); {
	case sub == "horizon":
		c.warn(at, "is Horizon, whose queues are in the application's config/horizon.php: qftool import horizon %s", filepath.Join(appDirectory(p, words), "config"))
	case sub == "queue:work" || sub == "queue:listen":
		if sub == "queue:listen" {
			c.warn(at, "queue:listen boots the application for each job; it becomes queue:work")
		}
		c.laravel(p, words, &q)
	case c.in.Generic:
		c.generic(p, words, &q)
	default:
		c.warn(at, "is left out: it is no worker of Laravel; with --generic it is run as it is")
	}
}

// laravel converts a program of queue:work.
func (c *converter) laravel(p *section, words []string, q *configs.Queue) {
	at := p.options["command"].at
	w := readWork(words, q)
	if w.unusable != "" {
		c.warn(at, "is left out: %s", w.unusable)
		return
	}
	for _, text := range w.warnings {
		c.warn(at, "%s", text)
	}
	app := c.application(appDirectory(p, words), p)
	q.Worker = configs.NewWorker("laravel")
	q.QueueNames, q.Worker.Directory = w.queues, app.directory
	q.Worker.Command = w.command(app.directory)
	q.Worker.QueueConnection = cmp.Or(w.connection, app.values["QUEUE_CONNECTION"], "redis")
	if slices.Contains([]string{"database", "sqs", "beanstalkd", "sync", "null"}, q.Worker.QueueConnection) {
		c.warn(at, "is left out: it works the connection %s, which is no Redis", q.Worker.QueueConnection)
		return
	}
	if !c.connect(q, app, at) {
		return
	}
	c.limits(q, at)
	c.finish(p, q, app)
}

// limits fits retry_after to the timeout.
func (c *converter) limits(q *configs.Queue, at configs.Position) {
	const margin = configs.Duration(30 * time.Second)
	if q.Timeout == 0 {
		q.Timeout = configs.Duration(time.Hour)
		c.warn(at, "--timeout=0 lets a job run for ever; the timeout becomes 1h")
	}
	if q.RetryAfter < q.Timeout+margin {
		q.RetryAfter = q.Timeout + margin
		c.warn(at, "retry_after becomes %s, since it must exceed the timeout: set it in the application's config/queue.php, too", q.RetryAfter)
	}
}

// generic converts any other program, which is run as it is.
func (c *converter) generic(p *section, words []string, q *configs.Queue) {
	at := p.options["command"].at
	app := c.application(p.options["directory"].value, p)
	q.Worker = configs.NewWorker("exec")
	q.Worker.Command, q.Worker.Directory, q.QueueNames = words, app.directory, queuesOf(words)
	if len(q.QueueNames) == 0 {
		q.QueueNames = []string{q.Name}
	}
	if !c.connect(q, app, at) {
		return
	}
	c.warn(at, "runs as it is; the jobs that wait for it are counted only where its queues are kept as Laravel keeps them")
	c.finish(p, q, app)
}

// queuesOf finds queue names in the command lines of Celery, Sidekiq and RQ.
func queuesOf(words []string) []string {
	var names []string
	for i, w := range words {
		name, value, joined := strings.Cut(w, "=")
		if name != "-Q" && name != "--queues" && name != "-q" && name != "--queue" {
			continue
		}
		if !joined && i+1 < len(words) {
			value = words[i+1]
		}
		for one := range strings.SplitSeq(value, ",") {
			if weighted, _, _ := strings.Cut(one, ":"); weighted != "" && !slices.Contains(names, weighted) {
				names = append(names, weighted)
			}
		}
	}
	return names
}

// application is where a program belongs.
type application struct {
	directory, slug string
	values          map[string]string // of its .env and of the program's environment
	dotenv          string
}

// appDirectory is where an application lies.
func appDirectory(p *section, words []string) string {
	if i := artisan(words); i >= 0 && filepath.IsAbs(words[i]) {
		return filepath.Dir(words[i])
	}
	return p.options["directory"].value
}

func (c *converter) application(directory string, p *section) application {
	app := application{directory: directory, values: map[string]string{}}
	if directory != "" {
		app.dotenv = filepath.Join(directory, ".env")
		values, err := readDotenv(app.dotenv)
		if err != nil {
			c.warn(p.at, "%s cannot be read", app.dotenv)
		}
		maps.Copy(app.values, values)
	}
	environment, err := readEnvironment(p)
	if err != nil {
		c.warn(p.options["environment"].at, "is left out: %v", err)
	}
	maps.Copy(app.values, environment)
	base := filepath.Base(directory)
	if base == "current" || base == "live" {
		base = filepath.Base(filepath.Dir(directory))
	}
	app.slug = cmp.Or(c.in.Application, slug(app.values["APP_NAME"]), slug(base), "app")
	return app
}

// connect finds or makes the connection of a queue configuration.
func (c *converter) connect(q *configs.Queue, app application, at configs.Position) bool {
	q.Application = app.slug
	if c.in.Connection != "" {
		q.Connection = c.in.Connection
		return true
	}
	conn, err := redisOf(app.values)
	if err != nil {
		c.warn(at, "is left out: which Redis it works on is not known (%v): give --connection", err)
		return false
	}
	for _, known := range slices.Concat(c.in.Known, c.found.Connections) {
		if known.Address == conn.Address && known.Database == conn.Database {
			q.Connection = known.Name
			return true
		}
	}
	for n, base := 2, conn.Name; slices.ContainsFunc(slices.Concat(c.in.Known, c.found.Connections), func(o configs.Connection) bool { return o.Name == conn.Name }); n++ {
		conn.Name = fmt.Sprintf("%s-%d", base, n)
	}
	c.found.Connections = append(c.found.Connections, conn)
	q.Connection = conn.Name
	return true
}

// redisOf is the connection that Laravel makes of these variables.
func redisOf(values map[string]string) (configs.Connection, error) {
	host, port, user, password := values["REDIS_HOST"], cmp.Or(values["REDIS_PORT"], "6379"), values["REDIS_USERNAME"], values["REDIS_PASSWORD"]
	database, tls := cmp.Or(values["REDIS_DB"], "0"), false
	if text := values["REDIS_URL"]; text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" {
			return configs.Connection{}, errors.New("REDIS_URL is no URL")
		}
		host, port, user = u.Hostname(), cmp.Or(u.Port(), port), cmp.Or(u.User.Username(), user)
		if given, ok := u.User.Password(); ok {
			password = given
		}
		database, tls = cmp.Or(strings.Trim(u.Path, "/"), database), u.Scheme == "rediss" || u.Scheme == "tls"
	}
	if host == "" {
		return configs.Connection{}, errors.New("there is no REDIS_HOST in .env or environment")
	}
	for _, scheme := range []string{"tls://", "tcp://"} {
		if rest, ok := strings.CutPrefix(host, scheme); ok {
			host, tls = rest, tls || scheme == "tls://"
		}
	}
	conn := configs.NewConnection(clean(host))
	conn.Address = net.JoinHostPort(host, port)
	if strings.HasPrefix(host, "/") {
		conn.Address = "unix://" + host
	}
	var err error
	if conn.Database, err = strconv.Atoi(database); err != nil {
		return configs.Connection{}, errors.New("REDIS_DB is no number")
	}
	if user != "null" {
		conn.Username = user
	}
	if password != "null" {
		conn.Password = configs.NewSecret(password)
	}
	if tls {
		conn.TLS = &configs.TLS{MinVersion: "TLS12"}
	}
	return conn, nil
}

var (
	notInName = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)
	notInSlug = regexp.MustCompile(`[^a-z0-9]+`)
)

func clean(s string) string { return strings.Trim(notInName.ReplaceAllString(s, "-"), "-_.") }

func slug(s string) string {
	return strings.Trim(notInSlug.ReplaceAllString(strings.ToLower(s), "-"), "-")
}
