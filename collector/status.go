package collector

import (
	"math"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// State is what a status page says of a connection.
type State string

// The states of a connection.
const (
	Up       State = "up"
	Down     State = "down"
	Hung     State = "hung"     // down: accepted the last probe and did not answer it in time
	Unknown  State = "unknown"  // not probed yet
	Inactive State = "inactive" // kept in the configuration, not probed
	Deleted  State = "deleted"  // soft-deleted, restorable
)

// ConnectionStatus is a connection with the outcome of its last probe.
type ConnectionStatus struct {
	Name         string     `json:"name"`
	Mode         string     `json:"mode"`
	Address      string     `json:"address"`
	Environment  string     `json:"environment,omitempty"`
	Region       string     `json:"region,omitempty"`
	Team         string     `json:"team,omitempty"`
	Provider     string     `json:"provider,omitempty"`
	Notes        string     `json:"notes,omitempty"`
	Active       bool       `json:"active"`
	State        State      `json:"state"`
	Reason       string     `json:"reason,omitempty"` // why down, out of the closed set
	Error        string     `json:"error,omitempty"`
	LastProbe    *time.Time `json:"last_probe,omitempty"`
	LastSuccess  *time.Time `json:"last_success,omitempty"`
	ProbeSeconds *float64   `json:"probe_seconds,omitempty"`
	PingSeconds  *float64   `json:"ping_seconds,omitempty"`
	RedisVersion string     `json:"redis_version,omitempty"`
	Role         string     `json:"role,omitempty"`
	Applications []string   `json:"applications,omitempty"`
	Queues       int        `json:"queues"`
}

// QueueStatus is a queue with what the last probe read of it. Figures that are
// not known are nil, and states that are not known have no entry in Jobs.
type QueueStatus struct {
	Application                string             `json:"application"`
	Connection                 string             `json:"connection"`
	Queue                      string             `json:"queue"`
	Environment                string             `json:"environment,omitempty"`
	Region                     string             `json:"region,omitempty"`
	Team                       string             `json:"team,omitempty"`
	Framework                  string             `json:"framework"`
	Configurations             []string           `json:"configurations"`
	Pattern                    string             `json:"pattern,omitempty"` // the pattern that found it
	ReadSuccess                *bool              `json:"read_success,omitempty"`
	Jobs                       map[string]float64 `json:"jobs,omitempty"`
	OldestAgeSeconds           *float64           `json:"oldest_job_age_seconds,omitempty"`
	OldestAgeLowerBoundSeconds *float64           `json:"oldest_job_age_lower_bound_seconds,omitempty"`
	DelayedOverdue             *float64           `json:"delayed_overdue_jobs,omitempty"`
	ReservedExpired            *float64           `json:"reserved_expired_jobs,omitempty"`
	WaitObjectiveSeconds       *float64           `json:"wait_objective_seconds,omitempty"`
	Paused                     *bool              `json:"paused,omitempty"`
	Error                      string             `json:"error,omitempty"`
	ReadAt                     *time.Time         `json:"read_at,omitempty"`
}

// ApplicationStatus is an application as configured.
type ApplicationStatus struct {
	Slug        string                        `json:"slug"`
	Name        string                        `json:"name,omitempty"`
	Description string                        `json:"description,omitempty"`
	Color       string                        `json:"color,omitempty"`
	Icon        string                        `json:"icon,omitempty"`
	Team        string                        `json:"team,omitempty"`
	Active      bool                          `json:"active"`
	Deleted     bool                          `json:"deleted,omitempty"`
	Connections []ApplicationConnectionStatus `json:"connections"`
	Queues      int                           `json:"queues"`
}

// ApplicationConnectionStatus is one connection of an application.
type ApplicationConnectionStatus struct {
	Connection string `json:"connection"`
	Primary    bool   `json:"primary"`
	Priority   int    `json:"priority"`
	Active     bool   `json:"active"`
}

// Connections lists every configured connection, those not probed included, in
// the order of the configuration.
func (c *Collector) Connections() []ConnectionStatus {
	f := c.current.Load()
	applications := applicationsByConnection(f.plan.config)
	list := make([]ConnectionStatus, 0, len(f.plan.config.Connections))
	for i := range f.plan.config.Connections {
		conn := &f.plan.config.Connections[i]
		s := newConnectionStatus(conn)
		s.Applications = applications[conn.Name]
		if p := f.probe(conn.Name); p != nil {
			p.describe(&s)
		}
		list = append(list, s)
	}
	return list
}

func applicationsByConnection(cfg *configs.Config) map[string][]string {
	byName := map[string][]string{}
	for i := range cfg.Applications {
		app := &cfg.Applications[i]
		for _, pivot := range app.Connections {
			byName[pivot.Connection] = append(byName[pivot.Connection], app.Slug)
		}
	}
	return byName
}

func newConnectionStatus(conn *configs.Connection) ConnectionStatus {
	s := ConnectionStatus{
		Name: conn.Name, Mode: conn.Mode(), Address: conn.DisplayAddress(), Environment: conn.Environment, Region: conn.Region,
		Team: conn.Team, Provider: conn.Provider, Notes: conn.Notes, Active: conn.Probed(), State: Unknown,
	}
	switch {
	case !conn.DeletedAt.IsZero():
		s.State = Deleted
	case !conn.Active:
		s.State = Inactive
	}
	return s
}

func (p *probe) describe(s *ConnectionStatus) {
	s.Queues = len(p.spec.Load().queues)
	if f := p.found.Load(); f != nil {
		s.Queues += len(f.queues)
	}
	s.LastSuccess = instant(p.tally.success())
	r := p.last.Load()
	if r == nil {
		return
	}
	s.LastProbe = instant(r.at)
	probe := r.duration.Seconds()
	s.ProbeSeconds = &probe
	s.RedisVersion, s.Role = r.version, r.role
	switch {
	case r.up:
		s.State = Up
		if r.ping > 0 {
			ping := r.ping.Seconds()
			s.PingSeconds = &ping
		}
	case r.hung():
		s.State = Hung
	default:
		s.State = Down
	}
	if !r.up {
		s.Reason, s.Error = string(r.reason), r.err.Error()
	}
}

// Queues lists every queue that is watched, found ones included, in the order
// of the configuration's connections.
func (c *Collector) Queues() []QueueStatus {
	f := c.current.Load()
	var list []QueueStatus
	for i, p := range f.probes {
		s := f.plan.specs[i]
		read := map[queueKey]*queueResult{}
		r := p.last.Load()
		if r != nil {
			for j := range r.queues {
				read[r.queues[j].spec.key()] = &r.queues[j]
			}
		}
		for _, q := range s.with(p.found.Load()) {
			list = append(list, q.status(read[q.key()], r, c.now()))
		}
	}
	return list
}

func (q *queueSpec) status(read *queueResult, r *result, now time.Time) QueueStatus {
	s := QueueStatus{
		Application: q.target.Application, Connection: q.target.Connection, Queue: q.target.Queue,
		Environment: q.environment, Region: q.region, Team: q.team, Framework: q.framework(),
		Configurations: q.configurations, Pattern: q.pattern,
	}
	for _, f := range q.fixed {
		if f.family == famQueueWaitObjective {
			s.WaitObjectiveSeconds = known(f.value)
		}
	}
	if read == nil {
		return s
	}
	reading := &read.reading
	if !r.up {
		s.Error = reading.Err.Error() // nothing was read: the connection is what failed
		return s
	}
	success := reading.Err == nil
	s.ReadSuccess, s.ReadAt = &success, instant(r.at)
	if !success {
		s.Error = reading.Err.Error()
		return s
	}
	s.Jobs = map[string]float64{}
	for state, n := range reading.Jobs {
		if !math.IsNaN(n) {
			s.Jobs[queue.State(state).String()] = n
		}
	}
	s.OldestAgeSeconds = known(reading.OldestAge)
	s.OldestAgeLowerBoundSeconds = known(reading.OldestAgeLowerBound)
	s.DelayedOverdue = known(reading.DelayedOverdue)
	s.ReservedExpired = known(reading.ReservedExpired)
	if paused := q.pause.get(now); q.cache != nil && !math.IsNaN(paused) {
		is := paused > 0
		s.Paused = &is
	}
	if reading.Partial != nil {
		s.Error = reading.Partial.Error()
	}
	return s
}

func (q *queueSpec) framework() string {
	if q.target.Framework == "" {
		return queue.DefaultFramework
	}
	return q.target.Framework
}

// Applications lists every configured application.
func (c *Collector) Applications() []ApplicationStatus {
	cfg := c.current.Load().plan.config
	queues := map[string]int{}
	for _, q := range c.Queues() {
		queues[q.Application]++
	}
	list := make([]ApplicationStatus, 0, len(cfg.Applications))
	for i := range cfg.Applications {
		app := &cfg.Applications[i]
		s := ApplicationStatus{
			Slug: app.Slug, Name: app.Name, Description: app.Description, Color: app.Color, Icon: app.Icon, Team: app.Team,
			Active: app.InUse(), Deleted: !app.DeletedAt.IsZero(), Queues: queues[app.Slug],
			Connections: []ApplicationConnectionStatus{},
		}
		for _, pivot := range app.Connections {
			s.Connections = append(s.Connections, ApplicationConnectionStatus(pivot))
		}
		list = append(list, s)
	}
	return list
}

// unanswered is the result of a probe that a scrape could not wait for any
// longer.
func (p *probe) unanswered(s *spec, now time.Time) *result {
	r := &result{spec: s, at: now, reason: connection.ReasonTimeout, err: errUnanswered, duration: s.timeout}
	b := block{labels: s.labels}
	b.add(famUp, "", 0)
	b.add(famConnectionInfo, s.info, 1)
	b.add(famProbeDuration, "", s.timeout.Seconds())
	p.tally.add(&b)
	b.add(famCredentialsExpiry, "", unixSeconds(s.connection.CredentialsExpireAt.Time))
	r.blocks = []block{b}
	for _, q := range s.with(p.found.Load()) {
		unread := queueResult{spec: q, reading: queue.Unreadable(errUnanswered)}
		r.blocks = append(r.blocks, unread.block())
	}
	return r
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
