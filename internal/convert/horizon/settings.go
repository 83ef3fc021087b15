package horizon

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// settings are those of a server, with what its URL says on top.
type settings struct {
	n   *node
	url map[string]string
}

func (s *settings) either(key string) *node {
	if text, ok := s.url[key]; ok {
		return &node{kind: "string", text: text}
	}
	return s.n.get(key)
}

// readURL takes url apart as Laravel does. Errors do not show it: there may be
// a password in it.
func (s *settings) readURL() error {
	text := s.n.get("url").str()
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" && u.Path == "" {
		return errors.New("is no URL")
	}
	s.url = map[string]string{"scheme": strings.ToLower(u.Scheme)}
	set := func(key, value string) {
		if value != "" {
			s.url[key] = value
		}
	}
	set("host", u.Hostname())
	set("port", u.Port())
	set("database", strings.TrimPrefix(u.Path, "/"))
	if u.User != nil {
		set("username", u.User.Username())
		password, _ := u.User.Password()
		set("password", password)
	}
	for key, values := range u.Query() {
		s.url[key] = values[len(values)-1]
	}
	return nil
}

// address is where the server is, in Queuefleet's form.
func (s *settings) address() (address string, secure bool, err error) {
	scheme, host := strings.ToLower(s.either("scheme").str()), s.either("host").str()
	if before, after, ok := strings.Cut(host, "://"); ok {
		scheme, host = strings.ToLower(before), after
	}
	if path := s.either("path").str(); scheme == "unix" && path != "" {
		host = path
	}
	if strings.HasPrefix(host, "/") {
		return "unix://" + host, false, nil
	}
	if host == "" {
		return "", false, errors.New("it has no host")
	}
	port := 6379
	if p := s.either("port"); p.given() && p.str() != "" {
		if port, err = p.integer(); err != nil {
			return "", false, fmt.Errorf("port: %w", err)
		}
	}
	host = strings.Trim(host, "[]")
	return net.JoinHostPort(host, strconv.Itoa(port)), slices.Contains([]string{"tls", "ssl", "rediss", "tlsv1.2", "tlsv1.3"}, scheme), nil
}

func (s *settings) database() (int, error) {
	n := s.either("database")
	if !n.given() || n.str() == "" {
		return 0, nil
	}
	number, err := n.integer()
	if err == nil && number < 0 {
		err = fmt.Errorf("%d is negative", number)
	}
	if err != nil {
		return 0, err
	}
	return number, nil
}

// tls reads PHP's options of a stream, from wherever a client wants them.
func (c *converter) tls(place string, context, ssl *node) *configs.TLS {
	t := &configs.TLS{MinVersion: "TLS12"}
	options := context
	for _, one := range []*node{context.get("stream"), context.get("ssl"), ssl} {
		if one.isArray() {
			options = one
		}
	}
	if !options.isArray() {
		return t
	}
	var left []string
	for _, p := range options.pairs {
		switch p.key {
		case "cafile":
			t.CAFile = p.value.str()
		case "local_cert":
			t.CertFile = p.value.str()
		case "local_pk":
			t.KeyFile = p.value.str()
		case "peer_name":
			t.ServerName = p.value.str()
		case "verify_peer", "verify_peer_name":
			t.InsecureSkipVerify = t.InsecureSkipVerify || p.value.given() && !p.value.truthy()
		case "crypto_method":
			t.MinVersion = cryptoMethod(p.value, t.MinVersion)
		default:
			if p.value.truthy() {
				left = append(left, p.key)
			}
		}
	}
	if t.CertFile != "" && t.KeyFile == "" {
		t.KeyFile = t.CertFile // PHP looks for the key there
	}
	if len(left) > 0 {
		c.warn("%s: TLS options %s are left out", place, strings.Join(left, ", "))
	}
	return t
}

// cryptoMethod is the lowest version of TLS in PHP's bits.
func cryptoMethod(n *node, otherwise string) string {
	bits, err := n.integer()
	if err != nil {
		return otherwise
	}
	for i, version := range []string{"TLS10", "TLS11", "TLS12", "TLS13"} {
		if bits&(1<<(3+i)) != 0 {
			return version
		}
	}
	return otherwise
}
