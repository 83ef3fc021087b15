package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"

	"golang.org/x/crypto/bcrypt"

	"github.com/queuefleet/queuefleet/configs"
)

// Role is what a user may do. A greater one includes the lesser.
type Role int

// The roles of access.users.
const (
	RoleViewer   Role = iota // reads
	RoleOperator             // acts on the connections and queues of its applications
	RoleAdmin                // acts on everything, the configuration included
)

// String returns the role as the configuration names it.
func (r Role) String() string { return [...]string{"viewer", "operator", "admin"}[r] }

func parseRole(name string) Role {
	for _, role := range []Role{RoleAdmin, RoleOperator} {
		if name == role.String() {
			return role
		}
	}
	return RoleViewer
}

// controlUser is who speaks through the control socket: whoever may open it.
const controlUser = "control-socket"

type controlKey struct{}

// markControl marks the connections of the control socket. Nothing that a
// client sends over TCP can make this mark.
func markControl(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, controlKey{}, true)
}

func isControl(r *http.Request) bool { return r.Context().Value(controlKey{}) != nil }

var (
	errAdminOff     = errors.New("writes over TCP are turned off: start with --web.enable-admin-api, or use the control socket")
	errLifecycleOff = errors.New("reloading over TCP is turned off: start with --web.enable-lifecycle, send SIGHUP, or use the control socket")
	errNobody       = errors.New("writes need a verified user: configure basic_auth_users or client certificates in --web.config.file, or use the control socket")
)

// identify returns the user that r verifiably comes from, or "" where it comes
// from nobody in particular.
//
// Basic auth is verified here once more although exporter-toolkit does it,
// since that lets everything through, credentials included, as soon as its file
// names no users.
func (s *Site) identify(r *http.Request) (string, error) {
	if isControl(r) {
		return controlUser, nil
	}
	if user, password, ok := r.BasicAuth(); ok && s.o.WebConfigFile != "" {
		web, err := configs.LoadWebConfig(s.o.WebConfigFile)
		if err != nil {
			return "", err
		}
		hash, known := web.Users[user]
		if known && bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil {
			return user, nil
		}
		if len(web.Users) > 0 {
			return "", nil // wrong credentials are not made good by a certificate
		}
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return r.TLS.VerifiedChains[0][0].Subject.CommonName, nil
	}
	return "", nil
}

// authorize decides whether user may do what needs a role on something that
// belongs to applications; fleetWide where it belongs to none.
func authorize(access configs.Access, user string, need Role, scope Scope) error {
	if len(access.Users) == 0 {
		return nil
	}
	known := false
	for _, entry := range access.Users {
		if entry.User != user {
			continue
		}
		known = true
		if parseRole(entry.Role) >= need && covers(entry.Applications, scope) {
			return nil
		}
	}
	if !known {
		return fmt.Errorf("user %q has no role in access.users", user)
	}
	return fmt.Errorf("user %q may not do this: it needs the role %s for %s", user, need, scope)
}

// Scope is what an action touches: the whole fleet, or what belongs to some
// applications.
type Scope struct {
	Fleet        bool
	Applications []string // where not Fleet; may be empty
}

// String names the scope in an error.
func (s Scope) String() string {
	switch {
	case s.Fleet:
		return "all applications"
	case len(s.Applications) == 0:
		return "all applications, since it belongs to none"
	default:
		return fmt.Sprintf("one of the applications %q", s.Applications)
	}
}

// covers reports whether globs on applications, none meaning all, reach
// something in the scope.
func covers(globs []string, scope Scope) bool {
	if len(globs) == 0 {
		return true
	}
	for _, application := range scope.Applications {
		for _, glob := range globs {
			if ok, err := path.Match(glob, application); err == nil && ok && !scope.Fleet {
				return true
			}
		}
	}
	return false
}

// CheckAccess returns an error where cfg gives roles to users although the web
// configuration in the file verifies nobody: the roles would protect nothing.
func CheckAccess(cfg *configs.Config, webConfigFile string) error {
	if len(cfg.Access.Users) == 0 {
		return nil
	}
	if webConfigFile == "" {
		return errors.New("access.users gives roles to users, but without --web.config.file nobody is verified")
	}
	web, err := configs.LoadWebConfig(webConfigFile)
	if err != nil {
		return fmt.Errorf("access.users: %w", err)
	}
	if len(web.Users) == 0 && !web.VerifiesClients {
		return fmt.Errorf("access.users gives roles to users, but %s has neither basic_auth_users nor client certificates that are verified", webConfigFile)
	}
	return nil
}
