package configs

import (
	"strings"
	"testing"
)

const limited = `include:
  - path: conf.d/*.yml
    applications: [shop*]
    users: [shop, www-data]
    secret_dir: secrets/shop
    addresses: ["*.shop:6379", "unix:///run/shop/*.sock", "[::1]:6379"]
connections: [{name: main, address: "main:6379"}]
applications: [{slug: bank}, {slug: shop}]
`

// TestLimits writes one fragment after the other beside a good one; the good
// one is never touched.
func TestLimits(t *testing.T) {
	one := func(extra string) string {
		return "connections: [{name: a, address: \"r.shop:6379\", " + extra + "}]\n"
	}
	worker := func(extra string) string {
		return "queues: [{application: shop, connection: main, queue_names: [x], worker: {" + extra + "}}]\n"
	}
	tests := []struct{ name, text, want string }{
		{"everything allowed", one("password_file: ../secrets/shop/pw") + "applications: [{slug: shop-2}]\n" + worker("user: shop, group: www-data"), ""},
		{"host in capitals", "connections: [{name: a, address: \"R.SHOP:6379\"}]", ""},
		{"socket", "connections: [{name: a, address: \"unix:///run/shop/a.sock\"}]", ""},
		{"IPv6", "connections: [{name: a, address: \"[::1]:6379\"}]", ""},
		{"file below", one("password_file: ../secrets/shop/deep/er/pw"), ""},
		{"link inside", one("password_file: ../secrets/shop/inside"), ""},

		{"address", conn("a"), "connections[0].address: is not among the addresses"},
		{"port", "connections: [{name: a, address: \"r.shop:6380\"}]", "connections[0].address: is not among"},
		{"socket elsewhere", "connections: [{name: a, address: \"unix:///run/bank/a.sock\"}]", "connections[0].address: is not among"},
		{"socket deeper", "connections: [{name: a, address: \"unix:///run/shop/x/a.sock\"}]", "connections[0].address: is not among"},
		{"sentinel", "connections: [{name: a, sentinel: {master: m, addresses: [\"s.shop:6379\", \"s.bank:6379\"]}}]", "connections[0].sentinel.addresses[1]: is not among"},
		{"cluster", "connections: [{name: a, cluster: {addresses: [\"s.bank:6379\"]}}]", "connections[0].cluster.addresses[0]: is not among"},
		{"application", "applications: [{slug: market}]", "applications[0].slug: \"market\" is not among the applications"},
		{"application in capitals", "applications: [{slug: Shop}]", "applications[0].slug: \"Shop\" is not among"},
		{"queue of another application", queue("bank", "main"), "queues[0].application: \"bank\" is not among"},
		{"user", worker("user: bank"), "queues[0].worker.user: must be one of the users"},
		{"no user", worker(""), "queues[0].worker.user: must be one of the users"},
		{"root", worker("user: root"), "queues[0].worker.user: root may be named only in the main file"},
		{"uid 0", worker("user: \"0\""), "queues[0].worker.user: root may"},
		{"uid 000", worker("user: \"000\""), "queues[0].worker.user: root may"},
		{"group", worker("user: shop, group: docker"), "queues[0].worker.group: must be the group"},
		{"group root", worker("user: shop, group: root"), "queues[0].worker.group: root may"},
		{"file beside", one("password_file: ../secrets/bank/pw"), "connections[0].password_file: "},
		{"file by dots", one("password_file: ../secrets/shop/../bank/pw"), "lies outside secret_dir"},
		{"file absolute", one("password_file: /etc/passwd"), "lies outside secret_dir"},
		{"directory with the same beginning", one("password_file: ../secrets/shop2/pw"), "lies outside secret_dir"},
		{"link outside", one("password_file: ../secrets/shop/outside"), "leads outside secret_dir"},
		{"linked directory outside", one("password_file: ../secrets/shop/outdir/pw"), "leads outside secret_dir"},
		{"certificate", one("tls: {ca_file: ../secrets/bank/pw}"), "connections[0].tls.ca_file: "},
		{"key", one("tls: {cert_file: ../secrets/shop/pw, key_file: ../secrets/bank/pw}"), "connections[0].tls.key_file: "},
		{"sentinel's password", "connections: [{name: a, sentinel: {master: m, addresses: [\"s.shop:6379\"], password_file: /etc/passwd}}]", "connections[0].sentinel.password_file: "},
		{"environment file", worker("user: shop, environment_file: /etc/shadow"), "queues[0].worker.environment_file: "},
		{"variable", one("password_env: PATH"), "connections[0].password_env: is not allowed"},
		{"access", "access: {users: []}", "access: belongs into the main file"},
		{"include", "include: [{path: x}]", "include: belongs into the main file"},
		{"defaults", "defaults: {}", "defaults: belongs into the main file"},
		{"identities", "global: {age_identity_files: [x]}", "global: belongs into the main file"},
	}
	tr := newTree(t, map[string]string{
		"main.yml":                limited,
		"conf.d/good.yml":         "connections: [{name: good, address: \"good.shop:6379\"}]",
		"secrets/shop/pw":         "shops-own",
		"secrets/shop/deep/er/pw": "deep",
		"secrets/bank/pw":         "hunter2",
		"secrets/shop2/pw":        "hunter2",
	})
	tr.symlink("deep/er/pw", "secrets/shop/inside")
	tr.symlink("../bank/pw", "secrets/shop/outside")
	tr.symlink("../bank", "secrets/shop/outdir")
	s := tr.store()
	reload(t, s)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr.write("conf.d/test.yml", tt.text)
			cfg := reload(t, s)
			checkFragment(t, cfg, tt.want)
			tr.remove("conf.d/test.yml")
			reload(t, s)
		})
	}
}

func checkFragment(t *testing.T, cfg *Config, want string) {
	t.Helper()
	if _, ok := cfg.Connection("good"); !ok || !cfg.Fragments()[0].OK {
		t.Errorf("the good fragment is lost: %v", cfg.Fragments()[0].Err)
	}
	f := cfg.Fragments()[1]
	switch {
	case want == "" && !f.OK:
		t.Errorf("is refused: %v", f.Err)
	case want != "" && f.OK:
		t.Error("is allowed")
	case want != "" && !strings.Contains(f.Err.Error(), want):
		t.Errorf("%q is not in: %v", want, f.Err)
	}
	if !f.OK && strings.Contains(f.Err.Error(), "hunter2") {
		t.Errorf("the error shows a password: %v", f.Err)
	}
	for _, text := range cfg.Secrets() {
		if text == "hunter2" {
			t.Error("another tenant's secret was read")
		}
	}
}

// TestLimitsCountForDefaultsToo: what a fragment inherits works there, so a
// user that it may not name it may not inherit either. A file that the main
// file's defaults name is the main file's.
func TestLimitsCountForDefaultsToo(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml": limited + "defaults:\n  connection: {password_file: secrets/common}\n  queue: {worker: {user: root}}\n",
		"conf.d/a.yml": "connections: [{name: a, address: \"r.shop:6379\"}]\n" +
			"queues: [{application: shop, connection: a, queue_names: [x]}]\n",
		"secrets/common": "common",
		"secrets/shop/x": "x",
	})
	_, err := Load(tr.path("main.yml"))
	if err == nil || !strings.Contains(err.Error(), "defaults.queue.worker.user: root may be named only in the main file") {
		t.Errorf("got %v", err)
	}
	tr.write("conf.d/a.yml", "connections: [{name: a, address: \"r.shop:6379\"}]\n"+
		"queues: [{application: shop, connection: a, queue_names: [x], worker: {user: shop}}]\n")
	cfg := mustLoad(t, tr.path("main.yml"))
	if got := connection(t, cfg, "a").Password.Reveal(); got != "common" {
		t.Errorf("password %q", got)
	}
}

// TestTightenedLimits: the last good version is held to the limits of today.
func TestTightenedLimits(t *testing.T) {
	wide := "include: [{path: \"conf.d/*.yml\"}]\n" + conn("main")
	narrow := strings.Replace(wide, "}]", ", addresses: [\"ok*\"], secret_dir: secrets}]", 1)
	tr := newTree(t, map[string]string{
		"main.yml": wide,
		"conf.d/a.yml": "connections: [{name: ok1, address: \"ok1:6379\"}, {name: no, address: \"no:6379\"}," +
			" {name: ok2, address: \"ok2:6379\", password_file: ../elsewhere}]\n" + app("shop") + queue("shop", "no"),
		"secrets/x": "", "elsewhere": "hunter2",
	})
	s := tr.store()
	expect(t, reload(t, s), "main ok1 no ok2 shop shop-no", "a.yml")
	tr.write("main.yml", narrow)
	expect(t, reload(t, s), "main ok1 shop", "!a.yml")
	tr.write("main.yml", wide)
	expect(t, reload(t, s), "main ok1 no ok2 shop shop-no", "a.yml")
}

// TestSalvageDoesNotRebind: a queue of a fragment whose connection is left out
// does not fall to the main file's connection of the same name.
func TestSalvageDoesNotRebind(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml":     includeAll + app("shop"),
		"conf.d/a.yml": "connections: [{name: a, address: \"a:6379\"}, {name: b, address: \"b:6379\"}]\n" + queue("shop", "a"),
	})
	s := tr.store()
	reload(t, s)
	tr.write("main.yml", includeAll+app("shop")+"connections: [{name: a, address: \"other:6379\"}]\n")
	expect(t, reload(t, s), "a b shop", "!a.yml")
}
