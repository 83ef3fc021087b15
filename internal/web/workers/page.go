package workers

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/queuefleet/queuefleet/internal/web"
	"github.com/queuefleet/queuefleet/supervisor"
)

const (
	perPage      = 100 // pools
	workersShown = 500 // of the pools on a page
	eventsShown  = 10
)

// tab is a choice of state.
type tab struct {
	Text    string
	Href    string
	Count   int
	Current bool
}

// chip is a filter in force and the link that takes it away.
type chip struct{ Key, Value, Href string }

// field is a parameter that the search form carries along.
type field struct{ Key, Value string }

// pageData is what the page shows.
type pageData struct {
	Now      time.Time
	Observe  bool
	Draining bool

	Tabs   []tab
	Chips  []chip
	Fields []field
	Text   string

	From, To, Total int
	Prev, Next      string

	Rows    []poolRow
	Workers []workerRow
	Hidden  int // workers that are not shown

	Pool   string // the one that is shown alone, with the reasons below
	Why    []string
	Events []eventRow
}

type poolRow struct {
	poolInfo
	Badge string
	Busy  *float64
}

type workerRow struct {
	supervisor.WorkerStatus
	Place  string
	Badge  string
	Doing  string // what it does, empty where nobody knows
	Memory string
}

type eventRow struct {
	supervisor.Event
	Place string
}

func (h *handlers) page(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	f, err := parse(params, []string{keyApplication, keyConnection, keyPool, keyState, keyText, keyPage}, poolStateNames())
	var page int
	if err == nil {
		page, err = natural(params, keyPage, 1, 1)
	}
	if err != nil {
		h.site.Error(w, r, http.StatusBadRequest, err.Error())
		return
	}
	counts := map[string]int{}
	pools := h.pools(func(p *poolInfo) bool {
		if !f.matches(p) {
			return false
		}
		counts[string(p.State)]++
		return f.has(keyState, string(p.State))
	})
	slices.SortStableFunc(pools, func(a, b poolInfo) int { return cmp.Compare(rank(a.State), rank(b.State)) })
	state := h.supervisor.State()
	data := pageData{Now: h.site.Now(), Observe: state.Observe, Draining: state.Draining, Text: params.Get(keyText)}
	data.choices(params, counts)
	for _, p := range pools[data.paginate(params, page, len(pools)):data.To] {
		data.add(p, h.workersOf(&p.PoolStatus))
	}
	h.single(&data, params)
	h.site.Page(w, r, web.Page{Name: "workers", Title: "Workers", Data: data})
}

// single adds what is shown of one pool alone.
func (h *handlers) single(data *pageData, params url.Values) {
	names := params[keyPool]
	if len(names) != 1 {
		return
	}
	why, ok := h.why(names[0])
	if !ok {
		return
	}
	data.Pool, data.Why = names[0], why.Sentences
	for _, e := range slices.Backward(h.events(filter{values: map[string][]string{keyPool: names}}, 0, eventsShown)) {
		data.Events = append(data.Events, eventRow{e, place(e.Pool, e.Slot)})
	}
}

// choices fills in what follows from the parameters and the counts by state.
func (d *pageData) choices(params url.Values, counts map[string]int) {
	current, all := params.Get(keyState), 0
	for _, n := range counts {
		all += n
	}
	d.Tabs = []tab{{"all", with(params, keyState, ""), all, current == ""}}
	for _, state := range poolStateNames() {
		if counts[state] > 0 || state == current {
			d.Tabs = append(d.Tabs, tab{state, with(params, keyState, state), counts[state], state == current})
		}
	}
	for _, key := range []string{keyApplication, keyConnection, keyPool} {
		for _, value := range params[key] {
			if value != "" {
				d.Chips = append(d.Chips, chip{key, value, with(params, key, "")})
				d.Fields = append(d.Fields, field{key, value})
			}
		}
	}
	if current != "" {
		d.Fields = append(d.Fields, field{keyState, current})
	}
}

// paginate fills in what the page shows and returns where it begins.
func (d *pageData) paginate(params url.Values, page, total int) int {
	last := max((total+perPage-1)/perPage, 1)
	page = min(page, last) // rows may have gone since the link was made
	from := (page - 1) * perPage
	d.From, d.To, d.Total = min(from+1, total), min(from+perPage, total), total
	if page > 1 {
		d.Prev = with(params, keyPage, strconv.Itoa(page-1))
	}
	if page < last {
		d.Next = with(params, keyPage, strconv.Itoa(page+1))
	}
	return from
}

func (d *pageData) add(p poolInfo, workers []supervisor.WorkerStatus) {
	row := poolRow{poolInfo: p, Badge: poolStates[rank(p.State)].badge}
	if p.Counts.Busy != nil {
		row.Busy = new(float64(*p.Counts.Busy))
	}
	d.Rows = append(d.Rows, row)
	for i := range workers {
		if len(d.Workers) == workersShown {
			d.Hidden += len(workers) - i
			return
		}
		w := &workers[i]
		d.Workers = append(d.Workers, workerRow{*w, place(w.Pool, w.Slot), workerBadge(w.State), doing(w), mebibytes(w.RSS)})
	}
}

// doing says what a worker does.
func doing(w *supervisor.WorkerStatus) string {
	switch {
	case w.Job != "":
		return w.Job
	case w.Busy == nil:
		return ""
	case *w.Busy:
		return "busy"
	default:
		return "idle"
	}
}

// mebibytes writes a size in memory, or a dash where it is not known.
func mebibytes(bytes uint64) string {
	if bytes == 0 {
		return "–"
	}
	return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 0, 64) + " MiB"
}
