package fleet

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/web"
)

// connections returns those that match. What libraries wrote, and what people
// wrote, is masked.
func (h *handlers) connections(keep func(subject) bool) []collector.ConnectionStatus {
	all := h.fleet.Connections()
	kept := make([]collector.ConnectionStatus, 0, len(all))
	for i := range all {
		c := &all[i]
		// Before anything is searched: a search that finds what it does not
		// show would tell a secret letter by letter.
		c.Error, c.Notes = h.site.Mask(c.Error), h.site.Mask(c.Notes)
		if keep(connectionSubject(c)) {
			kept = append(kept, *c)
		}
	}
	return kept
}

func connectionSubject(c *collector.ConnectionStatus) subject {
	return subject{
		applications: c.Applications, connection: c.Name, environment: c.Environment, region: c.Region, team: c.Team,
		state: string(c.State), text: []string{c.Address, c.Mode, c.Provider, c.Reason, c.Error, c.Role, c.RedisVersion, c.Notes},
	}
}

// queueInfo is a queue with its state in a word.
type queueInfo struct {
	collector.QueueStatus
	State queueState `json:"state"`
}

func (h *handlers) queues(keep func(subject) bool) []queueInfo {
	all := h.fleet.Queues()
	kept := make([]queueInfo, 0, len(all))
	for i := range all {
		q := queueInfo{all[i], stateOf(&all[i])}
		q.Error = h.site.Mask(q.Error)
		if keep(queueSubject(&q)) {
			kept = append(kept, q)
		}
	}
	return kept
}

func queueSubject(q *queueInfo) subject {
	return subject{
		applications: []string{q.Application}, connection: q.Connection, environment: q.Environment, region: q.Region, team: q.Team,
		state: string(q.State), text: slices.Concat([]string{q.Queue, q.Framework, q.Pattern, q.Error}, q.Configurations),
	}
}

// The parameters that the lists take.
func connectionQuery() query {
	q := query{keys: []string{keyApplication, keyConnection, keyEnvironment, keyRegion, keyTeam, keyState}}
	for _, s := range states {
		q.states = append(q.states, string(s.state))
	}
	return q
}

func queueQuery() query {
	q := query{keys: []string{keyApplication, keyConnection, keyEnvironment, keyRegion, keyTeam, keyState}}
	for _, s := range queueStates {
		q.states = append(q.states, string(s.state))
	}
	return q
}

func (h *handlers) apiConnections(w http.ResponseWriter, r *http.Request) {
	f, err := connectionQuery().parse(r.URL.Query())
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	h.site.Data(w, r, h.connections(f.matches))
}

func (h *handlers) apiQueues(w http.ResponseWriter, r *http.Request) {
	f, err := queueQuery().parse(r.URL.Query())
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	h.site.Data(w, r, h.queues(f.matches))
}

func (h *handlers) apiApplications(w http.ResponseWriter, r *http.Request) {
	q := query{keys: []string{keyApplication, keyTeam, keyState}, states: []string{"active", "inactive", "deleted"}}
	f, err := q.parse(r.URL.Query())
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	kept := []collector.ApplicationStatus{}
	for _, app := range h.fleet.Applications() {
		state := "inactive"
		switch {
		case app.Deleted:
			state = "deleted"
		case app.Active:
			state = "active"
		}
		app.Description = h.site.Mask(app.Description)
		if f.matches(subject{
			applications: []string{app.Slug}, team: app.Team, state: state, text: []string{app.Name, app.Description},
		}) {
			kept = append(kept, app)
		}
	}
	h.site.Data(w, r, kept)
}

// connectionInfo is a connection with what the configuration says of it,
// credentials left out.
type connectionInfo struct {
	collector.ConnectionStatus
	Database            int               `json:"database"`
	TLS                 bool              `json:"tls"`
	ProbeTimeoutSeconds float64           `json:"probe_timeout_seconds"`
	CredentialsExpireAt *time.Time        `json:"credentials_expire_at,omitempty"`
	DeletedAt           *time.Time        `json:"deleted_at,omitempty"`
	Labels              map[string]string `json:"labels,omitempty"`
}

func (h *handlers) apiConnection(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	cfg := h.site.Config()
	if cfg == nil {
		h.site.Error(w, r, http.StatusServiceUnavailable, "there is no configuration yet")
		return
	}
	conn, ok := cfg.Connection(name)
	found := h.connections(func(s subject) bool { return s.connection == name })
	if !ok || len(found) == 0 {
		h.site.Error(w, r, http.StatusNotFound, errUnknown(name).Error())
		return
	}
	h.site.Data(w, r, connectionInfo{
		ConnectionStatus:    found[0],
		Database:            conn.Database,
		TLS:                 conn.TLS != nil,
		ProbeTimeoutSeconds: conn.ProbeTimeout.Seconds(),
		CredentialsExpireAt: instant(conn.CredentialsExpireAt),
		DeletedAt:           instant(conn.DeletedAt),
		Labels:              conn.Labels,
	})
}

func instant(t configs.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t.Time
}

// testTimeout bounds a test of a connection, whatever its own timeouts are.
const testTimeout = 30 * time.Second

// test connects to a connection anew and tells what happened.
func (h *handlers) test() http.HandlerFunc {
	return h.site.Write(web.Write{
		Action: "test connection",
		Role:   web.RoleOperator,
		Target: func(r *http.Request) string { return r.PathValue("name") },
		Scope:  h.connectionScope,
		Do: func(w http.ResponseWriter, r *http.Request) error {
			select {
			case h.tests <- struct{}{}:
				defer func() { <-h.tests }()
			default:
				h.site.Error(w, r, http.StatusTooManyRequests, "too many tests are under way")
				return errors.New("too many tests are under way")
			}
			ctx, cancel := context.WithTimeout(r.Context(), testTimeout)
			defer cancel()
			result, err := h.fleet.Test(ctx, r.PathValue("name"))
			if err != nil {
				h.site.Error(w, r, http.StatusNotFound, err.Error())
				return err
			}
			result.Error = h.site.Mask(result.Error)
			h.site.Data(w, r, result)
			if !result.OK {
				return errors.New(result.Reason + ": " + result.Error)
			}
			return nil
		},
	})
}

// connectionScope names the applications that a connection belongs to: those
// that list it and those with queues on it.
func (h *handlers) connectionScope(name string) (web.Scope, error) {
	cfg := h.site.Config()
	if cfg == nil {
		return web.Scope{}, errUnknown(name)
	}
	if _, ok := cfg.Connection(name); !ok {
		return web.Scope{}, errUnknown(name)
	}
	var slugs []string
	for i := range cfg.Applications {
		for _, pivot := range cfg.Applications[i].Connections {
			if pivot.Connection == name {
				slugs = append(slugs, cfg.Applications[i].Slug)
			}
		}
	}
	for i := range cfg.Queues {
		if cfg.Queues[i].Connection == name {
			slugs = append(slugs, cfg.Queues[i].Application)
		}
	}
	slices.Sort(slugs)
	return web.Scope{Applications: slices.Compact(slugs)}, nil
}
