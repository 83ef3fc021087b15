package workers

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/internal/web"
	"github.com/queuefleet/queuefleet/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type named struct {
	Pool        string
	State       string
	CannotStart *supervisor.CannotStart   `json:"cannot_start"`
	List        []supervisor.WorkerStatus `json:"worker_list"`
}

func names(list []named) (all []string) {
	for _, p := range list {
		all = append(all, p.Pool+" "+p.State)
	}
	return all
}

func TestPoolsAreListedAndFiltered(t *testing.T) {
	f := newFixture(t, nil)
	for path, want := range map[string][]string{
		"/api/v1/pools":                              {"crm-mail paused", "shop-broken broken", "shop-crashing crashing", "shop-default ok"},
		"/api/v1/pools?application=crm":              {"crm-mail paused"},
		"/api/v1/pools?application=shop&state=ok":    {"shop-default ok"},
		"/api/v1/pools?connection=eu&q=10.0.0.9":     {"shop-broken broken"},
		"/api/v1/pools?q=" + secret:                  nil,
		"/api/v1/pools?connection=us":                nil,
		"/api/v1/pools?state=ok&state=paused&q=mail": {"crm-mail paused"},
	} {
		if d := cmp.Diff(want, names(data[[]named](t, f, path))); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
	}
	one := data[named](t, f, "/api/v1/pools/shop-default")
	if one.State != "ok" || len(one.List) != 2 || one.List[0].PID != 4000 {
		t.Errorf("one pool: %+v", one)
	}
}

func TestWorkersAndEventsAreListed(t *testing.T) {
	f := newFixture(t, nil)
	for path, want := range map[string]int{
		"/api/v1/workers": 6, "/api/v1/workers?application=crm": 2, "/api/v1/workers?pool=shop-crashing&state=backoff": 1,
	} {
		if got := data[[]supervisor.WorkerStatus](t, f, path); len(got) != want {
			t.Errorf("%s: %d workers, want %d", path, len(got), want)
		}
	}
	for path, want := range map[string][]uint64{
		"/api/v1/events": {1, 2}, "/api/v1/events?limit=1": {2}, "/api/v1/events?after=1": {2},
		"/api/v1/events?pool=shop-default": {1}, "/api/v1/events?kind=cannot_start": {2}, "/api/v1/events?after=2": nil,
	} {
		var got []uint64
		for _, e := range data[[]supervisor.Event](t, f, path) {
			got = append(got, e.ID)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
	}
}

func TestWhyTellsWhatHoldsAPool(t *testing.T) {
	f := newFixture(t, nil)
	why := data[supervisor.Why](t, f, "/api/v1/pools/shop-broken/why")
	if len(why.Sentences) < 2 || !strings.Contains(why.Sentences[0], "wrong_connection") {
		t.Errorf("got %q", why.Sentences)
	}
}

func TestBadRequestsAreToldWhy(t *testing.T) {
	f := newFixture(t, nil)
	for path, want := range map[string]int{
		"/api/v1/pools?colour=red": 400, "/api/v1/pools?state=fine": 400, "/api/v1/workers?state=asleep": 400,
		"/api/v1/events?after=x": 400, "/api/v1/events?limit=0": 400, "/api/v1/events?colour=red": 400, "/workers?page=0": 400,
		"/workers?colour=red": 400, "/api/v1/pools/nothing": 404, "/api/v1/pools/nothing/why": 404, "/api/v1/pools/shop-default/pause": 405,
	} {
		if status, text := f.do(http.MethodGet, path, ""); status != want || len(text) < 20 {
			t.Errorf("%s: %d %q, want %d with a reason", path, status, text, want)
		}
	}
}

func TestOrdersReachTheSupervisor(t *testing.T) {
	order := func(c supervisor.Command) supervisor.Command { c.By = "api"; return c }
	for path, want := range map[string]supervisor.Command{
		"/api/v1/pools/shop-default/pause":                         {Action: supervisor.ActionPause, Pools: []string{"shop-default"}},
		"/api/v1/pools/shop-default/continue":                      {Action: supervisor.ActionContinue, Pools: []string{"shop-default"}},
		"/api/v1/pools/-/restart":                                  {Action: supervisor.ActionRestart},
		"/api/v1/pools/-/pause?application=shop":                   {Action: supervisor.ActionPause, Application: "shop"},
		"/api/v1/pools/shop-default/scale?processes=3":             {Action: supervisor.ActionScale, Pools: []string{"shop-default"}, Processes: 3, For: time.Hour},
		"/api/v1/pools/shop-default/scale?processes=0&for=10m":     {Action: supervisor.ActionScale, Pools: []string{"shop-default"}, For: 10 * time.Minute},
		"/api/v1/pools/-/scale?processes=auto&application=shop":    {Action: supervisor.ActionAuto, Application: "shop"},
		"/api/v1/pools/shop-default/restart?application=shop":      {Action: supervisor.ActionRestart, Pools: []string{"shop-default"}, Application: "shop"},
		"/api/v1/pools/shop-default/scale?processes=3&for=1h30m0s": {Action: supervisor.ActionScale, Pools: []string{"shop-default"}, Processes: 3, For: 90 * time.Minute},
	} {
		f := newFixture(t, nil)
		if status, text := f.do(http.MethodPost, path, "root"); status != 200 {
			t.Errorf("%s: %d %s", path, status, text)
			continue
		}
		if d := cmp.Diff([]supervisor.Command{order(want)}, f.orders); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
		if log := f.log.String(); !strings.Contains(log, "msg=Audit") || !strings.Contains(log, "user=root") || !strings.Contains(log, "result=done") {
			t.Errorf("%s left no line in the audit log: %s", path, log)
		}
	}
}

func TestOrdersAreRefused(t *testing.T) {
	const path = "/api/v1/pools/shop-default/pause"
	bounds := supervisor.ErrOutOfBounds{Pool: "shop-default", Asked: 99, Min: 2, Max: 10}
	for name, tt := range map[string]struct {
		path, user string
		change     func(*web.Options)
		err        error
		status     int
		says       string
	}{
		"writes are off":            {path, "root", func(o *web.Options) { o.EnableAdminAPI = false }, nil, 403, "--web.enable-admin-api"},
		"nobody in particular":      {path, "", nil, nil, 403, "verified user"},
		"another application":       {"/api/v1/pools/crm-mail/pause", "alice", nil, nil, 403, "operator"},
		"all by one of some":        {"/api/v1/pools/-/pause", "alice", nil, nil, 403, "operator"},
		"an application not hers":   {"/api/v1/pools/-/pause?application=crm", "alice", nil, nil, 403, "operator"},
		"an unknown pool":           {"/api/v1/pools/nothing/pause", "root", nil, nil, 404, "no pool"},
		"an unknown application":    {"/api/v1/pools/-/pause?application=x", "root", nil, nil, 404, "no pools"},
		"a parameter of others":     {path + "?processes=3", "root", nil, nil, 400, "processes"},
		"no number":                 {"/api/v1/pools/shop-default/scale?processes=many", "root", nil, nil, 400, "many"},
		"no duration":               {"/api/v1/pools/shop-default/scale?processes=3&for=ever", "root", nil, nil, 400, "ever"},
		"a duration in the past":    {"/api/v1/pools/shop-default/scale?processes=3&for=-1h", "root", nil, nil, 400, "for"},
		"auto for a while":          {"/api/v1/pools/shop-default/scale?processes=auto&for=1h", "root", nil, nil, 400, "for"},
		"beyond the bounds":         {"/api/v1/pools/shop-default/scale?processes=99", "root", nil, bounds, 400, "between 2 and 10"},
		"gone meanwhile":            {path, "root", nil, supervisor.ErrUnknownPool{Name: "shop-default"}, 404, "no pool"},
		"while the supervisor ends": {path, "root", nil, supervisor.ErrNotRunning, 503, "not running"},
		"too slow":                  {path, "root", nil, context.DeadlineExceeded, 503, "deadline"},
	} {
		f := newFixture(t, tt.change)
		f.err = tt.err
		status, text := f.do(http.MethodPost, tt.path, tt.user)
		if status != tt.status || !strings.Contains(text, tt.says) {
			t.Errorf("%s: %d %s, want %d and %q", name, status, text, tt.status, tt.says)
		}
		if !strings.Contains(f.log.String(), "msg=Audit") {
			t.Errorf("%s left no line in the audit log", name)
		}
		if tt.err == nil && len(f.orders) > 0 {
			t.Errorf("%s reached the supervisor: %v", name, f.orders)
		}
	}
	f := newFixture(t, nil)
	if status, text := f.do(http.MethodPost, "/api/v1/pools/-/restart?application=shop", "alice"); status != 200 {
		t.Errorf("an operator's own application: %d %s", status, text)
	}
}

func TestPageShowsPoolsAndWorkers(t *testing.T) {
	f := newFixture(t, nil)
	status, text := f.do(http.MethodGet, "/workers", "")
	for _, want := range []string{
		"shop-default", "crm-mail", ">broken<", ">crashing<", ">paused<", "wrong_connection", "&lt;b&gt;10.0.0.9", "held at 2 until",
		"shop-default/0", "48 MiB", `href="workers?pool=shop-default"`, ">idle<", ">backoff<",
	} {
		if status != 200 || !strings.Contains(text, want) {
			t.Errorf("%d, %q is missing", status, want)
		}
	}
	if strings.Index(text, "shop-broken") > strings.Index(text, "crm-mail") {
		t.Error("what wants attention does not come first")
	}
	_, text = f.do(http.MethodGet, "/workers?pool=shop-broken", "")
	if !strings.Contains(text, "No worker is started because of wrong_connection") || !strings.Contains(text, "Last events") || strings.Contains(text, "crm-mail") {
		t.Errorf("one pool alone:\n%s", text)
	}
	if _, text = f.do(http.MethodGet, "/workers?q=nothing-like-it", ""); !strings.Contains(text, "No pool matches") {
		t.Errorf("got\n%s", text)
	}
	if _, text = f.do(http.MethodGet, "/", ""); !strings.Contains(text, "worker-1") || !strings.Contains(text, "5 running of 8 desired") {
		t.Errorf("landing page:\n%s", text)
	}
}

func TestNothingShowsSecrets(t *testing.T) {
	f := newFixture(t, nil)
	for _, path := range []string{"/", "/workers", "/workers?pool=shop-broken", "/api/v1/pools", "/api/v1/pools/shop-broken",
		"/api/v1/pools/shop-broken/why", "/api/v1/workers", "/api/v1/events"} {
		if status, text := f.do(http.MethodGet, path, ""); status != 200 || strings.Contains(text, secret) {
			t.Errorf("%s: %d, or it shows the secret", path, status)
		}
	}
}
