package configs

import (
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const unixScheme = "unix://"

// The texts name no part of the address: whoever writes a URL there may have
// written a password.
var (
	errAddrURL      = errors.New("must be host:port, not a URL; user, password, database and tls have keys of their own")
	errAddrUser     = errors.New("must hold neither user nor password; they have keys of their own")
	errAddrPort     = errors.New("has no port; write host:port, for example localhost:6379")
	errAddrBrackets = errors.New("is an IPv6 address without brackets; write [::1]:6379")
	errAddrHost     = errors.New("has no valid host; write host:port, for example localhost:6379")
	errAddrNumber   = errors.New("has no valid port; it is a number from 1 to 65535")
	errAddrUnix     = errors.New("must be unix:// and an absolute path without .. for a socket, for example unix:///run/redis/redis.sock")
)

var hostName = regexp.MustCompile(`^[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_.])?$`)

// checkAddress wants host:port or unix:///path.
func checkAddress(address string) error {
	if path, ok := strings.CutPrefix(address, unixScheme); ok {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || strings.ContainsAny(path, "\x00@?\n") {
			return errAddrUnix
		}
		return nil
	}
	switch {
	case strings.HasPrefix(address, "unix:"), strings.HasPrefix(address, "/"):
		return errAddrUnix
	case strings.Contains(address, "://"):
		return errAddrURL
	case strings.Contains(address, "@"):
		return errAddrUser
	}
	return checkHostPort(address)
}

func checkHostPort(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		if _, bad := netip.ParseAddr(strings.Trim(address, "[]")); bad == nil && strings.Contains(address, ":") && address[0] != '[' {
			return errAddrBrackets
		}
		if strings.Count(address, ":") > 1 && address[0] != '[' {
			return errAddrBrackets
		}
		return errAddrPort
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errAddrNumber
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return errAddrHost
		}
		return nil
	}
	if len(host) > 253 || !hostName.MatchString(host) {
		return errAddrHost
	}
	return nil
}

// Addresses lists every address that the connection names.
func (c *Connection) Addresses() []string {
	switch {
	case c.Sentinel != nil:
		return c.Sentinel.Addresses
	case c.Cluster != nil:
		return c.Cluster.Addresses
	default:
		return []string{c.Address}
	}
}

// Mode is standalone, sentinel or cluster.
func (c *Connection) Mode() string {
	switch {
	case c.Sentinel != nil:
		return "sentinel"
	case c.Cluster != nil:
		return "cluster"
	default:
		return "standalone"
	}
}

// DisplayAddress is the address for people and labels, without credentials:
// host:port, unix:///path, sentinel:master@host:port,… or cluster:host:port,….
func (c *Connection) DisplayAddress() string {
	list := strings.Join(c.Addresses(), ",")
	switch {
	case c.Sentinel != nil:
		return "sentinel:" + c.Sentinel.Master + "@" + list
	case c.Cluster != nil:
		return "cluster:" + list
	default:
		return list
	}
}
