package workers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/supervisor"
)

// poolInfo is a pool with its state in a word.
type poolInfo struct {
	supervisor.PoolStatus
	State poolState `json:"state"`
}

// poolDetails is a pool with its workers.
type poolDetails struct {
	poolInfo
	WorkerList []supervisor.WorkerStatus `json:"worker_list"`
}

// pools returns those that keep wants. What workers and libraries wrote is
// masked before anything is searched: a search that finds what it does not show
// would tell a secret letter by letter.
func (h *handlers) pools(keep func(*poolInfo) bool) []poolInfo {
	all := h.supervisor.State().Pools
	kept := make([]poolInfo, 0, len(all))
	for _, p := range all {
		info := h.info(p)
		if keep(&info) {
			kept = append(kept, info)
		}
	}
	return kept
}

func (h *handlers) info(p *supervisor.PoolStatus) poolInfo {
	info := poolInfo{*p, stateOf(p)}
	if p.CannotStart != nil {
		info.CannotStart = &supervisor.CannotStart{Reason: p.CannotStart.Reason, Text: h.site.Mask(p.CannotStart.Text)}
	}
	return info
}

// searched are the texts of a pool that a search looks through.
func (p *poolInfo) searched() []string {
	texts := []string{p.Name, p.Application, p.Connection, p.Preset, p.Environment, p.Region, p.Team, string(p.State)}
	if p.CannotStart != nil {
		texts = append(texts, p.CannotStart.Reason, p.CannotStart.Text)
	}
	return slices.Concat(texts, p.QueueNames, p.Configurations)
}

func poolStateNames() []string {
	var names []string
	for _, s := range poolStates {
		names = append(names, string(s.state))
	}
	return names
}

func (h *handlers) apiPools(w http.ResponseWriter, r *http.Request) {
	f, err := parse(r.URL.Query(), []string{keyApplication, keyConnection, keyState, keyText}, poolStateNames())
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	h.site.Data(w, r, h.pools(func(p *poolInfo) bool { return f.matches(p) && f.has(keyState, string(p.State)) }))
}

// matches leaves the state out of account.
func (f filter) matches(p *poolInfo) bool {
	return f.has(keyApplication, p.Application) && f.has(keyConnection, p.Connection) && f.has(keyPool, p.Name) &&
		f.found(p.searched()...)
}

func (h *handlers) apiPool(w http.ResponseWriter, r *http.Request) {
	p, ok := h.supervisor.State().Pool(r.PathValue("pool"))
	if !ok {
		h.unknown(w, r)
		return
	}
	h.site.Data(w, r, poolDetails{h.info(p), h.workersOf(p)})
}

func (h *handlers) unknown(w http.ResponseWriter, r *http.Request) {
	h.site.Error(w, r, http.StatusNotFound, supervisor.ErrUnknownPool{Name: r.PathValue("pool")}.Error())
}

func (h *handlers) apiWhy(w http.ResponseWriter, r *http.Request) {
	why, ok := h.why(r.PathValue("pool"))
	if !ok {
		h.unknown(w, r)
		return
	}
	h.site.Data(w, r, why)
}

func (h *handlers) why(pool string) (supervisor.Why, bool) {
	why, ok := h.supervisor.State().Why(pool)
	for i, sentence := range why.Sentences {
		why.Sentences[i] = h.site.Mask(sentence)
	}
	return why, ok
}

// workersOf returns a pool's workers; what they say of their jobs is masked.
func (h *handlers) workersOf(p *supervisor.PoolStatus) []supervisor.WorkerStatus {
	list := make([]supervisor.WorkerStatus, len(p.Workers))
	for i := range p.Workers {
		list[i] = p.Workers[i]
		list[i].Job = h.site.Mask(list[i].Job)
	}
	return list
}

func (h *handlers) apiWorkers(w http.ResponseWriter, r *http.Request) {
	var states []string
	for _, s := range supervisor.WorkerStates() {
		states = append(states, string(s))
	}
	f, err := parse(r.URL.Query(), []string{keyApplication, keyPool, keyState}, states)
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	list := []supervisor.WorkerStatus{}
	for _, p := range h.supervisor.State().Pools {
		if !f.has(keyApplication, p.Application) || !f.has(keyPool, p.Name) {
			continue
		}
		for _, worker := range h.workersOf(p) {
			if f.has(keyState, string(worker.State)) {
				list = append(list, worker)
			}
		}
	}
	h.site.Data(w, r, list)
}

// The parameters of events.
const (
	keyKind  = "kind"
	keyAfter = "after" // an event's id
	keyLimit = "limit"
)

// defaultEvents is how many events are answered with where nobody says it.
const defaultEvents = 100

func (h *handlers) apiEvents(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	after, err := natural(params, keyAfter, 0, 0)
	if err == nil {
		var limit int
		if limit, err = natural(params, keyLimit, 1, defaultEvents); err == nil {
			var f filter
			if f, err = parse(params, []string{keyPool, keyKind, keyAfter, keyLimit}, nil); err == nil {
				h.site.Data(w, r, h.events(f, after, limit))
				return
			}
		}
	}
	h.site.Error(w, r, http.StatusBadRequest, err.Error())
}

// events returns the last ones that the filter lets through, oldest first.
func (h *handlers) events(f filter, after, limit int) []supervisor.Event {
	list := []supervisor.Event{}
	for _, e := range slices.Backward(h.supervisor.State().Events) {
		if e.ID <= uint64(after) || len(list) == limit {
			break
		}
		if f.has(keyPool, e.Pool) && f.has(keyKind, string(e.Kind)) {
			list = append(list, h.masked(e))
		}
	}
	slices.Reverse(list)
	return list
}

func (h *handlers) masked(e supervisor.Event) supervisor.Event {
	e.Text = h.site.Mask(e.Text)
	fields := make(map[string]any, len(e.Fields))
	for name, value := range e.Fields {
		if text, ok := value.(string); ok {
			value = h.site.Mask(text)
		}
		fields[name] = value
	}
	e.Fields = fields
	return e
}

// place names a worker for people.
func place(pool string, slot int) string {
	if slot < 0 {
		return pool
	}
	return strings.TrimSpace(fmt.Sprintf("%s/%d", pool, slot))
}
