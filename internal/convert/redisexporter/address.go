package redisexporter

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// address is a Redis as redis_exporter's flags and targets name one.
type address struct {
	text     string // host:port or unix://path
	host     string // for a name
	tls      bool
	user     string
	password string
	database int
}

var errAddress = errors.New("is not an address of a Redis: host:port, redis://…, rediss://… or unix://…")

// parseAddress never repeats what it was given: there may be a password in it.
func parseAddress(text string) (address, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "/") {
		return address{text: "unix://" + text, host: base(text)}, nil
	}
	if !strings.Contains(text, "://") {
		text = "redis://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return address{}, errAddress
	}
	a := address{user: u.User.Username()}
	a.password, _ = u.User.Password()
	db := u.Query().Get("db")
	switch u.Scheme {
	case "unix", "redis-socket":
		path := u.Host + u.Path
		if path == "" {
			return address{}, errAddress
		}
		a.text, a.host = "unix://"+path, base(path)
	case "redis", "rediss", "valkey", "valkeys":
		port := u.Port()
		if port == "" {
			port = "6379"
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || u.Hostname() == "" {
			return address{}, errAddress
		}
		a.text, a.host, a.tls = net.JoinHostPort(u.Hostname(), port), u.Hostname(), u.Scheme == "rediss" || u.Scheme == "valkeys"
		if path := strings.Trim(u.Path, "/"); path != "" {
			db = path
		}
	default:
		return address{}, errAddress
	}
	if db != "" {
		if a.database, err = strconv.Atoi(db); err != nil || a.database < 0 {
			return address{}, errors.New("names a database that is no number")
		}
	}
	return a, nil
}

func base(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	return strings.TrimSuffix(name, ".sock")
}

// passwordKeys are the ways in which a password file may name the address, the
// most exact one first.
func (a address) passwordKeys(given string) []string {
	keys := []string{given}
	if strings.HasPrefix(a.text, "unix://") {
		return append(keys, a.text)
	}
	scheme := map[bool]string{false: "redis://", true: "rediss://"}[a.tls]
	if a.user != "" {
		keys = append(keys, scheme+a.user+"@"+a.text)
	}
	return append(keys, scheme+a.text, a.text, "redis://"+a.text)
}
