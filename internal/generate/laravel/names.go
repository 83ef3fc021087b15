package laravel

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

const (
	defaultRedis = "default" // Laravel's name of the Redis connection that is meant where none is named
	defaultQueue = "redis"   // the name that Laravel's own queue connection on it has
	cacheRedis   = "cache"   // the one that Laravel's own cache store uses
)

// reserved are the keys of database.redis that name no connection. Horizon
// makes a connection of its own under its name.
var reserved = map[string]bool{"client": true, "options": true, "cluster": true, "clusters": true, "horizon": true}

// phpName matches what can be the key of a connection: a dot would be taken
// for a step into the array, and a number loses its name when arrays are
// merged.
var phpName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// redisName is the name of a connection within an application: that of the
// configuration, without the application's slug in front of it where that
// leaves a name that is free.
func redisName(slug, connection string) string {
	name := connection
	for _, separator := range []string{"-", "_", "."} {
		if rest, ok := strings.CutPrefix(connection, slug+separator); ok && rest != "" && rest != defaultRedis && !reserved[rest] {
			name = rest
			break
		}
	}
	name = strings.ReplaceAll(name, ".", "_")
	if !phpName.MatchString(name) {
		name = defaultQueue + "_" + name
	}
	return name
}

// variableName is the environment variable of a connection's password.
func variableName(connection, kind string) string {
	upper := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(connection))
	return "QF_" + upper + "_" + kind
}

// nameConnections gives every connection its name in database.redis.
func (p *Plan) nameConnections() {
	taken := map[string]string{}
	for _, c := range p.connections {
		switch name := c.config.Name; {
		case name == p.primary:
			c.redis = defaultRedis
		case c.cacheOnly:
			c.redis = cacheRedis
		default:
			c.redis = redisName(p.app.Slug, name)
			if c.redis == defaultRedis || reserved[c.redis] {
				p.fail("connection %s would be database.redis.%s, which is not free in Laravel: rename it", name, c.redis)
				continue
			}
		}
		if other, ok := taken[c.redis]; ok {
			p.fail("connections %s and %s would both be database.redis.%s: rename one of them", other, c.config.Name, c.redis)
			continue
		}
		taken[c.redis] = c.config.Name
	}
}

// queueConnection is the name of the queue connection of a configuration: what
// its worker says, else what follows from its connection.
func (p *Plan) queueConnection(q *configs.Queue, c *connection) string {
	switch {
	case laravelWorker(q):
		return q.Worker.QueueConnection
	case c.redis == defaultRedis:
		return defaultQueue
	default:
		return c.redis
	}
}

// laravelWorker reports whether the worker names a queue connection of Laravel.
func laravelWorker(q *configs.Queue) bool {
	if q.Worker == nil || q.Worker.QueueConnection == "" {
		return false
	}
	switch q.Worker.Preset {
	case "laravel", "frankenphp", "horizon":
		return true
	default:
		return false
	}
}

func checkQueueConnection(name string) error {
	if !phpName.MatchString(name) {
		return fmt.Errorf("%q cannot be the name of a queue connection in Laravel: use letters, digits, _ and -, no digit in front", name)
	}
	return nil
}
