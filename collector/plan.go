package collector

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// plan is what a configuration means for the collector: which connections are
// probed and what is read from each. It is immutable.
type plan struct {
	config *configs.Config
	specs  []*spec // probed connections in the file's order
	byName map[string]int
	static []block // series that follow from the configuration alone
}

// spec is what is read from one connection.
type spec struct {
	connection *configs.Connection
	timeout    time.Duration
	labels     string // the connection's identity
	info       string // further labels of redis_connection_info

	queues   []*queueSpec
	patterns []*patternSpec
	pauses   []*queueSpec // queues whose pause flags live here; they may be read elsewhere
	horizons []*horizonSpec
}

// queueSpec is one queue series: an application's queue on a connection. More
// than one configuration may name it.
type queueSpec struct {
	target         queue.Target
	labels         string
	fixed          []sample // configuration as metrics
	environment    string
	region         string
	team           string
	configurations []string
	pattern        string // the pattern that found it; empty where it is named
	cache          *configs.KeySpace
	cachePrefixes  []string // what may stand in front of the cache's keys
	pause          *cell
}

// patternSpec finds queues by pattern and makes their specs.
type patternSpec struct {
	pattern queue.Pattern
	make    func(name string) *queueSpec
	made    map[string]*queueSpec // by name, so that what is found again keeps its pause flag; guarded by Collector.mu
}

// specs makes the specs of the queues that the pattern finds now, the same one
// for a queue that it had found before.
func (p *patternSpec) specs(names []string) []*queueSpec {
	list := make([]*queueSpec, len(names))
	made := make(map[string]*queueSpec, len(names))
	for i, name := range names {
		q := p.made[name]
		if q == nil {
			q = p.make(name)
		}
		list[i], made[name] = q, q
	}
	p.made = made
	return list
}

// with lists the queues that s names, and those found that it does not: for an
// instant of a reload, what was found may be of the configuration before.
func (s *spec) with(f *found) []*queueSpec {
	if f == nil {
		return s.queues
	}
	named := make(map[queueKey]bool, len(s.queues))
	for _, q := range s.queues {
		named[q.key()] = true
	}
	queues := slices.Clone(s.queues)
	for _, q := range f.queues {
		if !named[q.key()] {
			queues = append(queues, q)
		}
	}
	return queues
}

type horizonSpec struct {
	application string
	labels      string
	target      queue.HorizonTarget
}

type queueKey struct{ application, connection, queue string }

// newPlan cannot fail: configs.Load has checked everything.
func newPlan(cfg *configs.Config) *plan {
	p := &plan{config: cfg, byName: map[string]int{}}
	for i := range cfg.Connections {
		conn := &cfg.Connections[i]
		if !conn.Probed() {
			continue
		}
		p.byName[conn.Name] = len(p.specs)
		p.specs = append(p.specs, newSpec(cfg, conn))
	}
	seen := map[queueKey]*queueSpec{}
	for i := range cfg.Queues {
		if q := &cfg.Queues[i]; cfg.QueueWatched(q) {
			p.addQueues(q, seen)
		}
	}
	for i := range cfg.Applications {
		if app := &cfg.Applications[i]; app.InUse() {
			p.addApplication(app)
		}
	}
	return p
}

func (p *plan) spec(connection string) *spec {
	i, ok := p.byName[connection]
	if !ok {
		return nil
	}
	return p.specs[i]
}

func newSpec(cfg *configs.Config, conn *configs.Connection) *spec {
	timeout := conn.ProbeTimeout
	if timeout <= 0 {
		timeout = cfg.Global.ProbeTimeout
	}
	s := &spec{connection: conn, timeout: timeout.Std(), labels: connectionLabels(conn)}
	if s.timeout <= 0 {
		s.timeout = defaultProbeTimeout
	}
	var info strings.Builder
	info.WriteString(label("provider", conn.Provider))
	info.WriteString(label("mode", conn.Mode()))
	info.WriteString(label("address", conn.DisplayAddress()))
	info.WriteString(label("database", strconv.Itoa(conn.Database)))
	for _, name := range slices.Sorted(maps.Keys(conn.Labels)) {
		info.WriteString(label(name, conn.Labels[name]))
	}
	s.info = info.String()
	return s
}

// identity renders label pairs; those without a value are left out.
func identity(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(label(pairs[i], pairs[i+1]))
	}
	return strings.TrimPrefix(b.String(), ",")
}

func connectionLabels(conn *configs.Connection) string {
	return identity("connection", conn.Name, "environment", conn.Environment, "region", conn.Region, "team", conn.Team)
}

func (p *plan) addQueues(q *configs.Queue, seen map[queueKey]*queueSpec) {
	s := p.spec(q.Connection)
	app, _ := p.config.Application(q.Application)
	for _, name := range q.QueueNames {
		if configs.IsPattern(name) {
			s.patterns = append(s.patterns, newPatternSpec(q, app, s, name))
			continue
		}
		key := queueKey{q.Application, q.Connection, name}
		if spec := seen[key]; spec != nil {
			spec.configurations = append(spec.configurations, q.Name)
			continue
		}
		spec := newQueueSpec(q, app, s, name)
		seen[key] = spec
		s.queues = append(s.queues, spec)
		p.addPause(spec)
	}
}

func (p *plan) addPause(q *queueSpec) {
	if q.cache == nil {
		return
	}
	if s := p.spec(q.cache.Connection); s != nil {
		q.cachePrefixes = p.cachePrefixes(q, s)
		s.pauses = append(s.pauses, q)
	}
}

func (p *plan) cachePrefixes(q *queueSpec, cache *spec) []string {
	app, _ := p.config.Application(q.target.Application)
	return queue.LaravelCachePrefixes(prefixHints(app, cache.connection), app.Name, app.Slug, q.cache.Prefix)
}

func newQueueSpec(q *configs.Queue, app *configs.Application, s *spec, name string) *queueSpec {
	conn := s.connection
	spec := &queueSpec{
		target:      newTarget(q, app, conn, name),
		environment: conn.Environment, region: conn.Region, team: cmp.Or(app.Team, conn.Team),
		configurations: []string{q.Name},
		cache:          app.Cache,
		pause:          newCell(),
	}
	spec.labels = identity("application", app.Slug, "connection", conn.Name, "queue", name,
		"environment", spec.environment, "region", spec.region, "team", spec.team)
	var b block
	if q.MaxWait > 0 {
		b.add(famQueueWaitObjective, "", q.MaxWait.Seconds())
	}
	if q.Objective > 0 {
		b.add(famQueueWaitObjectiveRatio, "", q.Objective)
	}
	if q.RetryAfter > 0 {
		b.add(famQueueRetryAfter, "", q.RetryAfter.Seconds())
	}
	spec.fixed = b.samples
	return spec
}

func newTarget(q *configs.Queue, app *configs.Application, conn *configs.Connection, name string) queue.Target {
	t := queue.Target{
		Application: app.Slug, Connection: conn.Name, Queue: name, Framework: q.Framework,
		Prefix:  q.KeyPrefix,
		Cluster: conn.Cluster != nil,
	}
	if q.Worker != nil {
		t.QueueConnection = q.Worker.QueueConnection
	}
	if t.Prefix == nil {
		t.PrefixHints = prefixHints(app, conn)
	}
	return t
}

func prefixHints(app *configs.Application, conn *configs.Connection) []string {
	return queue.LaravelPrefixes(app.Name, app.Slug, conn.Options.KeyPrefix)
}

// pauseTarget says where on s the pause flag of q lies.
func (q *queueSpec) pauseTarget(s *spec) queue.PauseTarget {
	return queue.PauseTarget{
		Application: q.target.Application, Connection: q.target.Connection, Queue: q.target.Queue,
		QueueConnection: q.target.QueueConnection,
		Prefixes:        q.cachePrefixes,
		Cluster:         s.connection.Cluster != nil,
	}
}

func newPatternSpec(q *configs.Queue, app *configs.Application, s *spec, pattern string) *patternSpec {
	like := newTarget(q, app, s.connection, pattern)
	return &patternSpec{
		pattern: queue.Pattern{
			Application: app.Slug, Connection: s.connection.Name, Framework: q.Framework, Pattern: pattern,
			Prefix: like.Prefix, PrefixHints: like.PrefixHints, Cluster: like.Cluster,
			TTL: q.QueueTTL.Std(), Max: q.MaxDiscovered,
		},
		make: func(name string) *queueSpec {
			spec := newQueueSpec(q, app, s, name)
			spec.pattern = pattern
			return spec
		},
	}
}

func (p *plan) addApplication(app *configs.Application) {
	labels := identity("application", app.Slug)
	about := label("name", app.Name) + label("color", app.Color) + label("icon", app.Icon) + label("description", app.Description)
	b := block{labels: labels}
	b.add(famApplicationInfo, about, 1)
	for _, c := range app.Connections {
		if c.Active {
			b.add(famApplicationConnectionInfo, label("connection", c.Connection)+
				label("primary", strconv.FormatBool(c.Primary))+label("priority", strconv.Itoa(c.Priority)), 1)
		}
	}
	p.static = append(p.static, b)
	if app.Horizon == nil {
		return
	}
	s := p.spec(app.Horizon.Connection)
	if s == nil {
		return
	}
	s.horizons = append(s.horizons, &horizonSpec{
		application: app.Slug,
		labels: identity("application", app.Slug, "connection", s.connection.Name, "environment", s.connection.Environment,
			"region", s.connection.Region, "team", cmp.Or(app.Team, s.connection.Team)),
		target: queue.HorizonTarget{
			Application: app.Slug, Connection: s.connection.Name,
			Prefix: app.Horizon.Prefix, PrefixHints: queue.HorizonPrefixes(app.Name, app.Slug),
		},
	})
}

func (s *spec) queuePatterns() []queue.Pattern {
	patterns := make([]queue.Pattern, len(s.patterns))
	for i, p := range s.patterns {
		patterns[i] = p.pattern
	}
	return patterns
}
