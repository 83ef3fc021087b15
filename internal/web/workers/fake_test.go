package workers

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/logging"
	"github.com/queuefleet/queuefleet/internal/web"
	"github.com/queuefleet/queuefleet/supervisor"
)

const secret = "hunter2hunter2"

// now is when everything in these tests happens.
var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// fake is a supervisor that notes orders and answers with err.
type fake struct {
	state  *supervisor.State
	orders []supervisor.Command
	err    error
}

func (f *fake) State() *supervisor.State { return f.state }

func (f *fake) Control(_ context.Context, c supervisor.Command) (supervisor.Result, error) {
	f.orders = append(f.orders, c)
	return supervisor.Result{Pools: c.Pools}, f.err
}

type fakeStore struct{ config *configs.Config }

func (s fakeStore) Current() *configs.Config { return s.config }
func (s fakeStore) Reload() error            { return nil }
func (s fakeStore) LastError() error         { return nil }

type fixture struct {
	*web.Site
	*fake
	log *bytes.Buffer
}

// newFixture serves the sample state to alice, an operator of shop, and to root,
// an admin, both with the password pw.
func newFixture(t *testing.T, change func(*web.Options)) *fixture {
	t.Helper()
	f := &fixture{fake: &fake{state: sample()}, log: &bytes.Buffer{}}
	redactor := &logging.Redactor{}
	redactor.Set([]string{secret})
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "web.yml")
	text := "basic_auth_users: {alice: " + string(hash) + ", root: " + string(hash) + "}\n"
	if err := os.WriteFile(users, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := configs.Parse("queuefleet.yml", []byte(`
connections: [{name: eu, address: "10.0.0.1:6379"}]
applications: [{slug: shop}, {slug: crm}]
access: {users: [{user: alice, role: operator, applications: [shop]}, {user: root, role: admin}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	o := web.Options{
		Program: "queuefleet_supervisor", Summary: "Runs.", Version: "1.2.3",
		Logger: logging.New(f.log, logging.Options{Level: slog.LevelDebug, Redactor: redactor}),
		Mask:   redactor.Mask, Store: fakeStore{cfg}, Ready: func() bool { return true },
		Gatherer: prometheus.NewRegistry(), Now: func() time.Time { return now },
		EnableAdminAPI: true, WebConfigFile: users,
	}
	if change != nil {
		change(&o)
	}
	if f.Site, err = web.New(o); err != nil {
		t.Fatal(err)
	}
	Register(f.Site, f.fake)
	return f
}

func (f *fixture) do(method, target, user string) (int, string) {
	r := httptest.NewRequest(method, target, nil)
	if user != "" {
		r.SetBasicAuth(user, "pw")
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	answer := w.Result()
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		panic(err) // a recorder's body is in memory
	}
	return answer.StatusCode, string(text)
}

// data reads the data out of the answer to a GET.
func data[T any](t *testing.T, f *fixture, path string) T {
	t.Helper()
	var answer struct {
		Status string
		Data   T
	}
	status, text := f.do(http.MethodGet, path, "")
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Status != "success" || status != 200 {
		t.Fatalf("%s: %d %q: %v", path, status, text, err)
	}
	return answer.Data
}

func sample() *supervisor.State {
	pool := func(name, application string, change func(*supervisor.PoolStatus)) *supervisor.PoolStatus {
		p := &supervisor.PoolStatus{
			Name: name, Application: application, Connection: "eu", Environment: "production", Region: "eu-west-1", Team: "payments",
			Preset: "laravel", QueueNames: []string{"high", "default"}, Balance: supervisor.BalanceAuto, SourceUp: new(true),
			Min: 2, Max: 10, Desired: 2, Counts: supervisor.Counts{Running: 2, Busy: new(1)}, Version: "8.83.26",
		}
		for i := range 2 {
			p.Workers = append(p.Workers, supervisor.WorkerStatus{
				Pool: name, Application: application, Slot: i, PID: 4000 + i, State: supervisor.Running, Queues: p.QueueNames,
				StartedAt: now.Add(-time.Hour), Busy: new(i == 0), RSS: 48 << 20, Jobs: 1234,
			})
		}
		p.Workers[0].Job = `App\Jobs\Charge ` + secret
		if change != nil {
			change(p)
		}
		return p
	}
	return &supervisor.State{
		At: now, Name: "worker-1",
		Pools: []*supervisor.PoolStatus{
			pool("crm-mail", "crm", func(p *supervisor.PoolStatus) { p.Paused = true }),
			pool("shop-broken", "shop", func(p *supervisor.PoolStatus) {
				p.CannotStart = &supervisor.CannotStart{Reason: "wrong_connection", Text: "it uses <b>10.0.0.9</b> with " + secret}
				p.Workers, p.Counts = nil, supervisor.Counts{}
			}),
			pool("shop-crashing", "shop", func(p *supervisor.PoolStatus) {
				p.Counts = supervisor.Counts{Running: 1, Backoff: 1}
				p.Workers[1].State, p.Workers[1].PID, p.Workers[1].LastExit = supervisor.Backoff, 0, "error"
				p.Throttled = true
			}),
			pool("shop-default", "shop", func(p *supervisor.PoolStatus) {
				p.Override = &supervisor.Override{Processes: 2, Until: now.Add(time.Hour)}
			}),
		},
		Events: []supervisor.Event{
			{ID: 1, At: now.Add(-time.Hour), Pool: "shop-default", Slot: 0, Kind: supervisor.EventStarted, Text: "runs", Fields: map[string]any{"pid": 4000}},
			{ID: 2, At: now.Add(-time.Minute), Pool: "shop-broken", Slot: -1, Kind: supervisor.EventCannotStart, Text: "it knows " + secret, Fields: map[string]any{"text": secret}},
		},
	}
}
