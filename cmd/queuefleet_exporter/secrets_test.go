package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// planted are passwords by the way in which they come into the configuration.
// Each has something in it that some encoding changes.
var planted = map[string]string{
	"config": `pl4nted/c0nfig "w&<ö`,
	"file":   `pl4nted+f1le%3D:@`,
	"env":    `pl4nted?env#\n`,
	"age":    `pl4ntedAgeSecret`,
}

// ways are the keys of planted, in the order of the connections' numbers.
var ways = []string{"config", "file", "env", "age"}

// plant writes a configuration with a password in each way, on connections
// that accept it, refuse it or are not there at all.
func plant(t *testing.T, dir string, redis, tls *redistest.Server) (config string, env []string) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key := write(t, filepath.Join(dir, "age.key"), identity.String()+"\n")
	file := write(t, filepath.Join(dir, "password"), planted["file"]+"\n")
	keys := []string{
		"password: " + strconv.Quote(planted["config"]),
		"password_file: " + file,
		"password_env: PLANTED",
		"password_age: " + strconv.Quote(encrypt(t, identity, planted["age"])),
	}
	var b strings.Builder
	fmt.Fprintf(&b, "global: {age_identity_files: [%s], environment: test, probe_timeout: 1s}\nconnections:\n", key)
	for i, way := range keys {
		for name, address := range map[string]string{"right": redis.Addr, "tls": tls.Addr, "away": "127.0.0.1:1"} {
			fmt.Fprintf(&b, "  - {name: %s-%d, address: %q, username: user%d, %s}\n", name, i, address, i, way)
		}
		fmt.Fprintf(&b, "  - {name: wrong-%d, address: %q, username: nobody, %s, notes: %q}\n", i, redis.Addr, way, "was "+planted["config"])
		fmt.Fprintf(&b, "  - {name: sentinel-%d, sentinel: {master: m, addresses: [\"127.0.0.1:1\"], %s}}\n", i, way)
	}
	b.WriteString("applications: [{slug: shop}]\n")
	b.WriteString("queues: [{application: shop, connection: right-0, queue_names: [default, 'tenant-*']}]\n")
	return write(t, filepath.Join(dir, "queuefleet.yml"), b.String()), []string{"PLANTED=" + planted["env"]}
}

func encrypt(t *testing.T, identity *age.X25519Identity, text string) string {
	t.Helper()
	var buf bytes.Buffer
	armored := armor.NewWriter(&buf)
	w, err := age.Encrypt(armored, identity.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := armored.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// traces are the forms in which a password would be recognised. A piece of it
// is enough.
func traces(password string) []string {
	quoted, err := json.Marshal(password)
	if err != nil {
		panic(err) // of a string
	}
	return []string{
		password, password[:11], url.QueryEscape(password), url.PathEscape(password), url.UserPassword("", password).String()[1:],
		strings.Trim(string(quoted), `"`), strings.Trim(strconv.Quote(password), `"`),
		base64.StdEncoding.EncodeToString([]byte(password))[:12], base64.URLEncoding.EncodeToString([]byte(":" + password))[2:14],
		hex.EncodeToString([]byte(password)),
	}
}

// ungzip returns what a profile holds.
func ungzip(text string) string {
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		return text
	}
	all, err := io.ReadAll(z)
	if err != nil {
		return text
	}
	return string(all)
}

// servers starts one that takes every planted password and one that speaks TLS
// only, so that everything planted is also sent to where it is not understood.
func servers(t *testing.T) (plain, tls *redistest.Server) {
	t.Helper()
	var users []string
	for i := range len(planted) {
		users = append(users, fmt.Sprintf("user%d on resetpass allcommands allkeys", i))
	}
	plain = redistest.Start(t, redistest.Options{Users: users})
	for i, way := range ways {
		if err := plain.Client().Do(t.Context(), "ACL", "SETUSER", fmt.Sprintf("user%d", i), ">"+planted[way]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return plain, redistest.Start(t, redistest.Options{TLS: true})
}

// sightings are texts that came out of the exporter, by where.
type sightings map[string]string

// look reads every page there is.
func (s sightings) look(p *process, socket string) {
	for _, path := range []string{
		"/metrics", "/", "/connections", "/queues", "/config", "/sd", "/api/v1/connections", "/api/v1/queues", "/api/v1/applications",
		"/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap", "/debug/pprof/heap?debug=1", "/debug/pprof/allocs",
		"/debug/pprof/mutex?debug=1", "/debug/pprof/block?debug=1", "/debug/pprof/threadcreate?debug=1", "/debug/pprof/profile?seconds=1",
		"/debug/pprof/trace?seconds=1",
	} {
		s[path] = ungzip(p.get(path))
	}
	for _, kind := range []string{"right", "tls", "away", "wrong", "sentinel"} {
		for i := range len(planted) {
			name := fmt.Sprintf("%s-%d", kind, i)
			s["probe "+name] = p.get("/probe?connection=" + name)
			s["api "+name] = p.get("/api/v1/connections/" + name)
			_, s["test "+name] = p.control(socket, "POST", "/api/v1/connections/"+name+"/test")
		}
	}
}

// breakFile reloads files that are broken just where a password stands, and
// starts with each of them, when no redactor knows the password yet.
func (s sightings) breakFile(p *process, config string) {
	p.t.Helper()
	password := strconv.Quote(planted["config"])
	for i, connection := range []string{
		`{name: a, address: "redis://:` + url.QueryEscape(planted["config"]) + `@h:1"}`,
		`{name: a, address: "h:1", database: ` + password + `}`,
		`{name: a, address: "h:1", password: {a: ` + password + `}}`,
		`{name: a, address: "h:1", pasword: ` + password + `}`,
		`{name: a, address: "h:1", password: ` + password + `}, {name: a`,
		`{name: a, address: "h:1", active: ` + strconv.Quote(planted["age"]) + `}`,
	} {
		write(p.t, config, "connections: ["+connection+"]\n")
		status, text, err := p.request("POST", "/-/reload")
		if err != nil || status != 422 {
			p.t.Errorf("broken file %d: %d %v %s", i, status, err, text)
		}
		s[fmt.Sprintf("reload %d", i)] = text
		s[fmt.Sprintf("landing page %d", i)] = p.get("/")
		_, s[fmt.Sprintf("start %d", i)] = runOnce(p.t, "--config.file="+config)
		_, s[fmt.Sprintf("check %d", i)] = runOnce(p.t, "--config.check", "--config.file="+config)
	}
}

// search fails the test for every trace of a password.
func (s sightings) search(t *testing.T) {
	t.Helper()
	for where, text := range s {
		for way, password := range planted {
			for _, trace := range traces(password) {
				if at := strings.Index(text, trace); at >= 0 {
					t.Errorf("the password of the way %s is in %s: …%s…", way, where, text[max(0, at-60):min(len(text), at+60)])
					break
				}
			}
		}
	}
}

func TestPlantedPasswordsAreFoundNowhere(t *testing.T) {
	plain, tls := servers(t)
	dir := t.TempDir()
	config, env := plant(t, dir, plain, tls)
	socket := filepath.Join(dir, "control.sock")
	p := startProcess(t, processOptions{config: config, env: env, flags: []string{
		"--log.level=debug", "--web.enable-pprof", "--web.enable-lifecycle", "--web.control-socket=" + socket,
		"--config.auto-reload-interval=50ms", "--collector.commandstats", "--collector.latency",
	}})
	seen := sightings{}
	seen.look(p, socket)
	seen.breakFile(p, config)
	p.signal(syscall.SIGTERM)
	p.exit()
	seen["log"] = p.log.String()
	seen.search(t)

	// That the test looks at something: every password was used, and refused.
	for i := range len(planted) {
		if want := fmt.Sprintf(`redis_up{connection="right-%d",environment="test"} 1`, i); !strings.Contains(seen["/metrics"], want) {
			t.Errorf("the password of the way %s was not used: %s is missing", ways[i], want)
		}
		if name := fmt.Sprintf("api wrong-%d", i); !strings.Contains(seen[name], `"reason":"auth"`) {
			t.Errorf("the password of the way %s was not refused: %s", ways[i], seen[name])
		}
	}
	if !strings.Contains(seen["log"], "level=debug") {
		t.Error("nothing was logged at debug")
	}
}
