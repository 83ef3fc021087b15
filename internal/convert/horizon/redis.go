package horizon

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
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
	var left []string
	for _, p := range n.pairs {
		if !slices.Contains(known, p.key) && p.value.truthy() {
			left = append(left, p.key)
		}
	}
	c.leftOut(place, left)
	c.add(name, conn)
}

// leftOut tells of settings that concern the application's client only.
func (c *converter) leftOut(place string, keys []string) {
	if len(keys) > 0 {
		c.warn("%s: left out, since it concerns the application's own client: %s", place, strings.Join(keys, ", "))
	}
}

// settings are those of a server, with what its URL says on top.
type settings struct {
	n   *node
	url map[string]string
}

func (s *settings) either(key string) *node {
	if text, ok := s.url[key]; ok {
		return &node{kind: "string", text: text}
	}
	return s.n.get(key)
}

// readURL takes url apart as Laravel does. Errors do not show it: there may be
// a password in it.
func (s *settings) readURL() error {
	text := s.n.get("url").str()
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" && u.Path == "" {
		return fmt.Errorf("is no URL")
	}
	s.url = map[string]string{"scheme": strings.ToLower(u.Scheme)}
	set := func(key, value string) {
		if value != "" {
			s.url[key] = value
		}
	}
	set("host", u.Hostname())
	set("port", u.Port())
	set("database", strings.TrimPrefix(u.Path, "/"))
	if u.User != nil {
		set("username", u.User.Username())
		password, _ := u.User.Password()
		set("password", password)
	}
	for key, values := range u.Query() {
		s.url[key] = values[len(values)-1]
	}
	return nil
}

// address is where the server is, in Queuefleet's form.
func (s *settings) address() (address string, secure bool, err error) {
	scheme, host := strings.ToLower(s.either("scheme").str()), s.either("host").str()
	if before, after, ok := strings.Cut(host, "://"); ok {
		scheme, host = strings.ToLower(before), after
	}
	if path := s.either("path").str(); scheme == "unix" && path != "" {
		host = path
	}
	if strings.HasPrefix(host, "/") {
		return "unix://" + host, false, nil
	}
	if host == "" {
		return "", false, fmt.Errorf("it has no host")
	}
	port := 6379
	if p := s.either("port"); p.given() && p.str() != "" {
		if port, err = p.integer(); err != nil {
			return "", false, fmt.Errorf("port: %w", err)
		}
	}
	host = strings.Trim(host, "[]")
	return net.JoinHostPort(host, strconv.Itoa(port)), slices.Contains([]string{"tls", "ssl", "rediss", "tlsv1.2", "tlsv1.3"}, scheme), nil
}

func (s *settings) database() (int, error) {
	n := s.either("database")
	if !n.given() || n.str() == "" {
		return 0, nil
	}
	number, err := n.integer()
	if err == nil && number < 0 {
		err = fmt.Errorf("%d is negative", number)
	}
	if err != nil {
		return 0, err
	}
	return number, nil
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

// tls reads PHP's options of a stream, from wherever a client wants them.
func (c *converter) tls(place string, context, ssl *node) *configs.TLS {
	t := &configs.TLS{MinVersion: "TLS12"}
	options := context
	for _, one := range []*node{context.get("stream"), context.get("ssl"), ssl} {
		if one.isArray() {
			options = one
		}
	}
	if !options.isArray() {
		return t
	}
	var left []string
	for _, p := range options.pairs {
		switch p.key {
		case "cafile":
			t.CAFile = p.value.str()
		case "local_cert":
			t.CertFile = p.value.str()
		case "local_pk":
			t.KeyFile = p.value.str()
		case "peer_name":
			t.ServerName = p.value.str()
		case "verify_peer", "verify_peer_name":
			t.InsecureSkipVerify = t.InsecureSkipVerify || p.value.given() && !p.value.truthy()
		case "crypto_method":
			t.MinVersion = cryptoMethod(p.value, t.MinVersion)
		default:
			if p.value.truthy() {
				left = append(left, p.key)
			}
		}
	}
	if t.CertFile != "" && t.KeyFile == "" {
		t.KeyFile = t.CertFile // PHP looks for the key there
	}
	if len(left) > 0 {
		c.warn("%s: TLS options %s are left out", place, strings.Join(left, ", "))
	}
	return t
}

// cryptoMethod is the lowest version of TLS in PHP's bits.
func cryptoMethod(n *node, otherwise string) string {
	bits, err := n.integer()
	if err != nil {
		return otherwise
	}
	for i, version := range []string{"TLS10", "TLS11", "TLS12", "TLS13"} {
		if bits&(1<<(3+i)) != 0 {
			return version
		}
	}
	return otherwise
}

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
