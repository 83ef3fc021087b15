package horizon

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// connections are those of database.redis, the default one first, as Laravel
// knows them.
func (c *converter) connections() {
	all := c.e.Redis
	clusters := all.get("clusters")
	for _, p := range all.pairs {
		switch {
		case slices.Contains([]string{"client", "options", "cluster", "clusters", "horizon"}, p.key):
		case !p.value.given() && clusters.get(p.key).isArray():
			c.cluster(p.key, clusters.get(p.key))
		case !p.value.given():
		case !p.value.isArray():
			c.warn("database.redis.%s is no array and left out", p.key)
		case clusters.get(p.key).isArray():
			c.warn("database.redis has %s twice, as a server and as a cluster: Laravel takes the server, Horizon the cluster; the server is imported", p.key)
			c.server(p.key, p.value)
		default:
			c.server(p.key, p.value)
		}
	}
	if clusters.isArray() {
		for _, p := range clusters.pairs {
			if p.key != "options" && p.value.isArray() && c.redis[p.key] == "" {
				c.cluster(p.key, p.value)
			}
		}
	}
	c.clientSettings()
	if all.get("options", "serializer").truthy() || all.get("options", "compression").truthy() {
		c.warn("database.redis.options: with a serializer or compression of the Redis extension job ages cannot be read")
	}
}

// add adds a connection under its name in Laravel.
func (c *converter) add(name string, conn configs.Connection) {
	conn.Environment = c.e.Environment
	c.redis[name] = conn.Name
	if name == "default" {
		c.out.Connections = slices.Insert(c.out.Connections, 0, conn)
		return
	}
	c.out.Connections = append(c.out.Connections, conn)
}

// known are the keys of a connection that are carried over.
var known = []string{"url", "scheme", "host", "port", "path", "database", "username", "password", "options", "prefix", "context", "ssl"}

func (c *converter) server(name string, n *node) {
	place := "database.redis." + name
	if n.isList() || n.get("options", "replication").given() {
		c.replicated(name, n)
		return
	}
	conn := configs.NewConnection(c.named(name))
	s := settings{n: n}
	if err := s.readURL(); err != nil {
		c.warn("%s.url %v; the connection is left out", place, err)
		return
	}
	address, secure, err := s.address()
	if err != nil {
		c.warn("%s: %v; the connection is left out", place, err)
		return
	}
	conn.Address = address
	if secure {
		conn.TLS = c.tls(place, s.either("context"), s.either("ssl"))
	}
	if conn.Database, err = s.database(); err != nil {
		c.warn("%s.database: %v; taken as 0", place, err)
	}
	c.login(&conn, s.either("username"), s.either("password"), place)
	c.prefix(&conn, n)
	for _, p := range n.pairs {
		if !slices.Contains(known, p.key) && p.value.truthy() {
			c.settings[p.key] = append(c.settings[p.key], name)
		}
	}
	c.add(name, conn)
}

// clientSettings tells of what concerns the application's client only. The
// generated files replace a connection whole.
func (c *converter) clientSettings() {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(c.settings)) {
		parts = append(parts, fmt.Sprintf("%s (%s)", key, strings.Join(c.settings[key], ", ")))
	}
	if len(parts) > 0 {
		c.warn("database.redis: settings of the client are left out: %s; those that matter go into database.redis.options, which hold for every connection", strings.Join(parts, ", "))
	}
}

// prefix is what stands in front of a connection's keys: its own, else that of
// all.
func (c *converter) prefix(conn *configs.Connection, n *node) {
	conn.Options.KeyPrefix = c.prefixOf(n)
}

func (c *converter) prefixOf(n *node) string {
	for _, one := range []*node{n.get("options", "prefix"), n.get("prefix"), c.e.Redis.get("options", "prefix")} {
		if one.given() {
			return one.str()
		}
	}
	return ""
}

// login takes user and password, which phpredis also has as a list.
func (c *converter) login(conn *configs.Connection, user, password *node, place string) {
	if password.isArray() {
		words := password.pairs
		if len(words) == 2 {
			user = words[0].value
		}
		if len(words) > 0 {
			password = words[len(words)-1].value
		}
	}
	if password != nil && password.kind == "binary" {
		c.warn("%s: the password is not UTF-8 and left out", place)
		return
	}
	if password.str() == "" {
		if user.str() != "" {
			c.warn("%s: a username without a password is left out, as Laravel does", place)
		}
		return
	}
	conn.Username = user.str()
	c.password(conn.Name, password.str(), false)
}

func (c *converter) password(connection, text string, sentinel bool) {
	p := Password{Connection: connection, Sentinel: sentinel, Value: configs.NewSecret(text)}
	for _, name := range slices.Sorted(keysOf(c.e.Variables)) {
		if c.e.Variables[name] == text && strings.Contains(strings.ToUpper(name), "PASS") {
			p.Variable = name
			break
		}
	}
	c.out.Passwords = append(c.out.Passwords, p)
}

func keysOf(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
