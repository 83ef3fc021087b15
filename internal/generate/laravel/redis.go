package laravel

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// checkServers refuses what Laravel cannot reach.
func (p *Plan) checkServers() {
	for _, c := range p.connections {
		switch {
		case c.config.Sentinel != nil && p.options.Client == PhpRedis:
			p.fail("connection %s is found by Sentinel, which Laravel cannot do with phpredis: install predis/predis and give --client=predis", c.config.Name)
		case c.config.Sentinel != nil && !c.config.Sentinel.Password.IsZero():
			p.warn("connection %s: its sentinels have a password, which Predis knows from its version 2 on", c.config.Name)
		case c.config.Cluster != nil:
			p.checkCluster(c)
		case c.config.Username != "" && c.config.Password.IsZero():
			p.warn("connection %s has a username and no password: Laravel logs in with neither", c.config.Name)
		}
	}
}

// checkCluster warns of queues whose keys lie on different nodes.
func (p *Plan) checkCluster(c *connection) {
	if h := p.app.Horizon; h != nil && h.Connection == c.config.Name {
		p.warn("connection %s is a Redis Cluster, and Horizon keeps its records there: before 2026 Horizon takes the first node for all of it", c.config.Name)
	}
	for _, q := range c.queues {
		for _, name := range q.names {
			if open := strings.Index(name, "{"); open < 0 || !strings.Contains(name[open:], "}") {
				p.warn("queue configuration %s: the queue %q lies on a Redis Cluster: before Laravel 13.5 its name must have braces, {%s}", q.config.Name, name, name)
			}
		}
	}
}

// redisTable is what is merged into database.redis.
func (p *Plan) redisTable() table {
	var t, clusters table
	for _, c := range p.connections {
		comment := "connection " + c.config.Name
		if c.config.Cluster == nil {
			t = append(t, field{c.redis, p.server(c), comment})
			continue
		}
		// A single server of that name would come before the cluster.
		t = append(t, field{c.redis, nil, comment + ", see clusters"})
		clusters = append(clusters, field{c.redis, p.cluster(c), comment})
	}
	if len(clusters) > 0 {
		t = append(t, field{key: "clusters", value: clusters})
	}
	return t
}

// server is a connection to one server, or to one that Sentinel finds.
func (p *Plan) server(c *connection) value {
	if c.config.Sentinel != nil {
		return p.sentinel(c)
	}
	t := append(p.endpoint(c.config, c.config.Address), p.login(c.config)...)
	t = append(t, field{key: "database", value: c.config.Database})
	t = append(t, p.security(c.config)...)
	if c.prefix != nil {
		// Here and not beside the host: options win over the application's own
		// prefix in every version.
		t = append(t, field{key: "options", value: table{{key: "prefix", value: *c.prefix}}})
	}
	return t
}

const unixScheme = "unix://"

// endpoint is where a server is.
func (p *Plan) endpoint(c *configs.Connection, address string) table {
	if path, ok := strings.CutPrefix(address, unixScheme); ok {
		if p.options.Client == Predis {
			return table{{key: "scheme", value: "unix"}, {key: "path", value: path}}
		}
		return table{{key: "host", value: path}, {key: "port", value: 0}}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, "6379" // Load has refused it
	}
	number, _ := strconv.Atoi(port)
	if strings.Contains(host, ":") && p.options.Client == PhpRedis {
		host = "[" + host + "]"
	}
	t := table{{key: "host", value: host}, {key: "port", value: number}}
	if c.TLS != nil {
		t = append(table{{key: "scheme", value: "tls"}}, t...)
	}
	return t
}

// login is user and password. phpredis takes them together, since Laravel 8
// passes on nothing but the password.
func (p *Plan) login(c *configs.Connection) table {
	t := table{}
	if c.Username != "" {
		t = append(t, field{key: "username", value: c.Username})
	}
	return append(t, field{key: "password", value: p.password(c)})
}

func (p *Plan) password(c *configs.Connection) value {
	switch ref := reference(variableName(c.Name, "PASSWORD")); {
	case c.Password.IsZero():
		return nil
	case c.Username != "" && p.options.Client == PhpRedis:
		return list{c.Username, ref}
	default:
		return ref
	}
}

// security is how TLS is checked.
func (p *Plan) security(c *configs.Connection) table {
	if c.TLS == nil || strings.HasPrefix(c.Address, unixScheme) {
		return nil
	}
	if p.options.Client == Predis {
		return table{{key: "ssl", value: sslOptions(c.TLS)}}
	}
	return table{{key: "context", value: table{{key: "stream", value: sslOptions(c.TLS)}}}}
}

// The bits by which PHP names versions of TLS for a client.
const (
	tls12 = 1<<5 | 1
	tls13 = 1<<6 | 1
)

// sslOptions are PHP's options of a stream's TLS.
func sslOptions(t *configs.TLS) table {
	s := table{{key: "verify_peer", value: !t.InsecureSkipVerify}, {key: "verify_peer_name", value: !t.InsecureSkipVerify}}
	for _, file := range []struct{ key, path string }{{"cafile", t.CAFile}, {"local_cert", t.CertFile}, {"local_pk", t.KeyFile}} {
		if file.path == "" {
			continue
		}
		path, err := filepath.Abs(file.path)
		if err != nil {
			path = file.path
		}
		s = append(s, field{key: file.key, value: path})
	}
	if t.ServerName != "" {
		s = append(s, field{key: "peer_name", value: t.ServerName})
	}
	switch t.MinVersion {
	case "TLS12":
		s = append(s, field{key: "crypto_method", value: tls12 | tls13})
	case "TLS13":
		s = append(s, field{key: "crypto_method", value: tls13})
	}
	return s
}

// cluster lists the nodes by which a cluster is found, and what holds for all.
func (p *Plan) cluster(c *connection) table {
	t := table{}
	for i, address := range c.config.Cluster.Addresses {
		node := append(p.endpoint(c.config, address), p.login(c.config)...)
		if p.options.Client == Predis {
			node = append(node, p.security(c.config)...)
		}
		t = append(t, field{key: strconv.Itoa(i), value: node})
	}
	options := table{{key: "cluster", value: "redis"}}
	if p.options.Client == PhpRedis {
		options = append(options, field{key: "password", value: p.password(c.config)})
		if c.config.TLS != nil {
			options = append(options, field{key: "context", value: sslOptions(c.config.TLS)})
		}
	}
	if c.prefix != nil {
		options = append(options, field{key: "prefix", value: *c.prefix})
	}
	return append(t, field{key: "options", value: options})
}

// sentinel lists the sentinels, as Predis wants it.
func (p *Plan) sentinel(c *connection) table {
	s, t := c.config.Sentinel, table{}
	for i, address := range s.Addresses {
		node := p.endpoint(c.config, address)
		if s.Username != "" {
			node = append(node, field{key: "username", value: s.Username})
		}
		var password value
		if !s.Password.IsZero() {
			password = reference(variableName(c.config.Name, "SENTINEL_PASSWORD"))
		}
		node = append(node, field{key: "password", value: password})
		t = append(t, field{key: strconv.Itoa(i), value: append(node, p.security(c.config)...)})
	}
	parameters := append(p.login(c.config), field{key: "database", value: c.config.Database})
	options := table{
		{key: "replication", value: "sentinel"}, {key: "service", value: s.Master},
		{key: "parameters", value: append(parameters, p.security(c.config)...)},
	}
	if c.prefix != nil {
		options = append(options, field{key: "prefix", value: *c.prefix})
	}
	return append(t, field{key: "options", value: options})
}
