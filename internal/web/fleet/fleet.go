package fleet

import (
	"context"
	"embed"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/internal/web"
)

//go:embed templates/*.html
var templates embed.FS

// Fleet is what the pages are about. *collector.Collector is one.
type Fleet interface {
	Scrape(ctx context.Context, names []string) (io.WriterTo, error)
	Connections() []collector.ConnectionStatus
	Queues() []collector.QueueStatus
	Applications() []collector.ApplicationStatus
	Test(ctx context.Context, name string) (collector.TestResult, error)
}

// maxTests is how many connections may be tested at the same time.
const maxTests = 4

type handlers struct {
	site     *web.Site
	fleet    Fleet
	external *url.URL // nil: as the client says
	tests    chan struct{}
}

// Register adds the exporter's routes to a site. external is how Prometheus
// reaches the exporter; nil means as it does already.
func Register(site *web.Site, fleet Fleet, external *url.URL) {
	h := &handlers{site: site, fleet: fleet, external: external, tests: make(chan struct{}, maxTests)}

	site.AddLink(web.Link{Path: "sd", Text: "Service discovery", Help: "one target per connection, to shard a fleet"})
	site.AddLink(web.Link{Path: "queues", Text: "Queues", Nav: true, Help: "depth and age of every queue"})
	site.AddLink(web.Link{Path: "connections", Text: "Connections", Nav: true, Help: "state of every connection"})
	site.AddPage("connections", templates, "templates/connections.html")
	site.AddPage("queues", templates, "templates/queues.html")
	site.AddPage("unknown", templates, "templates/unknown.html")
	site.SetFacts(h.facts)

	get := func(pattern string, handler http.HandlerFunc) {
		site.Handle(pattern, web.Methods{http.MethodGet: handler})
	}
	get("/probe", h.probe)
	get("/sd", h.discovery)
	get("/connections", h.connectionsPage)
	get("/queues", h.queuesPage)
	get("/api/v1/connections", h.apiConnections)
	get("/api/v1/connections/{name}", h.apiConnection)
	get("/api/v1/queues", h.apiQueues)
	get("/api/v1/applications", h.apiApplications)
	site.Handle("/api/v1/connections/{name}/test", web.Methods{http.MethodPost: h.test()})
}

// facts are what the landing page says of the fleet.
func (h *handlers) facts() []web.Fact {
	connections, queues := h.fleet.Connections(), h.fleet.Queues()
	byState := map[string]int{}
	for i := range connections {
		byState[string(connections[i].State)]++
	}
	facts := []web.Fact{{Name: "Connections", Value: strconv.Itoa(len(connections)), Href: "connections"}}
	for _, s := range states {
		facts[0].Parts = append(facts[0].Parts, part("connections", string(s.state), s.badge, byState)...)
	}
	clear(byState)
	for i := range queues {
		byState[string(stateOf(&queues[i]))]++
	}
	facts = append(facts, web.Fact{Name: "Queues", Value: strconv.Itoa(len(queues)), Href: "queues"})
	for _, s := range queueStates {
		facts[1].Parts = append(facts[1].Parts, part("queues", string(s.state), s.badge, byState)...)
	}
	return append(facts, web.Fact{Name: "Applications", Value: strconv.Itoa(len(h.fleet.Applications())), Href: "api/v1/applications"})
}

// part is a state with its count, nothing where there is nothing to count.
func part(page, state, badge string, counts map[string]int) []web.Part {
	if counts[state] == 0 {
		return nil
	}
	return []web.Part{{Text: strconv.Itoa(counts[state]) + " " + state, Href: page + "?state=" + state, Badge: badge}}
}

// errUnknown says that there is no connection of a name. The name is quoted,
// so that nothing in it reads as our own words.
func errUnknown(name string) error {
	return fmt.Errorf("there is no connection %q in the configuration", name)
}
