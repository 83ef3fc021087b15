package laravel

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// Clients of Redis that Laravel can use.
const (
	PhpRedis = "phpredis"
	Predis   = "predis"
)

// Options are what the configuration does not say.
type Options struct {
	Environment string // of the connections to take; "" = the only one that they have
	Client      string // PhpRedis or Predis; "" = PhpRedis
}

// Plan is what an application is to be told.
type Plan struct {
	Environment string
	// Warnings are what the files cannot say, or say otherwise than the
	// configuration.
	Warnings []string

	cfg         *configs.Config
	app         *configs.Application
	options     Options
	primary     string
	connections []*connection // in their order
	byName      map[string]*connection
	queues      []*queue
	queueNames  map[string][]*queue // by their names in queue.connections
	errs        []error
}

// connection is one of the application's connections.
type connection struct {
	config    *configs.Connection
	redis     string  // in database.redis
	prefix    *string // of its keys; nil = the application's own
	cacheOnly bool    // only the cache is there
	queues    []*queue
}

// queue is a queue configuration that the application works.
type queue struct {
	config     *configs.Queue
	connection *connection
	name       string   // in queue.connections
	names      []string // of the queues, patterns left out
}

// New makes the Plan of an application. The error joins all that is wrong.
func New(cfg *configs.Config, slug string, o Options) (*Plan, error) {
	app, ok := cfg.Application(slug)
	if !ok {
		return nil, fmt.Errorf("there is no application %q", slug)
	}
	if !app.InUse() {
		return nil, fmt.Errorf("application %s is inactive or deleted", slug)
	}
	o.Client = cmp.Or(o.Client, PhpRedis)
	p := &Plan{cfg: cfg, app: app, options: o, byName: map[string]*connection{}, queueNames: map[string][]*queue{}}
	for _, step := range []func(){p.choose, p.chooseEnvironment, p.choosePrimary, p.nameConnections, p.collectQueues, p.checkVariables, p.checkServers, p.checkHorizon} {
		if step(); len(p.errs) > 0 {
			return nil, errors.Join(p.errs...)
		}
	}
	return p, nil
}

func (p *Plan) fail(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("application "+p.app.Slug+": "+format, args...))
}

func (p *Plan) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}

// choose lists the connections in their order: those that the application
// lists, by priority, then those of its queues, of its cache and of Horizon.
func (p *Plan) choose() {
	pivots := slices.Clone(p.app.Connections)
	slices.SortStableFunc(pivots, func(a, b configs.ApplicationConnection) int { return cmp.Compare(a.Priority, b.Priority) })
	for _, pivot := range pivots {
		if pivot.Active {
			p.add(pivot.Connection, "")
		}
	}
	for i := range p.cfg.Queues {
		if q := &p.cfg.Queues[i]; p.works(q) {
			p.add(q.Connection, "")
		}
	}
	if h := p.app.Horizon; h != nil && !p.add(h.Connection, "") {
		p.fail("horizon.connection %s is inactive or deleted", h.Connection)
	}
	if c := p.app.Cache; c != nil && !p.add(c.Connection, cacheRedis) {
		p.fail("cache.connection %s is inactive or deleted", c.Connection)
	}
	if len(p.connections) == 0 {
		p.fail("it has no active connection")
	}
}

// add adds a connection once. It reports whether the connection is in force.
func (p *Plan) add(name, use string) bool {
	c, ok := p.cfg.Connection(name)
	if !ok || !c.Probed() {
		return false
	}
	if p.find(name) == nil {
		p.byName[name] = &connection{config: c, cacheOnly: use == cacheRedis}
		p.connections = append(p.connections, p.byName[name])
	}
	return true
}

func (p *Plan) find(name string) *connection { return p.byName[name] }

// works reports whether q is in force and the application's to work by Laravel.
func (p *Plan) works(q *configs.Queue) bool {
	return q.Application == p.app.Slug && q.Framework == "laravel" && p.cfg.QueueWatched(q)
}

// chooseEnvironment leaves out what belongs to another environment. Files for
// two environments at once would send the one to the Redis of the other.
func (p *Plan) chooseEnvironment() {
	byName := map[string][]string{}
	var names []string
	for _, c := range p.connections {
		name := c.config.Environment
		if byName[name] == nil && name != "" {
			names = append(names, name)
		}
		byName[name] = append(byName[name], c.config.Name)
	}
	if p.Environment = p.options.Environment; p.Environment == "" {
		if len(names) > 1 {
			var parts []string
			for _, name := range names {
				parts = append(parts, fmt.Sprintf("%s (%s)", name, strings.Join(byName[name], ", ")))
			}
			p.fail("its connections belong to several environments: %s; choose one by --environment", strings.Join(parts, "; "))
			return
		}
		p.Environment = "production"
		if len(names) == 1 {
			p.Environment = names[0]
		}
		return
	}
	if byName[p.Environment] == nil && byName[""] == nil {
		p.fail("none of its connections belongs to the environment %q; there are: %s", p.Environment, strings.Join(names, ", "))
		return
	}
	p.connections = slices.DeleteFunc(p.connections, func(c *connection) bool {
		other := c.config.Environment != "" && c.config.Environment != p.Environment
		if other {
			delete(p.byName, c.config.Name)
		}
		return other
	})
	if h := p.app.Horizon; h != nil && p.find(h.Connection) == nil {
		p.fail("horizon.connection %s does not belong to the environment %q", h.Connection, p.Environment)
	}
}

// choosePrimary finds the connection that becomes Laravel's default.
func (p *Plan) choosePrimary() {
	var candidates []string
	for _, c := range p.connections {
		if !c.cacheOnly {
			candidates = append(candidates, c.config.Name)
		}
	}
	for _, pivot := range p.app.Connections {
		if !pivot.Primary {
			continue
		}
		if slices.Contains(candidates, pivot.Connection) {
			p.primary = pivot.Connection
			return
		}
		if c, ok := p.cfg.Connection(pivot.Connection); ok && c.Probed() && pivot.Active {
			break // of another environment: this one needs its own
		}
		p.fail("its primary connection %s is inactive or deleted: make another one primary", pivot.Connection)
		return
	}
	switch len(candidates) {
	case 0:
		p.primary = p.connections[0].config.Name // the cache's is all that there is
		p.connections[0].cacheOnly = false
	case 1:
		p.primary = candidates[0]
	default:
		p.fail("none of its connections (%s) is primary: which one is Laravel's default? Set primary: true at one of applications.connections", strings.Join(candidates, ", "))
	}
}

// checkVariables refuses two passwords under one name.
func (p *Plan) checkVariables() {
	taken := map[string]string{}
	for _, v := range p.Variables() {
		if other, ok := taken[v.Name]; ok {
			p.fail("the passwords of %s and %s would both be the variable %s: rename one of the connections", other, v.Connection, v.Name)
		}
		taken[v.Name] = v.Connection
	}
}

// Variable is an environment variable that the files refer to.
type Variable struct {
	Name       string
	Connection string
	Value      configs.Secret // the variable's text, of which Laravel's env() makes the password
}

// Variables lists the environment variables that the application needs.
func (p *Plan) Variables() []Variable {
	var all []Variable
	for _, c := range p.connections {
		if v := c.config; !v.Password.IsZero() {
			all = append(all, Variable{variableName(v.Name, "PASSWORD"), v.Name, variableText(v.Password)})
		}
		if s := c.config.Sentinel; s != nil && !s.Password.IsZero() {
			all = append(all, Variable{variableName(c.config.Name, "SENTINEL_PASSWORD"), c.config.Name, variableText(s.Password)})
		}
	}
	return all
}

// Name is a connection with the names that it has in the application.
type Name struct {
	Connection       string   `json:"connection"`
	Redis            string   `json:"redis"`             // in database.redis, or in its clusters
	QueueConnections []string `json:"queue_connections"` // in queue.connections
	Configurations   []string `json:"queues"`            // queue configurations
}

// Names lists the connections in the order of the files.
func (p *Plan) Names() []Name {
	var names []Name
	for _, c := range p.connections {
		n := Name{Connection: c.config.Name, Redis: c.redis, QueueConnections: []string{}, Configurations: []string{}}
		for _, q := range c.queues {
			n.Configurations = append(n.Configurations, q.config.Name)
			if !slices.Contains(n.QueueConnections, q.name) {
				n.QueueConnections = append(n.QueueConnections, q.name)
			}
		}
		names = append(names, n)
	}
	return names
}
