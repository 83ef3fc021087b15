package supervisor

import (
	"cmp"
	"path"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// definition is what the configuration says of one pool. It is immutable.
type definition struct {
	key            string // what makes it the same pool after a reload
	name           string
	config         *configs.Config
	queue          *configs.Queue // the first, where a pool serves several configurations
	app            *configs.Application
	conn           *configs.Connection
	traits         traits
	known          bool     // the preset
	configurations []string // names of all configurations it serves
	names          []string // queue names, patterns included, in their order
	patterns       []queue.Pattern
	fixed          bool // no load can change the number of workers

	// Against the definition that was applied before.
	same        bool // nothing differs
	sameCommand bool // nothing differs that a worker's command could be made of
}

// traits are a preset's peculiarities.
type traits struct {
	onePerApplication bool
	pause, resume     syscall.Signal // 0 = a paused pool drains
	ready             syscall.Signal // caught once the worker can take a job; 0 = from the beginning
	memoryCode        int            // exit status of a worker whose memory is used up; 0 = none
	parser            func() parser  // nil = the output does not tell of jobs
}

// define lists the pools that run under a supervisor's name, in the
// configuration's order.
func define(cfg *configs.Config, name string, find func(preset string) (traits, bool)) []*definition {
	var all []*definition
	byKey := map[string]*definition{}
	for i := range cfg.Queues {
		q := &cfg.Queues[i]
		if q.Worker == nil || !cfg.QueueWatched(q) || !RunsHere(q, name) {
			continue
		}
		d := newDefinition(cfg, q, find)
		if first := byKey[d.key]; first != nil {
			first.configurations = append(first.configurations, q.Name)
			first.addNames(q.QueueNames)
			continue
		}
		byKey[d.key] = d
		all = append(all, d)
	}
	for _, d := range all {
		d.patterns = d.findPatterns()
		d.fixed = len(d.patterns) == 0 && d.least() == d.bounds().Max
	}
	return all
}

// RunsHere reports whether the supervisor of that name runs the workers of q,
// by the globs of hosts.
func RunsHere(q *configs.Queue, name string) bool {
	return slices.ContainsFunc(q.Hosts, func(glob string) bool {
		ok, err := path.Match(glob, name)
		return ok && err == nil
	})
}

func newDefinition(cfg *configs.Config, q *configs.Queue, find func(string) (traits, bool)) *definition {
	d := &definition{key: "queue " + q.Name, name: q.Name, config: cfg, queue: q, configurations: []string{q.Name}}
	d.app, _ = cfg.Application(q.Application) // they exist, or the queue would not be watched
	d.conn, _ = cfg.Connection(q.Connection)
	d.traits, d.known = find(q.Worker.Preset)
	d.traits = d.traits.withSignals(q.Worker.PauseSignal, q.Worker.ContinueSignal)
	if d.traits.onePerApplication {
		d.key = "application " + q.Worker.Preset + " " + q.Application
	}
	d.addNames(q.QueueNames)
	return d
}

func (d *definition) addNames(names []string) {
	for _, name := range names {
		if !slices.Contains(d.names, name) {
			d.names = append(d.names, name)
		}
	}
}

func (d *definition) balance() Balance {
	if d.traits.onePerApplication {
		return BalanceOff
	}
	return Balance(d.queue.Balance)
}

// bounds are the limits that hold for the pool.
func (d *definition) bounds() Bounds {
	q := d.queue
	if d.traits.onePerApplication {
		return Bounds{Min: 1, Max: 1, MaxSurge: 0, Shift: 1}
	}
	return Bounds{Min: q.MinProcesses, Max: q.MaxProcesses, MaxSurge: q.MaxSurge, Shift: q.BalanceMaxShift, Cooldown: q.BalanceCooldown.Std()}
}

// least is the minimum of the whole pool.
func (d *definition) least() int {
	b := d.bounds()
	n := 1
	if d.balance() != BalanceOff {
		n = 0
		for _, name := range d.names {
			if !configs.IsPattern(name) {
				n++
			}
		}
	}
	return min(b.Min*n, b.Max)
}

// part is what one sub-pool works.
type part struct {
	name       string
	queues     []string
	discovered bool
}

// parts lists the sub-pools, those of discovered queues last.
func (d *definition) parts(discovered []string) []part {
	if d.balance() == BalanceOff {
		return []part{{name: strings.Join(d.names, ","), queues: d.names}}
	}
	var parts []part
	for _, name := range d.names {
		if !configs.IsPattern(name) {
			parts = append(parts, part{name: name, queues: []string{name}})
		}
	}
	for _, name := range discovered {
		if !slices.Contains(d.names, name) {
			parts = append(parts, part{name: name, queues: []string{name}, discovered: true})
		}
	}
	return parts
}

// findPatterns lists the pattern of each name that is one.
func (d *definition) findPatterns() []queue.Pattern {
	var patterns []queue.Pattern
	for _, name := range d.names {
		if !configs.IsPattern(name) || d.balance() == BalanceOff {
			continue
		}
		t := d.target(name)
		patterns = append(patterns, queue.Pattern{
			Application: t.Application, Connection: t.Connection, Framework: t.Framework, Pattern: name,
			Prefix: t.Prefix, PrefixHints: t.PrefixHints, Cluster: t.Cluster,
			TTL: d.queue.QueueTTL.Std(), Max: d.queue.MaxDiscovered,
		})
	}
	return patterns
}

// target says how a queue is read.
func (d *definition) target(name string) queue.Target {
	t := queue.Target{
		Application: d.app.Slug, Connection: d.conn.Name, Queue: name, Framework: d.queue.Framework,
		Prefix: d.queue.KeyPrefix, QueueConnection: d.queue.Worker.QueueConnection, Cluster: d.conn.Cluster != nil,
	}
	if t.Prefix == nil {
		t.PrefixHints = queue.LaravelPrefixes(d.app.Name, d.app.Slug, d.conn.Options.KeyPrefix)
	}
	return t
}

func (d *definition) team() string { return cmp.Or(d.app.Team, d.conn.Team) }

// jobTimeout is how long a job may take, 0 = not known.
func (d *definition) jobTimeout() time.Duration { return d.queue.Timeout.Std() }

// compare notes what differs from the definition of the same pool that was
// applied before, nil = none. Files that a command refers to may have changed in
// any case, and a preset with one process per application may make its command
// of everything.
func (d *definition) compare(o *definition) {
	if o == nil || d.traits.onePerApplication || d.queue.Worker.EnvironmentFile != "" {
		return
	}
	d.sameCommand = d.known == o.known && slices.Equal(d.names, o.names) &&
		reflect.DeepEqual(withoutCounts(d.queue), withoutCounts(o.queue)) &&
		reflect.DeepEqual(d.app, o.app) && reflect.DeepEqual(d.conn, o.conn)
	d.same = d.sameCommand && reflect.DeepEqual(d.queue, o.queue)
}

// withoutCounts is q without what never makes a worker another one.
func withoutCounts(q *configs.Queue) configs.Queue {
	c := *q
	c.Hosts, c.QueueTTL, c.MaxDiscovered = nil, 0, 0
	c.Balance, c.ScalingRules, c.AutoScalingStrategy = "", "", ""
	c.MinProcesses, c.MaxProcesses, c.MaxSurge, c.BalanceMaxShift, c.BalanceCooldown = 0, 0, 0, 0, 0
	c.MaxWait, c.Objective = 0, 0
	return c
}
