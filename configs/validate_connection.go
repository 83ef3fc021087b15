package configs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

var tlsVersions = []string{"TLS10", "TLS11", "TLS12", "TLS13"}

func indexed(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }

func checkConnection(o origin, c *Connection, now time.Time) {
	o.checkName("name", c.Name)
	checkServers(o, c)
	checkPasswordKeys(o, "", []bool{!c.Password.IsZero(), c.PasswordFile != "", c.PasswordEnv != "", c.PasswordAge != ""})
	if c.Database < 0 {
		o.fail("database", "must not be negative")
	}
	if c.TLS != nil {
		checkTLS(o, c)
	}
	checkOptions(o, &c.Options)
	o.positive("probe_timeout", c.ProbeTimeout)
	if c.ProbeTimeout > longestProbe {
		o.warn("probe_timeout", "is longer than 9.5s: with Prometheus' default scrape_timeout of 10s a scrape ends before it")
	}
	if at := c.CredentialsExpireAt; !at.IsZero() && at.Before(now) && c.Probed() {
		o.warn("credentials_expire_at", "is in the past")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		checkLabel(o, name)
	}
}

func checkLabel(o origin, name string) {
	switch key := "labels." + name; {
	case !validLabel.MatchString(name) || strings.HasPrefix(name, "__"):
		o.fail(key, "is no valid label name (letters, digits and _, neither a digit nor __ in front)")
	case slices.Contains(identityLabels, name):
		o.fail(key, "is a label that every connection has already; it cannot be set here")
	}
}

// checkServers wants exactly one of address, sentinel and cluster.
func checkServers(o origin, c *Connection) {
	ways := 0
	for _, given := range []bool{c.Address != "", c.Sentinel != nil, c.Cluster != nil} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		o.fail("address", "is missing; give one of address, sentinel and cluster")
	case ways > 1:
		o.fail("", "give only one of address, sentinel and cluster")
	}
	if c.Address != "" {
		if err := checkAddress(c.Address); err != nil {
			o.fail("address", "%v", err)
		}
	}
	if s := c.Sentinel; s != nil {
		if s.Master == "" {
			o.fail("sentinel.master", "is missing")
		}
		checkAddresses(o, "sentinel.addresses", s.Addresses)
		checkPasswordKeys(o, "sentinel.", []bool{!s.Password.IsZero(), s.PasswordFile != "", s.PasswordEnv != "", s.PasswordAge != ""})
	}
	if c.Cluster != nil {
		checkAddresses(o, "cluster.addresses", c.Cluster.Addresses)
		if c.Database != 0 {
			o.fail("database", "must be 0 in a cluster")
		}
	}
}

func checkAddresses(o origin, key string, list []string) {
	if len(list) == 0 {
		o.fail(key, "is missing")
	}
	for i, address := range list {
		err := checkAddress(address)
		switch at := slices.Index(list, address); {
		case err != nil:
			o.fail(indexed(key, i), "%v", err)
		case at < i:
			o.fail(indexed(key, i), "is the same as %s", indexed(key, at))
		case strings.HasPrefix(address, unixScheme):
			o.fail(indexed(key, i), "must be host:port here")
		}
	}
}

var passwordKeys = []string{"password", "password_file", "password_env", "password_age"}

func checkPasswordKeys(o origin, prefix string, given []bool) {
	first := ""
	for i, key := range passwordKeys {
		switch {
		case !given[i]:
		case first == "":
			first = key
		default:
			o.fail(prefix+key, "give only one of %s; %s is given too", strings.Join(passwordKeys, ", "), first)
		}
	}
}

func checkTLS(o origin, c *Connection) {
	t := c.TLS
	if o.oneOf("tls.min_version", t.MinVersion, tlsVersions) && t.MinVersion < "TLS12" {
		o.warn("tls.min_version", "%s is broken; use TLS12 or TLS13", t.MinVersion)
	}
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		o.fail("tls.cert_file", "needs key_file too")
	case t.KeyFile != "" && t.CertFile == "":
		o.fail("tls.key_file", "needs cert_file too")
	}
	if t.InsecureSkipVerify {
		o.warn("tls.insecure_skip_verify", "anybody on the way can read and change everything, the password too")
	}
	if strings.HasPrefix(c.Address, unixScheme) {
		o.warn("tls", "is given for a Unix socket")
	}
}

func checkOptions(o origin, p *ConnectionOptions) {
	o.positive("options.dial_timeout", p.DialTimeout)
	o.positive("options.read_timeout", p.ReadTimeout)
	o.positive("options.write_timeout", p.WriteTimeout)
	if p.PoolSize < 1 || p.PoolSize > maxPool {
		o.fail("options.pool_size", "must be from 1 to %d", maxPool)
	}
	if !validClient.MatchString(p.ClientName) {
		o.fail("options.client_name", "must be printable ASCII without spaces")
	}
}

func checkApplication(o origin, a *Application) {
	o.checkName("slug", a.Slug)
	if a.Color != "" && !validColor.MatchString(a.Color) {
		o.fail("color", "must be #rrggbb or #rgb, in quotes")
	}
	primary := ""
	seen := map[string]string{}
	for i, p := range a.Connections {
		key := indexed("connections", i)
		if first, twice := seen[p.Connection]; twice {
			o.fail(key+".connection", "%q is already in %s", p.Connection, first)
		}
		seen[p.Connection] = key
		switch {
		case !p.Primary:
		case primary == "":
			primary = key
		default:
			o.fail(key+".primary", "only one connection can be primary; %s is already", primary)
		}
	}
	if a.Cache != nil && a.Cache.Connection == "" {
		o.fail("cache.connection", "is missing")
	}
	if a.Horizon != nil && a.Horizon.Connection == "" {
		o.fail("horizon.connection", "is missing")
	}
}
