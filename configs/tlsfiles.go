package configs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// pemChecks remembers what was found out about PEM texts: a fleet shares a
// few authorities and client certificates.
type pemChecks struct {
	authorities map[string]error
	pairs       map[[2]string]pairCheck
	now         time.Time
}

type pairCheck struct {
	expires time.Time
	err     error
}

func newPEMChecks(now time.Time) *pemChecks {
	return &pemChecks{authorities: map[string]error{}, pairs: map[[2]string]pairCheck{}, now: now}
}

// resolveTLS reads and checks the files of a TLS block.
func (s *source) resolveTLS(o origin, t *TLS, checks *pemChecks) {
	if t == nil {
		return
	}
	t.CA = s.readPEM(o, "tls.ca_file", t.CAFile)
	t.Cert = s.readPEM(o, "tls.cert_file", t.CertFile)
	key := s.readPEM(o, "tls.key_file", t.KeyFile)
	t.Key = NewSecret(key)

	if t.CA != "" {
		if err := checks.authority(t.CA); err != nil {
			o.fail("tls.ca_file", "%s: %v", t.CAFile, err)
		}
	}
	if t.Cert != "" && key != "" {
		s.checkPair(o, t, checks.pair(t.Cert, key), checks.now)
	}
	if key != "" && s.inputs.worldReadable(t.KeyFile, o.own("tls.key_file"), maxPEMBytes) {
		o.warn("tls.key_file", "%s is readable by everybody", t.KeyFile)
	}
}

func (s *source) checkPair(o origin, t *TLS, pair pairCheck, now time.Time) {
	if pair.err != nil {
		o.fail("tls.key_file", "%s and %s: %v", t.CertFile, t.KeyFile, pair.err)
	} else if now.After(pair.expires) {
		o.warn("tls.cert_file", "%s has expired on %s", t.CertFile, pair.expires.UTC().Format(time.DateOnly))
	}
}

func (s *source) readPEM(o origin, key, path string) string {
	if path == "" {
		return ""
	}
	text, err := s.inputs.file(path, o.own(key), maxPEMBytes)
	if err == nil && len(text) == 0 {
		err = errEmpty
	}
	if err != nil {
		o.fail(key, "%s: %v", path, err)
		return ""
	}
	return text
}

var (
	errNoCertificate  = errors.New("holds no certificate in PEM form")
	errBadCertificate = errors.New("holds a certificate that cannot be read")
	errBadPair        = errors.New("the certificate and the key do not belong together or are not in PEM form")
)

// authority wants every block to be a certificate that parses: the standard
// library's pool would pass over a damaged one without a word.
func (p *pemChecks) authority(text string) error {
	err, known := p.authorities[text]
	if known {
		return err
	}
	count, rest := 0, []byte(text)
	for err == nil {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			err = fmt.Errorf("holds a %s among the certificates", printableKey(block.Type))
		} else if _, bad := x509.ParseCertificate(block.Bytes); bad != nil {
			err = errBadCertificate
		}
		count++
	}
	if err == nil && count == 0 {
		err = errNoCertificate
	}
	p.authorities[text] = err
	return err
}

// pair does not pass on the library's text, which may describe key material.
func (p *pemChecks) pair(cert, key string) pairCheck {
	id := [2]string{cert, key}
	if known, ok := p.pairs[id]; ok {
		return known
	}
	got := pairCheck{err: errBadPair}
	if pair, err := tls.X509KeyPair([]byte(cert), []byte(key)); err == nil {
		got = pairCheck{expires: pair.Leaf.NotAfter}
	}
	p.pairs[id] = got
	return got
}
