package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
)

const failedHelp = "Look at and retry the failed jobs that Laravel Horizon keeps in Redis. Laravel without Horizon never keeps them there: use php artisan queue:failed."

// failedBatch is how many jobs are read at a time.
const failedBatch = 500

// failedCommand is one of `qftool failed …`.
type failedCommand struct {
	env         *env
	action      string // list, retry or forget
	application string
	ids         []string
	all         bool
	limit       int
	keyPrefix   string
	prefixGiven bool
}

// configureFailed declares `failed list`, `retry` and `forget`.
func configureFailed(app *kingpin.Application, e *env) {
	for _, kind := range []struct{ action, help string }{
		{"list", "List failed jobs, newest first."},
		{"retry", "Put failed jobs back into their queues, as Horizon's own button does."},
		{"forget", "Remove failed jobs from the list."},
	} {
		action := kind.action
		c := &failedCommand{env: e, action: action}
		cmd := group(app, "failed", failedHelp).Command(action, kind.help)
		cmd.Flag("application", "The application. Needed where several have horizon in the configuration.").StringVar(&c.application)
		e.commands[cmd.FullCommand()] = c.run
		if action == "list" {
			cmd.Flag("limit", "How many at most.").Default("100").IntVar(&c.limit)
			continue
		}
		cmd.Arg("id", "Ids of jobs, as listed.").StringsVar(&c.ids)
		if action == "retry" {
			cmd.Flag("all", "All that have not been retried yet.").BoolVar(&c.all)
			cmd.Flag("key-prefix", "Key prefix of the queues. Default: key_prefix of the configuration, else what is found.").
				IsSetByUser(&c.prefixGiven).StringVar(&c.keyPrefix)
		} else {
			cmd.Flag("all", "All of them.").BoolVar(&c.all)
		}
	}
}

// failedJob is one failed job, also as -o json prints it.
type failedJob struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Connection string    `json:"queue_connection"`
	Queue      string    `json:"queue"`
	FailedAt   time.Time `json:"failed_at"`
	Exception  string    `json:"exception"`
	Retries    int       `json:"retries"`
	Lost       bool      `json:"expired,omitempty"` // Horizon has dropped the details

	payload, retriedBy string
}

func (c *failedCommand) run(ctx context.Context) error {
	if c.action != "list" && c.all == (len(c.ids) > 0) {
		return usageError("give ids of jobs, or --all")
	}
	if c.action == "list" && c.limit < 1 {
		return usageError("--limit must be at least 1")
	}
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	app, err := c.choose(cfg)
	if err != nil {
		return err
	}
	conn, _ := cfg.Connection(app.Horizon.Connection) // Load has seen to it
	client := connection.New(*conn)
	defer client.Close()
	store := &horizonFailed{redis: client.Redis(), prefix: app.Horizon.Prefix}
	switch c.action {
	case "list":
		return c.list(ctx, store)
	case "forget":
		return c.forget(ctx, store)
	default:
		return c.retry(ctx, store, &requeuer{cfg: cfg, app: app, clients: map[string]*connection.Client{}, prefixes: map[string]string{}})
	}
}

// choose returns the application whose Horizon is meant.
func (c *failedCommand) choose(cfg *configs.Config) (*configs.Application, error) {
	var slugs []string
	for i := range cfg.Applications {
		if app := &cfg.Applications[i]; app.Horizon != nil {
			slugs = append(slugs, app.Slug)
		}
	}
	slug := c.application
	switch {
	case slug == "" && len(slugs) == 1:
		slug = slugs[0]
	case slug == "" && len(slugs) == 0:
		return nil, errors.New("no application has horizon in the configuration: " + failedElsewhere(cfg, ""))
	case slug == "":
		return nil, usageError(fmt.Sprintf("several applications have Horizon: give --application, one of %s", strings.Join(slugs, ", ")))
	case !slices.Contains(slugs, slug):
		if _, known := cfg.Application(slug); known {
			return nil, fmt.Errorf("application %q has no horizon in the configuration: %s", slug, failedElsewhere(cfg, slug))
		}
		if near := configs.Nearest(slug, slugs); near != "" {
			return nil, fmt.Errorf("no application %q has horizon in the configuration; did you mean %q?", slug, near)
		}
		return nil, fmt.Errorf("no application %q has horizon in the configuration", slug)
	}
	app, _ := cfg.Application(slug)
	return app, nil
}

// failedElsewhere says where the failed jobs are of an application without
// horizon, "" = of any. None of Laravel's own drivers for them is Redis.
func failedElsewhere(cfg *configs.Config, slug string) string {
	directory := ""
	for i := range cfg.Queues {
		q := &cfg.Queues[i]
		if q.Worker == nil || slug == "" || q.Application != slug {
			continue
		}
		if q.Worker.Preset == "horizon" {
			return "it runs Horizon, so tell by applications[].horizon with which connection and prefix Horizon keeps them"
		}
		if directory == "" && q.Worker.Directory != "" {
			directory = " in " + q.Worker.Directory
		}
	}
	return "Laravel itself keeps failed jobs where failed.driver in config/queue.php says (database, database-uuids, dynamodb, file or null), " +
		"never in Redis; use php artisan queue:failed" + directory
}

// horizonFailed is the failed jobs that Horizon keeps.
type horizonFailed struct {
	redis  redis.UniversalClient
	prefix string
}

// ids returns the newest ids, all of them without a limit.
func (h *horizonFailed) ids(ctx context.Context, limit int) ([]string, error) {
	return h.redis.ZRange(ctx, h.prefix+"failed_jobs", 0, int64(limit)-1).Result()
}

// jobs reads the details of jobs. One whose details are gone is Lost.
func (h *horizonFailed) jobs(ctx context.Context, ids []string) ([]failedJob, error) {
	jobs := make([]failedJob, 0, len(ids))
	for batch := range slices.Chunk(ids, failedBatch) {
		reads := make([]*redis.SliceCmd, len(batch))
		_, err := h.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, id := range batch {
				reads[i] = p.HMGet(ctx, h.prefix+id, "name", "connection", "queue", "failed_at", "exception", "retried_by", "payload")
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for i, id := range batch {
			jobs = append(jobs, newFailedJob(id, reads[i].Val()))
		}
	}
	return jobs, nil
}

func newFailedJob(id string, values []any) failedJob {
	field := func(i int) string { s, _ := values[i].(string); return s }
	job := failedJob{
		ID: id, Name: field(0), Connection: field(1), Queue: strings.TrimPrefix(field(2), "queues:"),
		Exception: firstLine(field(4)), retriedBy: field(5), payload: field(6), Lost: field(6) == "",
	}
	if seconds, err := strconv.ParseFloat(field(3), 64); err == nil {
		job.FailedAt = time.UnixMilli(int64(seconds * 1000)).UTC()
	}
	var retries []struct{}
	if unmarshal([]byte(job.retriedBy), &retries) == nil {
		job.Retries = len(retries)
	}
	return job
}

func (c *failedCommand) list(ctx context.Context, store *horizonFailed) error {
	ids, err := store.ids(ctx, c.limit)
	if err != nil {
		return err
	}
	jobs, err := store.jobs(ctx, ids)
	if err != nil {
		return err
	}
	for i := range jobs {
		jobs[i].Exception = c.env.redactor.Mask(jobs[i].Exception)
	}
	if c.env.output == outputJSON {
		return c.env.printJSON(jobs)
	}
	t := table{header: []string{"ID", "FAILED AT", "QUEUE", "JOB", "RETRIES", "EXCEPTION"}}
	for _, job := range jobs {
		at := unknown()
		if !job.FailedAt.IsZero() {
			at = text(job.FailedAt.Local().Format(time.DateTime))
		}
		t.add(text(job.ID), at, text(job.Queue), text(job.Name), number("%d", job.Retries), text(job.Exception))
	}
	if len(jobs) > 0 {
		t.write(c.env.stdout, c.env)
	}
	fmt.Fprintln(c.env.stderr, count(len(jobs), "failed job"))
	return nil
}

// wanted returns the jobs that are meant and says which are not there.
func (c *failedCommand) wanted(ctx context.Context, store *horizonFailed) (ids []string, missing bool, err error) {
	all, err := store.ids(ctx, 0)
	if err != nil || c.all {
		return all, false, err
	}
	for _, id := range c.ids {
		if !slices.Contains(all, id) {
			missing = true
			fmt.Fprintf(c.env.stderr, "qftool: no failed job has the id %q\n", printable(id))
			continue
		}
		ids = append(ids, id)
	}
	return ids, missing, nil
}

func (c *failedCommand) forget(ctx context.Context, store *horizonFailed) error {
	ids, missing, err := c.wanted(ctx, store)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(ids, failedBatch) {
		_, err := store.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, id := range batch {
				p.ZRem(ctx, store.prefix+"failed_jobs", id)
				p.Del(ctx, store.prefix+id)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(c.env.stderr, "%s forgotten\n", count(len(ids), "failed job"))
	if missing {
		return errFound
	}
	return nil
}
