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
	ways := []string{
		"password: " + strconv.Quote(planted["config"]),
		"password_file: " + file,
		"password_env: PLANTED",
		"password_age: " + strconv.Quote(encrypt(t, identity, planted["age"])),
	}
	var b strings.Builder
	fmt.Fprintf(&b, "global: {age_identity_files: [%s], environment: test, probe_timeout: 1s}\nconnections:\n", key)
	for i, way := range ways {
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

func TestPlantedPasswordsAreFoundNowhere(t *testing.T) {
	redistest.Need(t, "redis-server")
	var users []string
	for i := range len(planted) {
		users = append(users, fmt.Sprintf("user%d on resetpass allcommands allkeys", i))
	}
	redis := redistest.Start(t, redistest.Options{Users: users})
	for i, way := range []string{"config", "file", "env", "age"} {
		if err := redis.Client().Do(t.Context(), "ACL", "SETUSER", fmt.Sprintf("user%d", i), ">"+planted[way]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	tls := redistest.Start(t, redistest.Options{TLS: true})
	dir := t.TempDir()
	config, env := plant(t, dir, redis, tls)
	socket := filepath.Join(dir, "control.sock")
	p := startProcess(t, processOptions{config: config, env: env, flags: []string{
		"--log.level=debug", "--web.enable-pprof", "--web.enable-lifecycle", "--web.control-socket=" + socket,
		"--config.auto-reload-interval=50ms", "--collector.commandstats", "--collector.latency",
	}})

	seen := map[string]string{}
	page := p.get("/metrics")
	for i := range 4 {
		if want := fmt.Sprintf(`redis_up{connection="right-%d",environment="test"} 1`, i); !strings.Contains(page, want) {
			t.Errorf("no password of the way %d was used: %s is missing", i, want)
		}
	}
	seen["/metrics"] = page
	for _, path := range []string{
		"/", "/connections", "/queues", "/config", "/sd", "/api/v1/connections", "/api/v1/queues", "/api/v1/applications",
		"/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap", "/debug/pprof/heap?debug=1", "/debug/pprof/allocs",
		"/debug/pprof/mutex?debug=1", "/debug/pprof/block?debug=1", "/debug/pprof/threadcreate?debug=1", "/debug/pprof/profile?seconds=1",
		"/debug/pprof/trace?seconds=1",
	} {
		seen[path] = ungzip(p.get(path))
	}
	for _, kind := range []string{"right", "tls", "away", "wrong", "sentinel"} {
		for i := range 4 {
			name := fmt.Sprintf("%s-%d", kind, i)
			seen["probe "+name] = p.get("/probe?connection=" + name)
			seen["api "+name] = p.get("/api/v1/connections/" + name)
			_, seen["test "+name] = p.control(socket, "POST", "/api/v1/connections/"+name+"/test")
		}
	}
	// Files that are broken just where a password stands.
	for i, broken := range []string{
		"connections: [{name: a, address: \"redis://:" + url.QueryEscape(planted["config"]) + "@h:1\"}]\n",
		"connections: [{name: a, address: \"h:1\", database: " + strconv.Quote(planted["config"]) + "}]\n",
		"connections: [{name: a, address: \"h:1\", password: {a: " + strconv.Quote(planted["config"]) + "}}]\n",
		"connections: [{name: a, address: \"h:1\", pasword: " + strconv.Quote(planted["config"]) + "}]\n",
		"connections: [{name: a, address: \"h:1\", password: " + strconv.Quote(planted["config"]) + "}, {name: a\n",
		"connections: [{name: a, address: \"h:1\", password_file: " + strconv.Quote("/"+planted["file"]) + "}]\n",
		"connections: [{name: a, address: \"h:1\", active: " + strconv.Quote(planted["age"]) + "}]\n",
	} {
		write(t, config, broken)
		status, text, err := p.request("POST", "/-/reload")
		if err != nil || status != 422 {
			t.Errorf("broken file %d: %d %v %s", i, status, err, text)
		}
		seen[fmt.Sprintf("reload %d", i)] = text
		seen[fmt.Sprintf("landing page %d", i)] = p.get("/")
		// The same file at start, where no redactor knows the password yet.
		if i != 5 { // whose path is not a secret there
			_, seen[fmt.Sprintf("start %d", i)] = runOnce(t, "--config.file="+config)
			_, seen[fmt.Sprintf("check %d", i)] = runOnce(t, "--config.check", "--config.file="+config)
		}
	}
	p.signal(syscall.SIGTERM)
	p.exit()
	seen["log"] = p.log.String()

	for where, text := range seen {
		for way, password := range planted {
			for _, trace := range traces(password) {
				if at := strings.Index(text, trace); at >= 0 {
					t.Errorf("the password of the way %s is in %s: …%s…", way, where, text[max(0, at-60):min(len(text), at+60)])
					break
				}
			}
		}
	}
	if !strings.Contains(seen["log"], "level=debug") || !strings.Contains(seen["api wrong-0"], `"reason":"auth"`) {
		t.Error("nothing was logged at debug, or no password was refused: the test looks at nothing")
	}
}
