package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// PKI is a certificate authority with what it has issued, as paths of PEM
// files. The server's certificate is valid for 127.0.0.1, localhost and
// redis.test.
type PKI struct {
	CA                    string
	ServerCert, ServerKey string
	ExpiredCert           string // of a server, ended an hour ago
	ExpiredKey            string
	ClientCert, ClientKey string
	OtherCA               string // an authority that has issued none of them
	ServerNotAfter        time.Time
	ca                    *x509.Certificate
	caKey                 *ecdsa.PrivateKey
	dir                   string
}

// NewPKI makes an authority and its certificates.
func NewPKI(t testing.TB) *PKI {
	t.Helper()
	p := &PKI{dir: shortDir(t), ServerNotAfter: time.Now().Add(24 * time.Hour).Truncate(time.Second)}
	p.OtherCA, _ = p.authority(t, "other-ca")
	p.CA, _ = p.authority(t, "ca")
	server := func(name string, notAfter time.Time) (string, string) {
		return p.issue(t, name, &x509.Certificate{
			Subject: pkix.Name{CommonName: "redis.test"}, NotAfter: notAfter,
			DNSNames: []string{"localhost", "redis.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		})
	}
	p.ServerCert, p.ServerKey = server("server", p.ServerNotAfter)
	p.ExpiredCert, p.ExpiredKey = server("expired", time.Now().Add(-time.Hour))
	p.ClientCert, p.ClientKey = p.issue(t, "client", &x509.Certificate{
		Subject: pkix.Name{CommonName: "exporter"}, NotAfter: p.ServerNotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return p
}

// ClientConfig is a client's configuration that trusts the authority and, where
// mutual, shows the client certificate.
func (p *PKI) ClientConfig(mutual bool) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(p.ca)
	c := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	if mutual {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(p.ClientCert, p.ClientKey)
			return &cert, err
		}
	}
	return c
}

// authority makes a self-signed authority and lets p sign with it from now on.
func (p *PKI) authority(t testing.TB, name string) (cert, key string) {
	t.Helper()
	p.ca, p.caKey = nil, nil
	return p.issue(t, name, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: p.ServerNotAfter, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
}

// issue signs template with the authority, or by itself where there is none yet.
func (p *PKI) issue(t testing.TB, name string, template *x509.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore = time.Now().Add(-48 * time.Hour)
	template.KeyUsage |= x509.KeyUsageDigitalSignature
	parent, signer := p.ca, p.caKey
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if template.IsCA {
		if p.ca, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		p.caKey = key
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(p.dir, name+".crt"), filepath.Join(p.dir, name+".key")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
