package connection

import (
	"log/slog"
	"sync"

	"github.com/queuefleet/queuefleet/configs"
)

// Set is the connections of the configuration in force.
type Set struct {
	logger  *slog.Logger
	closing sync.WaitGroup

	mu       sync.Mutex
	members  map[string]*member
	keyrings map[material]*keyring
}

// member is a client with its users. A retired one is closed when the last of
// them leaves.
type member struct {
	client  *Client
	secrets secrets
	users   int
	retired bool
}

// NewSet returns an empty set.
func NewSet(logger *slog.Logger) *Set {
	return &Set{logger: logger, members: map[string]*member{}}
}

// Apply makes conns the members of the set, those that are inactive or deleted
// left out. A connection whose address, user, options and TLS settings stay
// keeps its sockets, and takes a changed password or certificate for those to
// come. Apply dials nothing and waits for nobody.
func (s *Set) Apply(conns []configs.Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	members := make(map[string]*member, len(conns))
	keyrings := map[material]*keyring{}
	kept := 0
	for i := range conns {
		if !conns[i].Probed() {
			continue
		}
		m, stays := s.memberFor(&conns[i], keyrings)
		members[conns[i].Name] = m
		if stays {
			kept++
		}
	}
	var done []*Client
	for name, m := range s.members {
		if members[name] == m {
			continue
		}
		if m.retired = true; m.users == 0 {
			done = append(done, m.client)
		}
	}
	s.logger.Debug("connections applied", "kept", kept, "opened", len(members)-kept, "retired", len(s.members)-kept)
	s.members, s.keyrings = members, keyrings
	if len(done) == 0 {
		return
	}
	// TLS says goodbye first, which may take a moment where the peer does not read.
	s.closing.Go(func() {
		for _, c := range done {
			s.close(c)
		}
	})
}

// memberFor returns the present member where its sockets serve the
// configuration too, else a new one.
func (s *Set) memberFor(c *configs.Connection, keyrings map[material]*keyring) (m *member, stays bool) {
	want, secret := specOf(c), secretsOf(c)
	ring := s.keyring(secret.tls, keyrings)
	m, found := s.members[c.Name]
	if !found || m.client.dialer.spec != want {
		return &member{client: newClient(c.Name, want, secret, ring), secrets: secret}, false
	}
	if m.secrets != secret {
		m.client.rotate(secret, ring)
		m.secrets = secret
	}
	return m, true
}

// keyring returns the one of m, shared by all connections that have the same.
func (s *Set) keyring(m material, next map[material]*keyring) *keyring {
	ring := next[m]
	if ring == nil {
		if ring = s.keyrings[m]; ring == nil {
			ring = newKeyring(m)
		}
		next[m] = ring
	}
	return ring
}

// Acquire returns the client of that name until release is called. ok is false
// where the configuration has no such connection, or not an active one.
func (s *Set) Acquire(name string) (client *Client, release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.members[name]
	if !ok {
		return nil, func() {}, false
	}
	m.users++
	return m.client, sync.OnceFunc(func() { s.release(m) }), true
}

func (s *Set) release(m *member) {
	s.mu.Lock()
	m.users--
	last := m.retired && m.users == 0
	s.mu.Unlock()
	if last {
		s.close(m.client)
	}
}

func (s *Set) close(c *Client) {
	if err := c.Close(); err != nil {
		s.logger.Debug("closing a retired connection failed", "connection", c.Name(), "err", err)
	}
}

// Close retires every connection and waits until the sockets of those without
// users are closed; the others close when their last user leaves.
func (s *Set) Close() {
	s.Apply(nil)
	s.closing.Wait()
}
