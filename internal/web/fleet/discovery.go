package fleet

import (
	"net/http"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// targetGroup is a group of Prometheus' HTTP service discovery.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

const metaPrefix = "__meta_queuefleet_"

// discovery lists one target per probed connection: this exporter's /probe
// with the connection as its parameter. Prometheus servers share a fleet by
// taking the hash of that parameter.
func (h *handlers) discovery(w http.ResponseWriter, r *http.Request) {
	groups := []targetGroup{}
	cfg := h.site.Config()
	if cfg == nil {
		// An empty list would make Prometheus forget every target.
		h.site.Error(w, r, http.StatusServiceUnavailable, "there is no configuration yet")
		return
	}
	host, scheme, path := h.origin(r)
	for i := range cfg.Connections {
		conn := &cfg.Connections[i]
		if !conn.Probed() {
			continue
		}
		labels := metaLabels(conn)
		labels["__param_connection"] = conn.Name
		labels["__metrics_path__"] = path + "/probe"
		labels["__scheme__"] = scheme
		groups = append(groups, targetGroup{Targets: []string{host}, Labels: labels})
	}
	h.site.JSON(w, r, http.StatusOK, groups)
}

// origin is where Prometheus reaches this exporter: as --web.external-url says,
// else where the request went.
func (h *handlers) origin(r *http.Request) (host, scheme, path string) {
	if h.external != nil {
		return h.external.Host, h.external.Scheme, strings.TrimSuffix(h.external.Path, "/")
	}
	if r.TLS != nil {
		return r.Host, "https", ""
	}
	return r.Host, "http", ""
}

// metaLabels are for relabelling. Prometheus drops them afterwards.
func metaLabels(conn *configs.Connection) map[string]string {
	labels := map[string]string{}
	for name, value := range map[string]string{
		"connection": conn.Name, "mode": conn.Mode(), "environment": conn.Environment,
		"region": conn.Region, "team": conn.Team, "provider": conn.Provider,
	} {
		if value != "" {
			labels[metaPrefix+name] = value
		}
	}
	for name, value := range conn.Labels {
		labels[metaPrefix+"label_"+name] = value
	}
	return labels
}
