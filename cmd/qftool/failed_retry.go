package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
)

// retry puts jobs back. Under --all those that were retried before are left
// alone: doing it twice would run them twice.
func (c *failedCommand) retry(ctx context.Context, store *horizonFailed, to *requeuer) error {
	defer to.close()
	ids, missing, err := c.wanted(ctx, store)
	if err != nil {
		return err
	}
	jobs, err := store.jobs(ctx, ids)
	if err != nil {
		return err
	}
	if c.prefixGiven {
		to.given = &c.keyPrefix
	}
	done, failed := 0, missing
	for i := range jobs {
		job := &jobs[i]
		if c.all && job.Retries > 0 {
			continue
		}
		if err := retryOne(ctx, store, to, job); err != nil {
			failed = true
			fmt.Fprintf(c.env.stderr, "qftool: job %s: %s\n", printable(job.ID), printable(c.env.redactor.Mask(err.Error())))
			continue
		}
		done++
	}
	fmt.Fprintf(c.env.stderr, "%s retried\n", count(done, "failed job"))
	if failed {
		return errFound
	}
	return nil
}

func retryOne(ctx context.Context, store *horizonFailed, to *requeuer, job *failedJob) error {
	if job.Lost {
		return errors.New("Horizon no longer has its payload")
	}
	now := time.Now()
	id := newUUID()
	payload, err := retryPayload(job, id, now)
	if err != nil {
		return err
	}
	retried, err := retryReference(job.retriedBy, id, now)
	if err != nil {
		return err
	}
	if err := to.push(ctx, job, payload); err != nil {
		return err
	}
	// What Horizon shows of it, in its own order.
	score := -float64(now.UnixMicro()) / 1e6
	stamp := strconv.FormatFloat(-score, 'f', 4, 64)
	_, err = store.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, store.prefix+job.ID, "retried_by", retried)
		p.HSet(ctx, store.prefix+id, "id", id, "connection", job.Connection, "queue", job.Queue, "name", job.Name,
			"status", "pending", "payload", payload, "created_at", stamp, "updated_at", stamp)
		p.Expire(ctx, store.prefix+id, pendingTTL)
		p.ZAdd(ctx, store.prefix+"recent_jobs", redis.Z{Score: score, Member: id})
		p.ZAdd(ctx, store.prefix+"pending_jobs", redis.Z{Score: score, Member: id})
		return nil
	})
	if err != nil {
		return fmt.Errorf("it is back in its queue as %s, but Horizon was not told: %w", id, err)
	}
	return nil
}

// pendingTTL is Horizon's default for jobs that wait.
const pendingTTL = time.Hour

// retryPayload makes the payload of a retry as Horizon does: the same job under
// a new id, with no attempt made yet, and as much time left as it first had.
func retryPayload(job *failedJob, id string, now time.Time) (string, error) {
	fields := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(job.payload))
	decoder.UseNumber() // numbers stay as they are written
	if err := decoder.Decode(&fields); err != nil {
		return "", fmt.Errorf("its payload is not JSON: %w", err)
	}
	fields["retryUntil"] = newDeadline(fields, now)
	fields["id"], fields["uuid"], fields["attempts"], fields["retry_of"] = id, id, 0, job.ID
	fields["pushedAt"] = strconv.FormatFloat(float64(now.UnixMicro())/1e6, 'f', 4, 64)
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(fields)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// newDeadline moves the deadline of a job by the time since it was pushed.
func newDeadline(fields map[string]any, now time.Time) any {
	figure := func(name string) (float64, bool) {
		n, err := strconv.ParseFloat(fmt.Sprint(fields[name]), 64)
		return n, err == nil
	}
	until, ok := figure("retryUntil")
	if !ok {
		until, ok = figure("timeoutAt")
	}
	if !ok || until == 0 {
		return nil
	}
	pushed, ok := figure("pushedAt")
	if !ok {
		pushed = float64(now.Unix())
	}
	return now.Unix() + int64(math.Ceil(until-pushed))
}

// retryReference adds a retry to the list that Horizon keeps of them.
func retryReference(list, id string, now time.Time) (string, error) {
	var retries []any
	if err := json.Unmarshal([]byte(cmp.Or(list, "[]")), &retries); err != nil {
		return "", fmt.Errorf("its list of retries is not JSON: %w", err)
	}
	retries = append(retries, map[string]any{"id": id, "status": "pending", "retried_at": now.Unix()})
	text, err := json.Marshal(retries)
	return string(text), err
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends first
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// requeuer puts payloads into an application's queues.
type requeuer struct {
	cfg      *configs.Config
	app      *configs.Application
	given    *string                       // key prefix of the command line
	clients  map[string]*connection.Client // by connection
	prefixes map[string]string             // by queue configuration
}

func (r *requeuer) close() {
	for _, c := range r.clients {
		c.Close()
	}
}

// push does what Laravel's RedisQueue does with a payload.
func (r *requeuer) push(ctx context.Context, job *failedJob, payload string) error {
	q, err := r.configuration(job)
	if err != nil {
		return err
	}
	client, ok := r.clients[q.Connection]
	if !ok {
		conn, _ := r.cfg.Connection(q.Connection) // Load has seen to it
		client = connection.New(*conn)
		r.clients[q.Connection] = client
	}
	prefix, err := r.prefix(ctx, client.Redis(), q, job.Queue)
	if err != nil {
		return err
	}
	key := prefix + "queues:" + job.Queue
	if err := client.Redis().RPush(ctx, key, payload).Err(); err != nil {
		return err
	}
	return client.Redis().RPush(ctx, key+":notify", 1).Err() // wakes workers that block
}

// configuration finds the queue configuration that a job belongs to: the one
// whose workers use the job's own connection in Laravel, else any of its queue.
func (r *requeuer) configuration(job *failedJob) (*configs.Queue, error) {
	var fits []*configs.Queue
	for i := range r.cfg.Queues {
		q := &r.cfg.Queues[i]
		if q.Application != r.app.Slug || !slices.ContainsFunc(q.QueueNames, func(name string) bool { return means(name, job.Queue) }) {
			continue
		}
		if q.Worker != nil && q.Worker.QueueConnection == job.Connection {
			return q, nil
		}
		fits = append(fits, q)
	}
	if len(fits) == 0 {
		return nil, fmt.Errorf("no queue configuration of application %s has the queue %q", r.app.Slug, job.Queue)
	}
	for _, q := range fits[1:] {
		if q.Connection != fits[0].Connection {
			return nil, fmt.Errorf("queue %q is on several connections, and no worker's queue_connection is %q", job.Queue, job.Connection)
		}
	}
	return fits[0], nil
}

// prefix returns the key prefix of a configuration's queues.
func (r *requeuer) prefix(ctx context.Context, c redis.UniversalClient, q *configs.Queue, name string) (string, error) {
	switch known, found := r.prefixes[q.Name]; {
	case r.given != nil:
		return *r.given, nil
	case q.KeyPrefix != nil:
		return *q.KeyPrefix, nil
	case found:
		return known, nil
	}
	seen := map[string]bool{}
	keys := c.Scan(ctx, 0, "*queues:*", 1000).Iterator()
	for keys.Next(ctx) {
		before, after, _ := strings.Cut(keys.Val(), "queues:")
		if base, _, _ := strings.Cut(after, ":"); slices.ContainsFunc(q.QueueNames, func(n string) bool { return means(n, base) }) {
			seen[before] = true
		}
	}
	if err := keys.Err(); err != nil {
		return "", fmt.Errorf("look for the key prefix: %w", err)
	}
	if len(seen) != 1 {
		return "", fmt.Errorf("the key prefix of queue %q is not clear (%d candidates): set key_prefix at %s, or give --key-prefix", name, len(seen), q.Name)
	}
	for prefix := range seen {
		r.prefixes[q.Name] = prefix
	}
	return r.prefixes[q.Name], nil
}
