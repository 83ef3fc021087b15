// Package redisexporter turns the ways in which redis_exporter is told what to
// look at into connections: its flags and environment, its password file, and
// the targets that Prometheus passes on to it.
package redisexporter

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// Input is where to look. All of it may be empty but one of Flags, Unit,
// EnvironmentFile, PasswordFile and Prometheus.
type Input struct {
	Flags           string // a command line, with or without the program
	Unit            string // a systemd unit
	EnvironmentFile string
	PasswordFile    string
	Prometheus      []string
	Known           []configs.Connection // of the configuration that they are for
}

// converter is the work of one Convert.
type converter struct {
	settings  settings
	passwords map[string]string
	unused    map[string]configs.Position // of the password file
	timeout   configs.Duration

	list     []configs.Connection
	taken    map[string]string   // names by address
	known    map[string]string   // addresses by name, of what the configuration has
	owners   map[string][]string // sorted names by address
	names    map[string]bool
	warnings []configs.Warning
}

// Convert returns the connections that in names, and warnings about what of it
// cannot be carried over. Passwords are in the connections' Password.
func Convert(in Input) ([]configs.Connection, []configs.Warning, error) {
	c := &converter{settings: settings{}, passwords: map[string]string{}, unused: map[string]configs.Position{}, taken: map[string]string{}, known: map[string]string{}, owners: map[string][]string{}, names: map[string]bool{}}
	for _, k := range in.Known {
		c.known[k.Name] = k.Address
		if k.Cluster != nil && len(k.Cluster.Addresses) > 0 {
			c.known[k.Name] = k.Cluster.Addresses[0]
		}
		c.known[k.Name] = identity(c.known[k.Name], k.Database)
	}
	for _, name := range slices.Sorted(maps.Keys(c.known)) {
		c.owners[c.known[name]] = append(c.owners[c.known[name]], name)
	}
	if err := c.readFlags(in); err != nil {
		return nil, nil, err
	}
	if file := cmp.Or(in.PasswordFile, c.settings.value("redis.password-file")); file != "" {
		if err := c.readPasswords(file); err != nil {
			return nil, nil, err
		}
	}
	c.readTimeout()
	if err := c.own(in); err != nil {
		return nil, nil, err
	}
	for _, file := range in.Prometheus {
		found, warnings, err := readTargets(file)
		if err != nil {
			return nil, nil, err
		}
		c.warnings = append(c.warnings, warnings...)
		for _, t := range found {
			if err := c.add(t.redis, t.labels, t.at); err != nil {
				return nil, nil, err
			}
		}
	}
	c.rest(len(in.Prometheus) > 0)
	return c.list, append(c.settings.warnings(), c.warnings...), nil
}

func (c *converter) warn(at configs.Position, format string, args ...any) {
	c.warnings = append(c.warnings, configs.Warning{Position: at, Text: fmt.Sprintf(format, args...)})
}

// readFlags reads the command line, the unit and the environment.
func (c *converter) readFlags(in Input) error {
	environment := map[string]setting{}
	read := func(words []string, at configs.Position) error {
		warnings, err := c.settings.read(words, at)
		c.warnings = append(c.warnings, warnings...)
		return err
	}
	if in.Unit != "" {
		words, at, fromUnit, err := readUnit(in.Unit)
		if err != nil {
			return err
		}
		if err := read(words, at); err != nil {
			return err
		}
		maps.Copy(environment, fromUnit)
	}
	if in.EnvironmentFile != "" {
		if err := readEnvironment(in.EnvironmentFile, environment); err != nil {
			return err
		}
	}
	if in.Flags != "" {
		at := configs.Position{File: "--flags"}
		words, err := splitWords(at, in.Flags)
		if err != nil {
			return err
		}
		if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
			words = words[1:]
		}
		if err := read(words, at); err != nil {
			return err
		}
	}
	c.settings.fill(environment)
	return nil
}

// readPasswords reads the JSON that maps addresses to passwords.
func (c *converter) readPasswords(file string) error {
	d, err := readDocument(file)
	if err != nil {
		return err
	}
	for key, value := range d.Value {
		password, ok := value.(string)
		at := d.At("")
		if !ok {
			return &configs.Error{Position: at, Text: "a password is not a text"}
		}
		c.passwords[key], c.unused[key] = password, at
	}
	return nil
}

// longestProbe is what fits into Prometheus' usual scrape timeout.
const longestProbe = 9 * time.Second

func (c *converter) readTimeout() {
	given, ok := c.settings["connection-timeout"]
	if !ok {
		return
	}
	switch d, err := time.ParseDuration(given.value); {
	case err != nil || d <= 0:
		c.warn(given.at, "--connection-timeout is no duration and is left out")
	case d > longestProbe:
		c.warn(given.at, "--connection-timeout: %s does not fit into a scrape; probe_timeout keeps its default", d)
	default:
		c.timeout = configs.Duration(d)
	}
}

// own adds what --redis.addr names, or where nothing else says which servers
// there are, the one that redis_exporter takes then.
func (c *converter) own(in Input) error {
	given, ok := c.settings["redis.addr"]
	if !ok {
		if len(in.Prometheus)+len(c.passwords) > 0 {
			return nil
		}
		given.value, given.at = "redis://localhost:6379", configs.Position{File: cmp.Or(in.Unit, in.EnvironmentFile, "--flags")}
		c.warn(given.at, "--redis.addr is not given, so that it looks at localhost:6379")
	}
	for one := range strings.SplitSeq(given.value, ",") {
		if one = strings.TrimSpace(one); one != "" {
			if err := c.add(one, nil, given.at); err != nil {
				return err
			}
		}
	}
	return nil
}

// rest deals with passwords that nothing has asked for: without a Prometheus
// configuration they are all that says which servers there are.
func (c *converter) rest(known bool) {
	for _, key := range slices.Sorted(maps.Keys(c.unused)) {
		if !known {
			if err := c.add(key, nil, c.unused[key]); err == nil {
				continue
			}
		}
		c.warn(c.unused[key], "the password of an address that is no target is left out (%s)", withoutPassword(key))
	}
}

// withoutPassword shows an address that may have one in it.
func withoutPassword(text string) string {
	if a, err := parseAddress(text); err == nil {
		return a.text
	}
	return "not an address"
}

// add makes a connection of an address.
func (c *converter) add(given string, labels map[string]string, at configs.Position) error {
	a, err := parseAddress(given)
	if err != nil {
		return &configs.Error{Position: at, Text: err.Error()}
	}
	id := identity(a.text, a.database)
	if first, known := c.taken[id]; known {
		c.warn(at, "%s is there already, as %s", a.text, first)
		return nil
	}
	conn := configs.NewConnection(c.name(a, labels["instance"]))
	c.taken[id], c.names[conn.Name] = conn.Name, true
	conn.Username, conn.Database, conn.ProbeTimeout = cmp.Or(a.user, c.settings.value("redis.user")), a.database, c.timeout
	if c.settings.on("is-cluster") {
		conn.Cluster = &configs.Cluster{Addresses: []string{a.text}}
	} else {
		conn.Address = a.text
	}
	conn.Password = configs.NewSecret(c.password(a, given))
	if a.tls {
		conn.TLS = c.tls()
	}
	c.label(&conn, labels, at)
	c.list = append(c.list, conn)
	return nil
}

// password finds the password as redis_exporter does: that of the address,
// that of the password file, that for all.
func (c *converter) password(a address, given string) string {
	for _, key := range a.passwordKeys(given) {
		if password, known := c.passwords[key]; known {
			delete(c.unused, key)
			return cmp.Or(a.password, password)
		}
	}
	return cmp.Or(a.password, c.settings.value("redis.password"))
}

func (c *converter) tls() *configs.TLS {
	return &configs.TLS{
		CAFile: c.settings.value("tls-ca-cert-file"), CertFile: c.settings.value("tls-client-cert-file"), KeyFile: c.settings.value("tls-client-key-file"),
		ServerName: c.settings.value("tls-server-name"), InsecureSkipVerify: c.settings.on("skip-tls-verification"), MinVersion: "TLS12",
	}
}

// identity tells servers apart, and their databases.
func identity(address string, database int) string { return fmt.Sprintf("%s/%d", address, database) }

const maxNameLen = 64

var (
	notInName = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)
	labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	reserved  = []string{"connection", "mode", "address", "database"}
	ownPlaces = map[string]string{"env": "environment", "environment": "environment", "stage": "environment", "region": "region", "team": "team", "owner": "team", "provider": "provider", "cloud": "provider"}
)

// name makes a name of the instance or the host, and tells apart what is on
// the same one. A server that the configuration has keeps its name; one that it
// lacks does not take the name of another.
func (c *converter) name(a address, instance string) string {
	clean := func(s string) string {
		s = strings.Trim(notInName.ReplaceAllString(s, "-"), "-_.")
		return s[:min(len(s), maxNameLen)]
	}
	if own, err := parseAddress(instance); instance != "" && (err != nil || own.text != a.text) {
		if name := clean(instance); name != "" && !c.names[name] {
			return name
		}
	}
	id := identity(a.text, a.database)
	for _, name := range c.owners[id] {
		if !c.names[name] {
			return name
		}
	}
	free := func(name string) bool {
		_, known := c.known[name]
		return name != "" && !c.names[name] && !known
	}
	tries := []string{clean(a.host), clean(a.text), clean(fmt.Sprintf("%s-%d", a.text, a.database))}
	for _, name := range tries {
		if free(name) {
			return name
		}
	}
	for n := 2; ; n++ {
		if name := fmt.Sprintf("%s-%d", cmp.Or(tries[0], "redis"), n); free(name) {
			return name
		}
	}
}

// label puts labels where the configuration has a place of its own for them.
func (c *converter) label(conn *configs.Connection, labels map[string]string, at configs.Position) {
	places := map[string]*string{"environment": &conn.Environment, "region": &conn.Region, "team": &conn.Team, "provider": &conn.Provider}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		place := places[ownPlaces[name]]
		switch {
		case name == "instance":
		case place != nil && *place == "":
			*place = value
		case place != nil && *place == value:
		case slices.Contains(reserved, name) || !labelName.MatchString(name):
			c.warn(at, "the label %.64s is left out: series have one of that name already", name)
		default:
			if conn.Labels == nil {
				conn.Labels = map[string]string{}
			}
			conn.Labels[name] = value
		}
	}
}
