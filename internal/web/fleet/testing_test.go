package fleet

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/internal/web"
)

// admin lets the fixture's requests write.
func admin(t *testing.T) (func(*web.Options), func(*http.Request)) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte("basic_auth_users: {alice: "+string(hash)+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *web.Options) { o.EnableAdminAPI, o.WebConfigFile = true, file },
		func(r *http.Request) { r.SetBasicAuth("alice", "pw") }
}

func TestTestingAConnection(t *testing.T) {
	enable, alice := admin(t)
	f := newFixture(t, sampleFleet(), enable)
	tests := []struct {
		name, audit string
		status      int
		contains    string
	}{
		{"shop-eu", "target=shop-eu result=done", 200, `"ok":true`},
		{"crm-us", `target=crm-us result=failed err="auth: WRONGPASS <secret>"`, 200, `"error":"WRONGPASS \u003csecret\u003e"`},
		{"nothing", `result="unknown target"`, 404, "not_found"},
	}
	for _, tt := range tests {
		f.log.Reset()
		answer, text := f.do("POST", "/api/v1/connections/"+tt.name+"/test", alice)
		if answer.StatusCode != tt.status || !strings.Contains(text, tt.contains) || strings.Contains(text, secret) {
			t.Errorf("%s: %d %s", tt.name, answer.StatusCode, text)
		}
		if got := f.log.String(); !strings.Contains(got, "user=alice") || !strings.Contains(got, tt.audit) || strings.Contains(got, secret) {
			t.Errorf("%s logged %q", tt.name, got)
		}
	}
}

func TestOnlySomeTestsAtATime(t *testing.T) {
	enable, alice := admin(t)
	fleet := sampleFleet()
	entered, release := make(chan struct{}), make(chan struct{})
	fleet.test = func(context.Context, string) (collector.TestResult, error) {
		entered <- struct{}{}
		<-release
		return collector.TestResult{OK: true}, nil
	}
	f := newFixture(t, fleet, enable)
	statuses := make(chan int, maxTests)
	for range maxTests {
		go func() {
			answer, _ := f.do("POST", "/api/v1/connections/shop-eu/test", alice)
			statuses <- answer.StatusCode
		}()
		<-entered
	}
	if answer, text := f.do("POST", "/api/v1/connections/shop-eu/test", alice); answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one too many: %d %s", answer.StatusCode, text)
	}
	close(release)
	for range maxTests {
		if got := <-statuses; got != 200 {
			t.Errorf("status %d", got)
		}
	}
}

func TestScopeOfAConnection(t *testing.T) {
	h := &handlers{site: newFixture(t, sampleFleet(), nil).Site}
	for name, want := range map[string]string{"shop-eu": "shop", "crm-us": "crm", "old": ""} {
		scope, err := h.connectionScope(name)
		if err != nil || strings.Join(scope.Applications, " ") != want || scope.Fleet {
			t.Errorf("%s: %+v %v", name, scope, err)
		}
	}
	if _, err := h.connectionScope("nothing"); err == nil {
		t.Error("an unknown connection has a scope")
	}
}
