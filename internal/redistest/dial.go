package redistest

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dialer dials the server as its default client does; nil means plain TCP.
func (s *Server) dialer() func(context.Context, string, string) (net.Conn, error) {
	if s.PKI == nil {
		return nil
	}
	d := &tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: s.PKI.ClientConfig(s.mutual)}
	d.Config.InsecureSkipVerify = true // also a server with an expired certificate must be reachable for its own test
	return d.DialContext
}

func (s *Server) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if d := s.dialer(); d != nil {
		return d(ctx, "tcp", s.Addr)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
}
