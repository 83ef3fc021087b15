package horizon

import (
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

const second = configs.Duration(time.Second)

// What Laravel and Horizon take where nothing is said.
const (
	defaultRetryAfter = 60 * second
	defaultWait       = 60 * second
	margin            = 10 * second // what retry_after must leave beyond a job's timeout
)

// supervisors are those of the environment, a queue configuration each.
func (c *converter) supervisors() {
	set := c.e.Sets.get(*c.e.Chosen)
	if !set.isArray() || len(set.pairs) == 0 {
		c.warn("the environment %s of horizon.php has no supervisors", *c.e.Chosen)
		return
	}
	for _, p := range set.pairs {
		if !p.value.isArray() {
			c.warn("horizon: the supervisor %s is %s and left out", p.key, p.value.show())
			continue
		}
		c.supervisor(p.key, p.value)
	}
}

// supervisor converts one of them.
func (c *converter) supervisor(name string, n *node) {
	s := &supervisor{c: c, name: name, q: horizonDefaults(c.named(name), c.out.Slug)}
	for _, p := range n.pairs {
		s.option(camel(p.key), p.value)
	}
	q := &s.q
	queue := c.e.Queue.get(s.connection)
	switch {
	case s.connection == "":
		s.warn("has no connection and is left out")
		return
	case !queue.isArray():
		s.warn("uses the queue connection %q, which does not exist, and is left out", s.connection)
		return
	case queue.get("driver").str() != "redis":
		s.warn("uses the queue connection %q with the driver %s and is left out", s.connection, queue.get("driver").show())
		return
	}
	redis := queue.get("connection").str()
	if redis == "" {
		redis = "default"
	}
	if q.Connection = c.redis[redis]; q.Connection == "" {
		s.warn("uses the Redis connection %q, which does not exist or was left out, and is left out, too", redis)
		return
	}
	c.queueConnection(s.connection, queue, q)
	if len(q.QueueNames) == 0 {
		q.QueueNames = queue.get("queue").words()
	}
	if len(q.QueueNames) == 0 {
		q.QueueNames = []string{"default"}
	}
	s.literal()
	if prefix := c.prefixOfRedis(redis); prefix == "" {
		q.KeyPrefix = &prefix
	}
	s.wait()
	s.limits()
	if !c.o.NoWorkers {
		q.Worker = configs.NewWorker("horizon")
		q.Worker.QueueConnection, q.Worker.Directory, q.Worker.User = s.connection, c.o.Directory, c.o.User
	}
	c.out.Queues = append(c.out.Queues, *q)
}

// horizonDefaults are the options of a supervisor that gives none.
func horizonDefaults(name, slug string) configs.Queue {
	q := configs.NewQueue(name, slug, "")
	q.Balance, q.MaxProcesses, q.Tries, q.MaxJobs, q.MaxTime = "off", 1, 0, 0, 0
	return q
}

// queueConnection reads what a queue connection says of its jobs.
func (c *converter) queueConnection(name string, n *node, q *configs.Queue) {
	q.RetryAfter = defaultRetryAfter
	if retry := n.get("retry_after"); retry.given() {
		d, err := retry.seconds()
		if err != nil || d <= 0 {
			c.warn("queue.connections.%s.retry_after is %s; taken as %v", name, retry.show(), defaultRetryAfter)
		} else {
			q.RetryAfter = d
		}
	}
	var left []string
	for _, key := range []string{"block_for", "after_commit", "migration_batch_size"} {
		if v := n.get(key); v.truthy() && v.str() != "-1" {
			left = append(left, key)
		}
	}
	if len(left) > 0 {
		c.warn("queue.connections.%s: left to the application's own configuration: %s", name, strings.Join(left, ", "))
	}
}

func (c *converter) prefixOfRedis(name string) string {
	n := c.e.Redis.get(name)
	if !n.isArray() {
		n = c.e.Redis.get("clusters", name)
	}
	return c.prefixOf(n)
}
