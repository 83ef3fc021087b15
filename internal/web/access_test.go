package web

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/queuefleet/queuefleet/configs"
)

const password = "correct horse"

// webConfig writes a file for --web.config.file with basic auth users.
func webConfig(t *testing.T, users ...string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	text := "basic_auth_users:\n"
	for _, user := range users {
		text += "  " + user + ": " + string(hash) + "\n"
	}
	return file(t, "web.yml", text)
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// act adds a write on one application's thing and one on the whole fleet.
func act(f *fixture) {
	write := func(role Role, scope func(string) (Scope, error)) http.HandlerFunc {
		return f.Write(Write{
			Action: "act", Role: role, Scope: scope,
			Target: func(r *http.Request) string { return r.PathValue("app") },
			Do: func(w http.ResponseWriter, r *http.Request) error {
				f.Data(w, r, "acted")
				return nil
			},
		})
	}
	f.Handle("/api/v1/apps/{app}/act", Methods{http.MethodPost: write(RoleOperator, func(app string) (Scope, error) {
		switch app {
		case "gone":
			return Scope{}, errors.New("there is no such application")
		case "nobody's":
			return Scope{}, nil
		}
		return Scope{Applications: []string{app}}, nil
	})})
	f.Handle("/api/v1/act", Methods{http.MethodPost: write(RoleAdmin, nil)})
}

// client changes a request so that it comes from somebody.
type client func(*http.Request) *http.Request

func nobody(r *http.Request) *http.Request { return r }

func basic(user, password string) client {
	return func(r *http.Request) *http.Request {
		r.SetBasicAuth(user, password)
		return r
	}
}

func control(r *http.Request) *http.Request {
	return r.WithContext(markControl(r.Context(), nil))
}

func certificate(name string, verified bool) client {
	return func(r *http.Request) *http.Request {
		leaf := &x509.Certificate{Subject: pkix.Name{CommonName: name}}
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
		if verified {
			r.TLS.VerifiedChains = [][]*x509.Certificate{{leaf}}
		}
		return r
	}
}

func TestRoleMatrix(t *testing.T) {
	users := []string{"viewer", "shop-operator", "any-operator", "shop-admin", "admin", "twice", "stranger"}
	access := configs.Access{Users: []configs.User{
		{User: "viewer", Role: "viewer"},
		{User: "shop-operator", Role: "operator", Applications: []string{"shop*"}},
		{User: "any-operator", Role: "operator"},
		{User: "shop-admin", Role: "admin", Applications: []string{"shop"}},
		{User: "admin", Role: "admin"},
		{User: "twice", Role: "viewer"},
		{User: "twice", Role: "operator", Applications: []string{"crm"}},
		{User: "exporter", Role: "operator"},
	}}
	f := newFixture(t, func(o *Options) {
		o.EnableAdminAPI, o.EnableLifecycle, o.WebConfigFile = true, true, webConfig(t, users...)
	})
	f.store.config = &configs.Config{Access: access}
	act(f)

	paths := []string{"/api/v1/apps/shop/act", "/api/v1/apps/crm/act", "/api/v1/apps/nobody's/act", "/api/v1/act", "/-/reload"}
	tests := []struct {
		name   string
		client client
		want   [5]int
	}{
		{"nobody", nobody, [5]int{403, 403, 403, 403, 403}},
		{"viewer", basic("viewer", password), [5]int{403, 403, 403, 403, 403}},
		{"operator of some", basic("shop-operator", password), [5]int{200, 403, 403, 403, 403}},
		{"operator of all", basic("any-operator", password), [5]int{200, 200, 200, 403, 403}},
		{"admin of some", basic("shop-admin", password), [5]int{200, 403, 403, 403, 403}},
		{"admin", basic("admin", password), [5]int{200, 200, 200, 200, 200}},
		{"two entries", basic("twice", password), [5]int{403, 200, 403, 403, 403}},
		{"known to the web only", basic("stranger", password), [5]int{403, 403, 403, 403, 403}},
		{"wrong password", basic("admin", "guess"), [5]int{403, 403, 403, 403, 403}},
		{"unknown user", basic("root", password), [5]int{403, 403, 403, 403, 403}},
		{"verified certificate", certificate("exporter", true), [5]int{200, 200, 200, 403, 403}},
		{"certificate that nobody verified", certificate("admin", false), [5]int{403, 403, 403, 403, 403}},
		{"control socket", control, [5]int{200, 200, 200, 200, 200}},
		{"the control socket's name by basic auth", basic(controlUser, password), [5]int{403, 403, 403, 403, 403}},
	}
	for _, tt := range tests {
		for i, path := range paths {
			answer := f.serve(tt.client(httptest.NewRequest(http.MethodPost, path, nil)))
			if text := answer.text; answer.StatusCode != tt.want[i] {
				t.Errorf("%s, %s: %d %s, want %d", tt.name, path, answer.StatusCode, text, tt.want[i])
			}
		}
	}
	// A certificate does not stand in for a wrong password's user.
	mixed := certificate("exporter", true)(basic("admin", "guess")(httptest.NewRequest(http.MethodPost, "/api/v1/act", nil)))
	if got := f.serve(mixed).StatusCode; got != 403 {
		t.Errorf("wrong password with a certificate: %d", got)
	}
	if got := f.serve(basic("admin", password)(httptest.NewRequest(http.MethodPost, "/api/v1/apps/gone/act", nil))).StatusCode; got != 404 {
		t.Errorf("unknown target: %d", got)
	}
	if got := f.serve(httptest.NewRequest(http.MethodPost, "/api/v1/apps/gone/act", nil)).StatusCode; got != 403 {
		t.Errorf("unknown target asked for by nobody: %d", got)
	}
}

func TestWritesNeedTheirSwitch(t *testing.T) {
	file := webConfig(t, "alice")
	tests := []struct {
		name            string
		lifecycle, api  bool
		client          client
		reload, act     int
		reason          string
		roles           []configs.User
		webConfigAbsent bool
	}{
		{name: "all off", client: basic("alice", password), reload: 403, act: 403, reason: "--web.enable-lifecycle"},
		{name: "control socket needs none", client: control, reload: 200, act: 200},
		{name: "lifecycle", lifecycle: true, client: nobody, reload: 200, act: 403},
		{name: "admin", api: true, client: basic("alice", password), reload: 403, act: 200, reason: "--web.enable-lifecycle"},
		{name: "both, nobody in particular", lifecycle: true, api: true, client: nobody, reload: 200, act: 403},
		{name: "both, credentials that nobody verified", lifecycle: true, api: true, client: basic("alice", password), reload: 200, act: 403, webConfigAbsent: true},
		{
			name: "roles also guard reloading", lifecycle: true, client: nobody, reload: 403, act: 403, reason: "verified user",
			roles: []configs.User{{User: "alice", Role: "admin"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, func(o *Options) {
				o.EnableLifecycle, o.EnableAdminAPI, o.WebConfigFile = tt.lifecycle, tt.api, file
				if tt.webConfigAbsent {
					o.WebConfigFile = ""
				}
			})
			f.store.config = &configs.Config{Access: configs.Access{Users: tt.roles}}
			act(f)
			reload := f.serve(tt.client(httptest.NewRequest(http.MethodPost, "/-/reload", nil)))
			if text := reload.text; reload.StatusCode != tt.reload || !strings.Contains(text, tt.reason) {
				t.Errorf("reload: %d %s, want %d", reload.StatusCode, text, tt.reload)
			}
			if got := f.serve(tt.client(httptest.NewRequest(http.MethodPost, "/api/v1/act", nil))).StatusCode; got != tt.act {
				t.Errorf("act: %d, want %d", got, tt.act)
			}
		})
	}
}

func TestEveryWriteIsAudited(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.EnableAdminAPI, o.WebConfigFile = true, webConfig(t, "alice") })
	act(f)
	tests := []struct {
		client client
		path   string
		want   string
	}{
		{basic("alice", password), "/api/v1/apps/shop/act", `msg=Audit user=alice remote=192.0.2.1:1234 action=act target=shop result=done`},
		{basic("alice", "guess"), "/api/v1/apps/shop/act", `msg=Audit user= remote=192.0.2.1:1234 action=act target=shop result=denied err="writes need`},
		{basic("alice", password), "/api/v1/apps/gone/act", `action=act target=gone result="unknown target"`},
		{control, "/-/reload", `msg=Audit user=control-socket remote=192.0.2.1:1234 action=reload target=queuefleet_exporter result=done`},
		{nobody, "/-/reload", `action=reload target=queuefleet_exporter result=denied`},
	}
	for _, tt := range tests {
		f.log.Reset()
		_ = f.serve(tt.client(httptest.NewRequest(http.MethodPost, tt.path, nil)))
		if got := f.log.String(); strings.Count(got, "msg=Audit") != 1 || !strings.Contains(got, tt.want) {
			t.Errorf("%s logged %q, want %q", tt.path, got, tt.want)
		}
	}
	f.log.Reset()
	f.store.err = errors.New("line 3: password " + secret)
	_ = f.serve(control(httptest.NewRequest(http.MethodPut, "/-/reload", nil)))
	if got := f.log.String(); !strings.Contains(got, `result=failed err="line 3: password <secret>"`) {
		t.Errorf("a failed reload logged %q", got)
	}
}

func TestReload(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.EnableLifecycle = true })
	for i, method := range []string{"POST", "PUT"} {
		if answer := f.do(method, "/-/reload"); answer.StatusCode != http.StatusOK || f.store.reloads != i+1 {
			t.Errorf("%s: %d after %d reloads", method, answer.StatusCode, f.store.reloads)
		}
	}
	f.store.err = errors.Join(errors.New("a.yml:1: wrong"), errors.New("a.yml:7: "+secret+" is no number"))
	answer := f.do("POST", "/-/reload")
	text := answer.text
	if answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, "a.yml:1: wrong\na.yml:7: <secret> is no number") {
		t.Errorf("got %d %q", answer.StatusCode, text)
	}
}

func TestCheckAccess(t *testing.T) {
	roles := &configs.Config{Access: configs.Access{Users: []configs.User{{User: "alice", Role: "admin"}}}}
	tests := []struct {
		name   string
		config *configs.Config
		file   string
		want   string // in the error; empty: none
	}{
		{"no roles, no file", &configs.Config{}, "", ""},
		{"roles, no file", roles, "", "without --web.config.file"},
		{"roles and users", roles, webConfig(t, "alice"), ""},
		{"roles, a file without users", roles, file(t, "w.yml", "http_server_config: {http2: false}\n"), "neither basic_auth_users"},
		{"roles and client certificates", roles, file(t, "w.yml", "tls_server_config: {client_auth_type: RequireAndVerifyClientCert}\n"), ""},
		{"roles and certificates that nobody verifies", roles, file(t, "w.yml", "tls_server_config: {client_auth_type: RequireAnyClientCert}\n"), "neither"},
		{"roles, no such file", roles, filepath.Join(t.TempDir(), "none.yml"), "no such file"},
		{"roles, a broken file", roles, file(t, "w.yml", "basic_auth_users: "+secret+"\n"), "is not valid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckAccess(tt.config, tt.file)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), secret):
				t.Errorf("the error repeats the file: %v", err)
			}
		})
	}
}

func TestABrokenWebConfigDeniesWrites(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.EnableAdminAPI, o.WebConfigFile = true, file(t, "w.yml", "basic_auth_users: 3\n") })
	act(f)
	if got := f.serve(basic("alice", password)(httptest.NewRequest(http.MethodPost, "/api/v1/act", nil))).StatusCode; got != 500 {
		t.Errorf("got %d", got)
	}
}

func TestNameOfTheControlSocketGivesNoRights(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.EnableAdminAPI, o.EnableLifecycle, o.WebConfigFile = true, true, webConfig(t, "control-socket")
	})
	f.store.config = &configs.Config{Access: configs.Access{Users: []configs.User{{User: "admin", Role: "admin"}}}}
	act(f)
	for name, c := range map[string]client{"certificate": certificate("control-socket", true), "basic": basic("control-socket", password)} {
		if got := f.serve(c(httptest.NewRequest(http.MethodPost, "/-/reload", nil))).StatusCode; got != 403 {
			t.Errorf("%s: a user named control-socket without a role: %d", name, got)
		}
	}
}
