package configs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

func encrypt(t *testing.T, text string, to ...age.Recipient) string {
	t.Helper()
	var b bytes.Buffer
	a := armor.NewWriter(&b)
	w, err := age.Encrypt(a, to...)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	for _, c := range []interface{ Close() error }{w, a} {
		if err == nil {
			err = c.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func indent(text string) string {
	return "|\n      " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n      ") + "\n"
}

func sshIdentity(t *testing.T) (string, age.Recipient) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	to, err := agessh.NewEd25519Recipient(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), to
}

// TestPasswords resolves one of every way, twice with a rotation between.
func TestPasswords(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	sshKey, sshTo := sshIdentity(t)
	t.Setenv("QUEUEFLEET_TEST_PASSWORD", "from-env")
	tr := newTree(t, map[string]string{
		"main.yml": `
global: {age_identity_files: [age.key, ssh.key]}
connections:
  - {name: clear, address: "a:1", password: from-clear}
  - {name: file, address: "a:1", password_file: pw}
  - {name: env, address: "a:1", password_env: QUEUEFLEET_TEST_PASSWORD}
  - name: age
    address: a:1
    password_age: ` + indent(encrypt(t, "from-age\n", id.Recipient())) + `
  - name: ssh
    sentinel: {master: m, addresses: ["a:1"], password_file: pw}
    password_age: ` + indent(encrypt(t, "from-ssh", sshTo)),
		"age.key": "# created today\n\n" + id.String() + "\n",
		"ssh.key": sshKey,
		"pw":      "from-file\r\n",
	})
	cfg := mustLoad(t, tr.path("main.yml"))
	got := map[string]string{}
	for _, c := range cfg.Connections {
		got[c.Name] = c.Password.Reveal()
	}
	want := map[string]string{"clear": "from-clear", "file": "from-file", "env": "from-env", "age": "from-age", "ssh": "from-ssh"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("passwords (-want +got):\n%s", diff)
	}
	if p := connection(t, cfg, "ssh").Sentinel.Password.Reveal(); p != "from-file" {
		t.Errorf("the sentinel's password is %q", p)
	}
	secrets := strings.Join(cfg.Secrets(), "\n")
	for _, one := range append([]string{id.String(), strings.TrimSpace(sshKey)}, "from-clear", "from-file", "from-env", "from-age", "from-ssh") {
		if !strings.Contains(secrets, one) {
			t.Errorf("a secret is not known to the redactor: %.20s…", one)
		}
	}
	for _, file := range []string{"main.yml", "age.key", "ssh.key", "pw"} {
		if !strings.Contains(strings.Join(cfg.Files(), "\n"), tr.path(file)) {
			t.Errorf("%s is not among the files", file)
		}
	}

	tr.write("pw", "rotated")
	again := mustLoad(t, tr.path("main.yml"))
	if p := connection(t, again, "file").Password.Reveal(); p != "rotated" {
		t.Errorf("the rotated password is %q", p)
	}
	if cfg.Hash() != again.Hash() {
		t.Error("the hash depends on a secret")
	}
}

func TestAgeMistakes(t *testing.T) {
	id, other := newIdentity(t), newIdentity(t)
	good := encrypt(t, planted, id.Recipient())
	damaged := strings.Replace(good, good[200:204], "AAAA", 1)
	tests := []struct{ name, text, want string }{
		{"wrong identity", encrypt(t, planted, other.Recipient()), "is encrypted for none of global.age_identity_files"},
		{"not age", "hello", "is not an armored age text"},
		{"damaged", damaged, "is damaged"},
		{"cut off", good[:len(good)-60], "is damaged"},
		{"empty", encrypt(t, "\n", id.Recipient()), "is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTree(t, map[string]string{
				"main.yml": "global: {age_identity_files: [key]}\nconnections:\n  - name: a\n    address: a:1\n    password_age: " + indent(tt.text),
				"key":      id.String(),
			})
			_, err := Load(tr.path("main.yml"))
			if err == nil || !strings.Contains(err.Error(), "connections[0].password_age: "+tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// certificate makes a self-signed certificate and its key.
func certificate(t *testing.T, until time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8)
}

func TestTLSFiles(t *testing.T) {
	cert, key := certificate(t, time.Now().Add(time.Hour))
	expired, expiredKey := certificate(t, time.Now().Add(-time.Hour))
	tr := newTree(t, map[string]string{
		"ca": cert + expired, "cert": cert, "key": key, "expired": expired, "expired.key": expiredKey,
		"damaged": strings.Replace(cert, "MII", "MIJ", 1), "empty": "",
	})
	load := func(block string) (*Config, error) {
		tr.write("main.yml", "connections: [{name: a, address: \"a:1\", tls: {"+block+"}}]")
		return Load(tr.path("main.yml"))
	}
	cfg, err := load("ca_file: ca, cert_file: cert, key_file: key")
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Connections[0].TLS; got.CA != cert+expired || got.Cert != cert || got.Key.Reveal() != key {
		t.Errorf("contents: %+v", got)
	}
	if !strings.Contains(strings.Join(cfg.Secrets(), ""), strings.TrimSpace(key)) {
		t.Error("the key is not known to the redactor")
	}
	for _, tt := range []struct{ block, want string }{
		{"cert_file: cert, key_file: expired.key", "tls.key_file: " + tr.path("cert") + " and " + tr.path("expired.key") + ": the certificate and the key do not belong together"},
		{"cert_file: key, key_file: cert", "do not belong together"},
		{"ca_file: key", "tls.ca_file: " + tr.path("key") + ": holds a \"PRIVATE KEY\" among the certificates"},
		{"ca_file: damaged", "holds a certificate that cannot be read"},
		{"ca_file: empty", "is empty"},
		{"ca_file: main.yml", "holds no certificate"},
		{"ca_file: .", "is a directory"},
	} {
		if _, err := load(tt.block); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.block, err)
		}
	}
	cfg, err = load("cert_file: expired, key_file: expired.key")
	if err != nil || len(cfg.Warnings()) != 1 || !strings.Contains(cfg.Warnings()[0].Text, "has expired") {
		t.Errorf("expired: %v, %v", err, cfg.Warnings())
	}
}

// TestOpenFiles warns of secrets that everybody can read, once per file.
func TestOpenFiles(t *testing.T) {
	tr := newTree(t, map[string]string{
		"main.yml": "connections: [{name: a, address: \"a:1\", password: secret}, {name: b, address: \"b:1\", password_file: pw}, {name: c, address: \"c:1\", password: secret}]",
		"pw":       "secret",
	})
	if got := mustLoad(t, tr.path("main.yml")).Warnings(); len(got) != 0 {
		t.Errorf("warnings %v", got)
	}
	for _, name := range []string{"main.yml", "pw"} {
		if err := os.Chmod(tr.path(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, w := range mustLoad(t, tr.path("main.yml")).Warnings() {
		got = append(got, w.Position.Path)
	}
	if diff := cmp.Diff([]string{"connections[0].password", "connections[1].password_file"}, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
