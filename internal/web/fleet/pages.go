package fleet

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/internal/web"
)

// connectionsData is what the page of connections shows.
type connectionsData struct {
	list
	Now  time.Time
	Rows []connectionRow
}

type connectionRow struct {
	collector.ConnectionStatus
	Badge string
}

func (h *handlers) connectionsPage(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	q := connectionQuery()
	q.other = []string{keyPage}
	f, err := q.parse(params)
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	counts := map[string]int{}
	rows := h.connections(func(s subject) bool {
		if !f.matchesAnyState(s) {
			return false
		}
		counts[s.state]++
		return f.has(keyState, s.state)
	})
	slices.SortStableFunc(rows, func(a, b collector.ConnectionStatus) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), cmp.Compare(a.Name, b.Name))
	})
	data := connectionsData{list: newList("connections", params, q.states, counts), Now: h.site.Now()}
	from, to, err := data.paginate(params, len(rows))
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	for _, c := range rows[from:to] {
		data.Rows = append(data.Rows, connectionRow{c, badge(c.State)})
	}
	h.site.Page(w, r, web.Page{Name: "connections", Title: "Connections", Data: data})
}

// queuesData is what the page of queues shows.
type queuesData struct {
	list
	Now   time.Time
	Sorts []order
	Rows  []queueRow
}

// Sort returns one of the orders.
func (d queuesData) Sort(name string) order {
	i := slices.IndexFunc(d.Sorts, func(o order) bool { return o.Text == name })
	return d.Sorts[i]
}

// order is a choice of how to sort.
type order struct {
	Text    string // also the parameter's value
	Heading string // of the column
	Href    string
	Current bool
}

type queueRow struct {
	queueInfo
	Badge   string
	Age     *float64
	AtLeast bool
	Late    bool
	Color   string // of the application; empty: none
}

// Job returns the number of jobs in a state, or nil where it is not known.
func (r queueRow) Job(state string) *float64 {
	if n, ok := r.Jobs[state]; ok {
		return &n
	}
	return nil
}

func (h *handlers) queuesPage(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	q := queueQuery()
	q.other = []string{keyPage, keySort}
	f, err := q.parse(params)
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	counts := map[string]int{}
	rows := h.queues(func(s subject) bool {
		if !f.matchesAnyState(s) {
			return false
		}
		counts[s.state]++
		return f.has(keyState, s.state)
	})
	compare, sorts := queueOrder(params)
	slices.SortStableFunc(rows, compare)
	data := queuesData{list: newList("queues", params, q.states, counts), Now: h.site.Now(), Sorts: sorts}
	from, to, err := data.paginate(params, len(rows))
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	colors := map[string]string{}
	for _, app := range h.fleet.Applications() {
		colors[app.Slug] = app.Color
	}
	for _, q := range rows[from:to] {
		row := queueRow{queueInfo: q, Badge: queueStates[queueRank(q.State)].badge, Late: late(&q.QueueStatus), Color: colors[q.Application]}
		row.Age, row.AtLeast = oldest(&q.QueueStatus)
		data.Rows = append(data.Rows, row)
	}
	h.site.Page(w, r, web.Page{Name: "queues", Title: "Queues", Data: data})
}

// queueOrder returns the order that the parameters ask for, names where they
// ask for none, and the choices. Figures come greatest first, unknown ones last.
func queueOrder(params url.Values) (func(a, b queueInfo) int, []order) {
	figures := []struct {
		name, heading string
		of            func(*queueInfo) *float64
	}{
		{"name", "Queue", nil},
		{"age", "Oldest job", func(q *queueInfo) *float64 { age, _ := oldest(&q.QueueStatus); return age }},
		{"ready", "Ready", func(q *queueInfo) *float64 { return queueRow{queueInfo: *q}.Job("ready") }},
		{"overdue", "Overdue", func(q *queueInfo) *float64 { return q.DelayedOverdue }},
		{"expired", "Expired", func(q *queueInfo) *float64 { return q.ReservedExpired }},
	}
	byName := func(a, b queueInfo) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Connection, b.Connection))
	}
	compare := byName
	current := cmp.Or(params.Get(keySort), figures[0].name)
	var sorts []order
	for _, figure := range figures {
		value := figure.name
		if figure.of == nil {
			value = ""
		} else if figure.name == current {
			compare = func(a, b queueInfo) int {
				return cmp.Or(cmp.Compare(orLess(figure.of(&b)), orLess(figure.of(&a))), byName(a, b))
			}
		}
		sorts = append(sorts, order{figure.name, figure.heading, with("queues", params, keySort, value), figure.name == current})
	}
	return compare, sorts
}

func orLess(value *float64) float64 {
	if value == nil {
		return -1
	}
	return *value
}
