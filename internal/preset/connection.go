package preset

import (
	"maps"
	"net"
	"strconv"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

const unixScheme = "unix://"

// endpoint is where a worker finds its Redis.
type endpoint struct {
	host     string // name or address without brackets, or the absolute path of a socket
	port     string // "0" with a socket
	database int
	tls      bool
}

func (e endpoint) unix() bool { return strings.HasPrefix(e.host, "/") }

// String is the endpoint for people.
func (e endpoint) String() string {
	text := net.JoinHostPort(e.host, e.port)
	if e.unix() {
		text = e.host
	}
	if e.tls {
		text = "tls://" + text
	}
	return text + "/" + strconv.Itoa(e.database)
}

// endpointOf returns the one place where a connection's Redis is.
func endpointOf(c *configs.Connection) (endpoint, error) {
	if c.Sentinel != nil || c.Cluster != nil {
		return endpoint{}, misconfigured(
			"connection %s is a %s: host and port cannot tell a worker where it is; set it up in the application and use the preset exec",
			c.Name, map[string]string{"sentinel": "master found by Sentinel", "cluster": "Redis Cluster"}[c.Mode()])
	}
	e := endpoint{database: c.Database, tls: c.TLS != nil}
	if path, ok := strings.CutPrefix(c.Address, unixScheme); ok {
		e.host, e.port = path, "0"
		return e, nil
	}
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return endpoint{}, misconfigured("connection %s: its address is none", c.Name)
	}
	e.host, e.port = host, port
	return e, nil
}

// connectionVariables are the variables by which a worker is told its
// connection. Those without a value are there as well, empty: a file in the
// application's directory could otherwise fill them. Where the connection has
// no single address, neither host nor port is told.
func connectionVariables(w *configs.Worker, c *configs.Connection) map[string]string {
	n := &w.EnvironmentNames
	all := map[string]string{
		n.Username: c.Username, n.Password: c.Password.Reveal(), n.Database: strconv.Itoa(c.Database),
	}
	if e, err := endpointOf(c); err == nil {
		all[n.Host], all[n.Port] = e.host, e.port
	}
	delete(all, "") // an empty name leaves the variable out
	return all
}

// redisVariables are connectionVariables and what else decides in a Laravel
// application which Redis it talks to.
func redisVariables(w *configs.Worker, c *configs.Connection) map[string]string {
	all := map[string]string{
		// A URL would win over host and port, and be found in the application's .env.
		"REDIS_URL": "",
		// A cached configuration would win over the environment. Nobody can create
		// this file.
		"APP_CONFIG_CACHE": "/proc/queuefleet-keeps-workers-from-cached-configuration/config.php",
	}
	if c.TLS != nil {
		all["REDIS_SCHEME"] = "tls"
	}
	maps.Copy(all, connectionVariables(w, c))
	return all
}
