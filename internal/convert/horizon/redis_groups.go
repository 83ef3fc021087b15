package horizon

import (
	"cmp"

	"github.com/queuefleet/queuefleet/configs"
)

// cluster is one of database.redis.clusters.
func (c *converter) cluster(name string, n *node) {
	conn := configs.NewConnection(c.named(name))
	conn.Cluster = &configs.Cluster{}
	place := "database.redis.clusters." + name
	options := n.get("options")
	var user, password *node
	for _, p := range n.pairs {
		if p.key == "options" || !p.value.isArray() {
			continue
		}
		s := settings{n: p.value}
		err := s.readURL()
		address, secure, failed := s.address()
		if err = cmp.Or(err, failed); err != nil {
			c.warn("%s.%s: %v; the node is left out", place, p.key, err)
			continue
		}
		conn.Cluster.Addresses = append(conn.Cluster.Addresses, address)
		if secure && conn.TLS == nil {
			conn.TLS = c.tls(place, options.get("context"), s.either("ssl"))
		}
		if password == nil && s.either("password").given() {
			user, password = s.either("username"), s.either("password")
		}
	}
	for _, one := range []*node{c.e.Redis.get("clusters", "options", "password"), options.get("password")} {
		if one.given() {
			password = one
		}
	}
	if len(conn.Cluster.Addresses) == 0 {
		c.warn("%s has no node and is left out", place)
		return
	}
	c.login(&conn, user, password, place)
	c.prefix(&conn, n)
	c.add(name, conn)
}

// replicated is a list of servers, of which Predis finds the master by
// Sentinel.
func (c *converter) replicated(name string, n *node) {
	place, options := "database.redis."+name, n.get("options")
	if options.get("replication").str() != "sentinel" {
		c.warn("%s lists several servers without Sentinel and is left out", place)
		return
	}
	conn := configs.NewConnection(c.named(name))
	conn.Sentinel = &configs.Sentinel{Master: options.get("service").str()}
	for _, p := range n.pairs {
		if p.key == "options" {
			continue
		}
		s := settings{n: p.value}
		if !p.value.isArray() {
			s.n = &node{kind: "array", pairs: []pair{{"url", p.value}}}
		}
		err := s.readURL()
		address, secure, failed := s.address()
		if err = cmp.Or(err, failed); err != nil {
			c.warn("%s.%s: %v; the sentinel is left out", place, p.key, err)
			continue
		}
		conn.Sentinel.Addresses = append(conn.Sentinel.Addresses, address)
		if secure && conn.TLS == nil {
			conn.TLS = c.tls(place, nil, s.either("ssl"))
		}
		if text := s.either("password").str(); text != "" && len(conn.Sentinel.Addresses) == 1 {
			conn.Sentinel.Username = s.either("username").str()
			c.password(conn.Name, text, true)
		}
	}
	parameters := settings{n: options.get("parameters")}
	var err error
	if conn.Database, err = parameters.database(); err != nil {
		c.warn("%s.options.parameters.database: %v; taken as 0", place, err)
	}
	c.login(&conn, parameters.either("username"), parameters.either("password"), place)
	c.prefix(&conn, n)
	if len(conn.Sentinel.Addresses) == 0 || conn.Sentinel.Master == "" {
		c.warn("%s names no sentinel or no service and is left out", place)
		return
	}
	c.add(name, conn)
}
