package web

import (
	"net/http"
	"net/http/pprof"
	"os"
	"strings"
)

// addPprof adds the profiles of the Go runtime. They are on this mux only:
// http.DefaultServeMux, where the import puts them, is served nowhere.
func (s *Site) addPprof() {
	s.AddLink(Link{Path: "debug/pprof/", Text: "Profiles", Help: "of the Go runtime"})
	get := func(h http.HandlerFunc) Methods { return Methods{http.MethodGet: h} }
	s.Handle("/debug/pprof/", get(pprof.Index))
	s.Handle("/debug/pprof/profile", get(pprof.Profile))
	s.Handle("/debug/pprof/trace", get(pprof.Trace))
	s.Handle("/debug/pprof/symbol", Methods{http.MethodGet: pprof.Symbol, http.MethodPost: pprof.Symbol})
	s.Handle("/debug/pprof/cmdline", get(func(w http.ResponseWriter, r *http.Request) {
		s.Body(w, r, http.StatusOK, contentText, []byte(s.o.Mask(strings.Join(os.Args, "\x00"))))
	}))
}
