package laravel

import (
	"math"
	"slices"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// margin is what retry_after must leave beyond a job's timeout.
const margin = configs.Duration(10 * time.Second)

// collectQueues finds the queue configurations of the chosen connections.
func (p *Plan) collectQueues() {
	for i := range p.cfg.Queues {
		q := &p.cfg.Queues[i]
		if q.Application == p.app.Slug && q.Framework != "laravel" && p.cfg.QueueWatched(q) {
			p.warn("queue configuration %s is left out: its framework is %s", q.Name, q.Framework)
			continue
		}
		c := p.find(q.Connection)
		if c == nil || !p.works(q) {
			continue
		}
		one := &queue{config: q, connection: c, name: p.queueConnection(q, c)}
		for _, name := range q.QueueNames {
			if configs.IsPattern(name) {
				p.warn("queue configuration %s: the pattern %q is left out: neither Laravel nor Horizon has patterns", q.Name, name)
				continue
			}
			one.names = append(one.names, name)
		}
		p.checkQueue(one)
		p.queues, c.queues = append(p.queues, one), append(c.queues, one)
		p.queueNames[one.name] = append(p.queueNames[one.name], one)
	}
	p.checkPrefixes()
}

func (p *Plan) checkQueue(q *queue) {
	c := q.config
	if err := checkQueueConnection(q.name); err != nil {
		p.fail("queue configuration %s: worker.queue_connection: %v", c.Name, err)
		return
	}
	if worked := c.Worker != nil || p.inHorizon(c); worked && c.Timeout > c.RetryAfter-margin {
		p.fail("queue configuration %s: timeout (%v) and 10s must not exceed retry_after (%v), or a job that still runs is given to a second worker",
			c.Name, c.Timeout, c.RetryAfter)
	}
	for _, other := range p.queueNames[q.name] { // those before
		switch {
		case other.connection != q.connection:
			p.fail("queue configurations %s (connection %s) and %s (connection %s) have the same queue connection %q: give one of them another worker.queue_connection",
				other.config.Name, other.config.Connection, c.Name, c.Connection, q.name)
			return
		case other.config.RetryAfter != c.RetryAfter:
			p.warn("queue configurations %s and %s share the queue connection %q: its retry_after is the longer one, %v",
				other.config.Name, c.Name, q.name, max(other.config.RetryAfter, c.RetryAfter))
			return
		}
	}
}

// checkPrefixes finds the key prefix of each connection: Laravel has one.
func (p *Plan) checkPrefixes() {
	first := map[*connection]*configs.Queue{}
	for _, q := range p.queues {
		if q.config.KeyPrefix == nil {
			continue
		}
		if other, ok := first[q.connection]; ok && *other.KeyPrefix != *q.config.KeyPrefix {
			p.fail("queue configurations %s and %s are on connection %s and have different values of key_prefix (%q, %q): a Redis connection of Laravel has one",
				other.Name, q.config.Name, q.config.Connection, *other.KeyPrefix, *q.config.KeyPrefix)
			continue
		}
		first[q.connection] = q.config
		q.connection.prefix = q.config.KeyPrefix
	}
	for _, c := range p.connections {
		if prefix := c.config.Options.KeyPrefix; c.prefix == nil && prefix != "" {
			c.prefix = &prefix
		}
	}
}

// queueTable is what is merged into queue.connections. It has no more keys
// than it must, so that the application's own further ones, such as
// after_commit, stay.
func (p *Plan) queueTable() table {
	var t table
	for _, c := range p.connections {
		for _, q := range c.queues {
			if p.queueNames[q.name][0] != q {
				continue // its first configuration has said it
			}
			t = append(t, field{q.name, table{
				{key: "driver", value: "redis"},
				{key: "connection", value: c.redis},
				{key: "queue", value: p.defaultQueue(q.name)},
				{key: "retry_after", value: p.retryAfter(q.name)},
			}, "connection " + c.config.Name})
		}
	}
	return t
}

// defaultQueue is where jobs go that name no queue: it has to be one that is
// worked.
func (p *Plan) defaultQueue(name string) string {
	last := ""
	for _, q := range p.queueNames[name] {
		if len(q.names) == 0 {
			continue
		}
		if slices.Contains(q.names, "default") {
			return "default"
		}
		if last == "" {
			last = q.names[len(q.names)-1] // the least urgent one
		}
	}
	if last == "" {
		return "default"
	}
	return last
}

func (p *Plan) retryAfter(name string) int {
	longest := configs.Duration(0)
	for _, q := range p.queueNames[name] {
		longest = max(longest, q.config.RetryAfter)
	}
	return wholeSeconds(longest)
}

// wholeSeconds rounds up: a limit of less than a second must not become none.
func wholeSeconds(d configs.Duration) int { return int(math.Ceil(d.Seconds())) }

// pause is a time between jobs. Laravel takes fractions only of less than a
// second.
func pause(d configs.Duration) value {
	if d > 0 && d.Std() < time.Second {
		return d.Seconds()
	}
	return wholeSeconds(d)
}
