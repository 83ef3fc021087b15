package configs

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
)

// checkLimits holds a fragment against what its include allows. It looks at
// the effective entries: what is inherited from the defaults has its effect
// here too.
func (s *source) checkLimits(root rootUsers) {
	if s.limits == nil {
		return
	}
	for o, c := range s.eachConnection() {
		s.limitAddresses(o, c)
		s.limitSecrets(o, "", c.PasswordEnv, c.PasswordFile)
		if c.Sentinel != nil {
			s.limitSecrets(o, "sentinel.", c.Sentinel.PasswordEnv, c.Sentinel.PasswordFile)
		}
		if t := c.TLS; t != nil {
			s.limitFile(o, "tls.ca_file", t.CAFile)
			s.limitFile(o, "tls.cert_file", t.CertFile)
			s.limitFile(o, "tls.key_file", t.KeyFile)
		}
	}
	for o, a := range s.eachApplication() {
		s.limitApplication(o, "slug", a.Slug)
	}
	for o, q := range s.eachQueue() {
		s.limitApplication(o, "application", q.Application)
		if q.Worker != nil {
			s.limitWorker(o, q.Worker, root)
		}
	}
}

func (s *source) limitApplication(o origin, key, slug string) {
	if slug != "" && !matchesAny(s.limits.Applications, slug) {
		o.fail(key, "%.64q is not among the applications that the include allows", slug)
	}
}

func (s *source) limitAddresses(o origin, c *Connection) {
	key := map[string]string{"sentinel": "sentinel.addresses", "cluster": "cluster.addresses"}[c.Mode()]
	for i, address := range c.Addresses() {
		if address == "" || s.addressAllowed(address) {
			continue
		}
		at := "address"
		if key != "" {
			at = indexed(key, i)
		}
		o.fail(at, "is not among the addresses that the include allows")
	}
}

// addressAllowed compares hosts without regard to case, as names are.
func (s *source) addressAllowed(address string) bool {
	if strings.HasPrefix(address, unixScheme) {
		return matchesAny(s.limits.Addresses, address)
	}
	globs := make([]string, len(s.limits.Addresses))
	for i, glob := range s.limits.Addresses {
		globs[i] = strings.ToLower(glob)
	}
	return matchesAny(globs, strings.ToLower(address))
}

func (s *source) limitSecrets(o origin, prefix, env, file string) {
	if s.limits.SecretDir != "" && env != "" && o.own(prefix+"password_env") {
		o.fail(prefix+"password_env", "is not allowed: the include takes secrets only from secret_dir")
	}
	s.limitFile(o, prefix+"password_file", file)
}

// limitFile compares names; symbolic links are looked at when the file is
// opened.
func (s *source) limitFile(o origin, key, file string) {
	if s.limits.SecretDir == "" || file == "" || !o.own(key) {
		return
	}
	if _, ok := relativeTo(s.limits.SecretDir, file); !ok {
		o.fail(key, "lies outside secret_dir (%s), to which the include confines the files of this fragment", s.limits.SecretDir)
	}
}

func (s *source) limitWorker(o origin, w *Worker, root rootUsers) {
	s.limitFile(o, "worker.environment_file", w.EnvironmentFile)
	if w.EnvironmentFile != "" && o.own("worker.environment_file") {
		w.SecretDir = s.limits.SecretDir // it is opened only when workers are started
	}
	switch allowed := s.limits.Users; {
	case root.is(w.User):
		o.fail("worker.user", "root may be named only in the main file")
	case len(allowed) > 0 && !slices.Contains(allowed, w.User):
		o.fail("worker.user", "must be one of the users that the include allows: %s", strings.Join(allowed, ", "))
	}
	switch allowed := s.limits.Users; {
	case w.Group == "":
	case w.Group == "root" || isZero(w.Group):
		o.fail("worker.group", "root may be named only in the main file")
	case len(allowed) > 0 && !slices.Contains(allowed, w.Group):
		o.fail("worker.group", "must be the group of one of the users that the include allows: %s", strings.Join(allowed, ", "))
	}
}

// matchesAny reports whether text matches one of the globs, or is one to the
// letter, as an IPv6 address with its brackets; no globs allow everything.
func matchesAny(globs []string, text string) bool {
	if len(globs) == 0 {
		return true
	}
	for _, glob := range globs {
		if glob == text || matches(glob, text) {
			return true
		}
	}
	return false
}

func isZero(number string) bool {
	n, err := strconv.ParseInt(number, 0, 64)
	return err == nil && n == 0
}

// rootUsers are the names under which this machine knows uid 0.
type rootUsers map[string]bool

func (r rootUsers) is(user string) bool { return user == "root" || isZero(user) || r[user] }

// readRootUsers reads the password file itself: names from elsewhere (LDAP)
// may take arbitrarily long, and the supervisor looks at the uid again.
func readRootUsers() rootUsers {
	users := rootUsers{}
	f, err := os.Open("/etc/passwd")
	if err != nil {
		return users // none known beyond root itself
	}
	defer f.Close() //nolint:errcheck // read only
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if part := strings.SplitN(lines.Text(), ":", 4); len(part) == 4 && isZero(part[2]) {
			users[part[0]] = true
		}
	}
	return users
}
