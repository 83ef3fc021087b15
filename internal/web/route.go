package web

import (
	"net/http"
	"slices"
	"strings"
)

// Methods are the handlers of a path by method. GET answers HEAD, too.
type Methods map[string]http.HandlerFunc

// Handle adds a route. The pattern is one of http.ServeMux without a method;
// without any methods the route is answered by 404.
func (s *Site) Handle(pattern string, methods Methods) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if handler, ok := methods[method]; ok {
			handler(w, r)
			return
		}
		if len(methods) == 0 {
			s.Error(w, r, http.StatusNotFound, "there is no such page")
			return
		}
		w.Header().Set("Allow", methods.allow())
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		s.Error(w, r, http.StatusMethodNotAllowed, "use "+methods.allow())
	})
}

func (m Methods) allow() string {
	names := []string{http.MethodOptions}
	for name := range m {
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// isAPI reports whether answers to r are in the envelope.
func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }
