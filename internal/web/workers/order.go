package workers

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/internal/web"
	"github.com/queuefleet/queuefleet/supervisor"
)

// many stands for a pool's name where an order concerns all pools, or all of an
// application. No pool can have that name.
const many = "-"

// maxScaleFor bounds how long an order to scale may hold.
const maxScaleFor = 30 * 24 * time.Hour

// orderResult is what an order is answered with.
type orderResult struct {
	Action supervisor.Action `json:"action"`
	Pools  []string          `json:"pools"`
}

// order is POST /api/v1/pools/{pool}/{action}.
func (h *handlers) order(action supervisor.Action) http.HandlerFunc {
	return h.site.Write(web.Write{
		Action: string(action) + " pools",
		Role:   web.RoleOperator,
		Target: target,
		Scope:  h.scope,
		Do: func(w http.ResponseWriter, r *http.Request) error {
			c, err := command(r, action)
			if err != nil {
				h.site.Error(w, r, http.StatusBadRequest, err.Error())
				return err
			}
			c.By = "api"
			result, err := h.supervisor.Control(r.Context(), c)
			if err != nil {
				h.site.Error(w, r, statusOf(err), err.Error())
				return err
			}
			h.site.Data(w, r, orderResult{Action: c.Action, Pools: result.Pools})
			return nil
		},
	})
}

const ofApplication = "application "

// target names what an order acts on, as the audit log shows it. A pool's name
// has no space.
func target(r *http.Request) string {
	pool, application := r.PathValue("pool"), r.URL.Query().Get(keyApplication)
	switch {
	case pool != many:
		return pool
	case application != "":
		return ofApplication + application
	default:
		return "all pools"
	}
}

// scope names the applications that a target belongs to.
func (h *handlers) scope(target string) (web.Scope, error) {
	state := h.supervisor.State()
	if target == "all pools" {
		return web.Scope{Fleet: true}, nil
	}
	if application, ok := strings.CutPrefix(target, ofApplication); ok {
		for _, p := range state.Pools {
			if p.Application == application {
				return web.Scope{Applications: []string{application}}, nil
			}
		}
		return web.Scope{}, fmt.Errorf("application %q has no pools here", application)
	}
	for _, p := range state.Pools {
		if p.Name == target || slices.Contains(p.Configurations, target) {
			return web.Scope{Applications: []string{p.Application}}, nil
		}
	}
	return web.Scope{}, supervisor.ErrUnknownPool{Name: target}
}

// command reads an order. Only the URL is read, which is what the scope was
// decided by.
func command(r *http.Request, action supervisor.Action) (supervisor.Command, error) {
	params := r.URL.Query()
	c := supervisor.Command{Action: action, Application: params.Get(keyApplication)}
	allowed := []string{keyApplication}
	if action == supervisor.ActionScale {
		allowed = append(allowed, "processes", "for")
	}
	for key := range params {
		if !slices.Contains(allowed, key) {
			return c, fmt.Errorf("unknown parameter %q: use %s", key, strings.Join(allowed, ", "))
		}
	}
	if pool := r.PathValue("pool"); pool != many {
		c.Pools = []string{pool}
	}
	if action != supervisor.ActionScale {
		return c, nil
	}
	return scaling(c, params.Get("processes"), params.Get("for"))
}

// scaling fills in how many workers are asked for and for how long.
func scaling(c supervisor.Command, processes, duration string) (supervisor.Command, error) {
	if processes == "auto" {
		c.Action = supervisor.ActionAuto
		if duration != "" {
			return c, errors.New("for: means nothing with processes=auto")
		}
		return c, nil
	}
	var err error
	if c.Processes, err = strconv.Atoi(processes); err != nil {
		return c, fmt.Errorf("processes: %q is neither a number nor auto", processes)
	}
	c.For, err = time.ParseDuration(cmp.Or(duration, supervisor.DefaultScaleFor.String()))
	if err != nil || c.For <= 0 || c.For > maxScaleFor {
		return c, fmt.Errorf("for: %q is not a duration such as 30m, of at most %v", duration, maxScaleFor)
	}
	return c, nil
}

// statusOf is the status that an order's failure is answered with.
func statusOf(err error) int {
	var unknown supervisor.ErrUnknownPool
	var bounds supervisor.ErrOutOfBounds
	switch {
	case errors.As(err, &unknown):
		return http.StatusNotFound
	case errors.As(err, &bounds), errors.Is(err, supervisor.ErrUnknownAction):
		return http.StatusBadRequest
	default: // it is about to end, or too slow
		return http.StatusServiceUnavailable
	}
}
