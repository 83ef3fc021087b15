package configs

import "time"

// Fragment is one included file as it stands in force.
type Fragment struct {
	File string
	OK   bool  // false: the last good version is in force, or none at all
	Err  error // why not
}

// Warning is something that works but probably not as meant.
type Warning struct {
	Position Position
	Text     string
}

// Position is where in which file something stands.
type Position struct {
	File string
	Line int
	Path string // key path, e.g. connections[2].tls.ca_file
}

type meta struct {
	hash         string
	loadedAt     time.Time
	files        []string
	fragments    []Fragment
	warnings     []Warning
	secrets      []string
	connections  map[string]int
	applications map[string]int
}

// Hash is a hex digest over the effective configuration, secrets excluded.
func (c *Config) Hash() string { return c.meta.hash }

// Files lists every file that was read: the main file, fragments, password
// files, certificates, identities. A change in any of them is a reason to reload.
func (c *Config) Files() []string { return c.meta.files }

// Fragments lists the included files, sorted by name.
func (c *Config) Fragments() []Fragment { return c.meta.fragments }

// Warnings lists what deserves a second look.
func (c *Config) Warnings() []Warning { return c.meta.warnings }

// Connection finds a connection by name.
func (c *Config) Connection(name string) (*Connection, bool) {
	i, ok := c.meta.connections[name]
	if !ok {
		return nil, false
	}
	return &c.Connections[i], true
}

// Application finds an application by slug.
func (c *Config) Application(slug string) (*Application, bool) {
	i, ok := c.meta.applications[slug]
	if !ok {
		return nil, false
	}
	return &c.Applications[i], true
}

// Probed reports whether the connection is probed: active and not deleted.
func (c *Connection) Probed() bool { return c.Active && c.DeletedAt.IsZero() }

// InUse reports whether the application is active and not deleted.
func (a *Application) InUse() bool { return a.Active && a.DeletedAt.IsZero() }

// QueueWatched reports whether the queues of q are probed: q, its application,
// the pivot between them (where the application lists one) and its connection
// are all active.
func (c *Config) QueueWatched(q *Queue) bool {
	if !q.Active || !q.DeletedAt.IsZero() {
		return false
	}
	conn, ok := c.Connection(q.Connection)
	if !ok || !conn.Probed() {
		return false
	}
	app, ok := c.Application(q.Application)
	if !ok || !app.InUse() {
		return false
	}
	for _, p := range app.Connections {
		if p.Connection == q.Connection {
			return p.Active
		}
	}
	return true
}
