// Package workers is the supervisor's pages and API: pools, their workers, what
// was decided about them, and orders to them.
package workers

import (
	"context"
	"embed"
	"net/http"
	"strconv"

	"github.com/queuefleet/queuefleet/internal/web"
	"github.com/queuefleet/queuefleet/supervisor"
)

//go:embed templates/*.html
var templates embed.FS

// Supervisor is what the pages are about. *supervisor.Supervisor is one.
type Supervisor interface {
	State() *supervisor.State
	Control(ctx context.Context, c supervisor.Command) (supervisor.Result, error)
}

type handlers struct {
	site       *web.Site
	supervisor Supervisor
}

// Register adds the supervisor's routes to a site.
func Register(site *web.Site, s Supervisor) {
	h := &handlers{site: site, supervisor: s}

	site.AddLink(web.Link{Path: "api/v1/events", Text: "Events", Help: "what happened to workers, newest last"})
	site.AddLink(web.Link{Path: "workers", Text: "Workers", Nav: true, Help: "every pool with its workers, and why it has so many"})
	site.AddPage("workers", templates, "templates/workers.html")
	site.SetFacts(h.facts)

	get := func(pattern string, handler http.HandlerFunc) {
		site.Handle(pattern, web.Methods{http.MethodGet: handler})
	}
	get("/workers", h.page)
	get("/api/v1/pools", h.apiPools)
	get("/api/v1/pools/{pool}", h.apiPool)
	get("/api/v1/pools/{pool}/why", h.apiWhy)
	get("/api/v1/workers", h.apiWorkers)
	get("/api/v1/events", h.apiEvents)
	for _, action := range []supervisor.Action{
		supervisor.ActionPause, supervisor.ActionContinue, supervisor.ActionRestart, supervisor.ActionScale,
	} {
		site.Handle("/api/v1/pools/{pool}/"+string(action), web.Methods{http.MethodPost: h.order(action)})
	}
}

// facts are what the landing page says of the pools.
func (h *handlers) facts() []web.Fact {
	state := h.supervisor.State()
	counts := map[string]int{}
	running, desired, sourcesDown := 0, 0, 0
	for _, p := range state.Pools {
		counts[string(stateOf(p))]++
		running += p.Counts.Running
		desired += p.Desired
	}
	for i := range state.Sources {
		if up := state.Sources[i].Up; up != nil && !*up {
			sourcesDown++
		}
	}
	pools := web.Fact{Name: "Pools", Value: strconv.Itoa(len(state.Pools)), Href: "workers"}
	for _, s := range poolStates {
		if n := counts[string(s.state)]; n > 0 {
			pools.Parts = append(pools.Parts, web.Part{Text: strconv.Itoa(n) + " " + string(s.state), Href: "workers?state=" + string(s.state), Badge: s.badge})
		}
	}
	facts := []web.Fact{
		{Name: "Supervisor", Value: state.Name}, pools,
		{Name: "Workers", Value: strconv.Itoa(running) + " running of " + strconv.Itoa(desired) + " desired", Href: "workers"},
	}
	if sourcesDown > 0 {
		facts = append(facts, web.Fact{Name: "Connections that do not answer", Value: strconv.Itoa(sourcesDown), Bad: true})
	}
	if state.Observe {
		facts = append(facts, web.Fact{Name: "Mode", Value: "observing: nothing is started"})
	}
	if state.Draining {
		facts = append(facts, web.Fact{Name: "Mode", Value: "draining: workers finish their jobs, then the supervisor ends", Bad: true})
	}
	return facts
}
