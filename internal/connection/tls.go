package connection

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync"
)

// keyring is the certificates of one or more connections, parsed when the first
// socket needs them: of ten thousand connections most share one authority.
type keyring struct {
	parse func() (*tls.Config, error)
}

func newKeyring(m material) *keyring {
	return &keyring{parse: sync.OnceValues(m.config)}
}

// config parses the certificates. Load has done so before, hence an error here
// is one of a caller that built its own configuration.
func (m material) config() (*tls.Config, error) {
	c := new(tls.Config)
	if m.ca != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(m.ca)) {
			return nil, &failure{reason: ReasonTLS, text: "ca_file holds no certificate"}
		}
	}
	if m.cert != "" || !m.key.IsZero() {
		pair, err := tls.X509KeyPair([]byte(m.cert), []byte(m.key.Reveal()))
		if err != nil {
			return nil, &failure{reason: ReasonTLS, text: "cert_file and key_file: " + err.Error()}
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// minVersions are the values of min_version; what is not named here, an unset
// one included, means TLS 1.2.
var minVersions = map[string]uint16{
	"TLS10": tls.VersionTLS10, "TLS11": tls.VersionTLS11, "TLS12": tls.VersionTLS12, "TLS13": tls.VersionTLS13,
}

// handshake makes a TLS connection of socket and notes when the server's
// certificate ends, also where the handshake fails because it has.
func (d *dialer) handshake(ctx context.Context, socket net.Conn, address string) (net.Conn, error) {
	shared, err := d.keyring.Load().parse()
	if err != nil {
		return nil, err
	}
	config := shared.Clone()
	config.InsecureSkipVerify = d.spec.insecureSkipVerify
	if config.MinVersion = minVersions[d.spec.minVersion]; config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS12
	}
	if config.ServerName = d.spec.serverName; config.ServerName == "" {
		if config.ServerName, _, err = net.SplitHostPort(address); err != nil {
			config.ServerName = "localhost" // a Unix socket
		}
	}
	secure := tls.Client(socket, config)
	err = secure.HandshakeContext(ctx)
	if rejected, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		d.noteCertificate(rejected.UnverifiedCertificates)
	}
	if err != nil {
		return nil, handshakeFailure(address, err)
	}
	d.noteCertificate(secure.ConnectionState().PeerCertificates)
	return secure, nil
}

func handshakeFailure(address string, err error) error {
	f := &failure{reason: ReasonTLS, text: "TLS handshake with " + address + ": " + innermost(err), cause: err}
	switch {
	case isTimeout(err):
		f.reason = ReasonTimeout
	case isClosed(err): // as a Redis does that has no room for another client
		f.reason = ReasonEOF
	}
	return f
}

func (d *dialer) noteCertificate(chain []*x509.Certificate) {
	if len(chain) > 0 {
		d.certificateEnd.Store(chain[0].NotAfter.Unix())
	}
}
