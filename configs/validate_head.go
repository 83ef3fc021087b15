package configs

import (
	"slices"
	"strings"
)

var roles = []string{"viewer", "operator", "admin"}

// checkHead checks what only the main file holds.
func (l *loader) checkHead() {
	s := l.main
	if s.head.Global.ProbeTimeout <= 0 {
		s.problem(s.line("global.probe_timeout"), "global.probe_timeout", "must be more than 0")
		s.head.Global.ProbeTimeout = defaultGlobal().ProbeTimeout // said once, not again at every connection
	}
	for i, inc := range s.head.Include {
		s.checkInclude(i, &inc)
	}
	s.checkAccess()
	l.checkDefaults()
}

func (s *source) checkInclude(i int, inc *Include) {
	key := indexed("include", i)
	if inc.Path == "" {
		s.problem(s.line(key), key+".path", "is missing")
	}
	for _, list := range []struct {
		key   string
		globs []string
	}{{"applications", inc.Applications}, {"addresses", inc.Addresses}} {
		for j, glob := range list.globs {
			if glob == "" || badPattern(glob) {
				at := indexed(key+"."+list.key, j)
				s.problem(s.line(at), at, "is no valid pattern (* ? [a-z] and \\ to escape)")
			}
		}
	}
}

func (s *source) checkAccess() {
	first := map[string]int{}
	for i, u := range s.head.Access.Users {
		key := indexed("access.users", i)
		line := s.line(key)
		if at, twice := first[u.User]; twice {
			s.problem(line, key+".user", "%.64q is already in access.users[%d]", u.User, at)
		} else {
			first[u.User] = i
		}
		if u.User == "" {
			s.problem(line, key+".user", "is missing")
		}
		if !slices.Contains(roles, u.Role) {
			s.problem(s.line(key+".role"), key+".role", "%.64q is none of viewer, operator, admin%s", u.Role, didYouMean(u.Role, roles))
		}
		for j, glob := range u.Applications {
			if glob == "" || badPattern(glob) {
				at := indexed(key+".applications", j)
				s.problem(s.line(at), at, "is no valid pattern (* ? [a-z] and \\ to escape)")
			}
		}
	}
}

// checkDefaults checks the defaults as if an entry had only them, so that a
// mistake there is the main file's and not that of each entry.
func (l *loader) checkDefaults() {
	s := l.main
	for _, key := range []string{"connection.name", "connection.deleted_at", "application.slug", "application.deleted_at", "queue.name", "queue.deleted_at"} {
		if n := find(s.defaults, key); n != nil && !isNull(n) {
			s.problem(n.Line, "defaults."+key, "has no place among the defaults")
		}
	}
	trial := &source{file: s.file, mainFile: s.file, defaults: s.defaults, inputs: s.inputs}
	at := func(list string) origin { return origin{trial, list, -1} }
	c, a, q := s.head.Defaults.Connection, s.head.Defaults.Application, s.head.Defaults.Queue
	completeConnection(&c, &s.head.Global)
	checkConnection(at(listConnections), &c, l.now)
	checkApplication(at(listApplications), &a)
	if q.Worker != nil {
		w := *q.Worker
		q.Worker = &w
	}
	completeQueue(&q)
	checkQueue(at(listQueues), &q)
	for _, e := range trial.errs {
		if strings.HasPrefix(e.Path, "defaults.") {
			s.errs = append(s.errs, e)
		}
	}
}
