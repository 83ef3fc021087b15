package web

import (
	"net/http"

	"github.com/queuefleet/queuefleet/configs"
)

// Write is a route that changes something or makes the program act.
type Write struct {
	Action    string // for the audit log
	Role      Role   // that it needs
	Lifecycle bool   // allowed over TCP by --web.enable-lifecycle instead of --web.enable-admin-api

	Target func(*http.Request) string                         // what it acts on; nil: the program
	Scope  func(target string) (scope Scope, err error)       // nil: the whole fleet; an error means that there is no such target
	Do     func(w http.ResponseWriter, r *http.Request) error // answers; the error is for the audit log
}

// Write returns a handler that lets through who may, and leaves a line in the
// audit log for everybody.
func (s *Site) Write(action Write) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		target := s.o.Program
		if action.Target != nil {
			target = action.Target(r)
		}
		user, status, err := s.admit(r, action, target)
		result := "denied"
		switch {
		case err == nil:
			result = "done"
			if err = action.Do(w, r); err != nil {
				result = "failed"
			}
		case status == http.StatusNotFound:
			result = "unknown target"
			s.Error(w, r, status, err.Error())
		default:
			s.Error(w, r, status, err.Error())
		}
		attrs := []any{"user", user, "remote", r.RemoteAddr, "action", action.Action, "target", target, "result", result}
		if err != nil {
			attrs = append(attrs, "err", err)
		}
		s.o.Logger.Info("Audit", attrs...)
	}
}

// admit returns who asks and, where that is not allowed, why and with which
// status.
func (s *Site) admit(r *http.Request, action Write, target string) (user string, status int, err error) {
	if !isControl(r) {
		if action.Lifecycle && !s.o.EnableLifecycle {
			return "", http.StatusForbidden, errLifecycleOff
		}
		if !action.Lifecycle && !s.o.EnableAdminAPI {
			return "", http.StatusForbidden, errAdminOff
		}
	}
	user, err = s.identify(r)
	if err != nil {
		return "", http.StatusInternalServerError, err
	}
	var access configs.Access
	if cfg := s.Config(); cfg != nil {
		access = cfg.Access
	}
	// Reloading needs no user where nobody has a role, as with Prometheus.
	if user == "" && (!action.Lifecycle || len(access.Users) > 0) {
		return "", http.StatusForbidden, errNobody
	}
	scope := Scope{Fleet: true}
	if action.Scope != nil {
		if scope, err = action.Scope(target); err != nil {
			return user, http.StatusNotFound, err
		}
	}
	if isControl(r) { // not by its name, which a certificate may bear, too
		return user, 0, nil
	}
	if err := authorize(access, user, action.Role, scope); err != nil {
		return user, http.StatusForbidden, err
	}
	return user, 0, nil
}
