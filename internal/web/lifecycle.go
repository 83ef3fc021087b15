package web

import (
	"net/http"
	"strings"
)

func (s *Site) healthy(w http.ResponseWriter, r *http.Request) {
	s.Body(w, r, http.StatusOK, contentText, []byte(s.o.Program+" is healthy.\n"))
}

func (s *Site) ready(w http.ResponseWriter, r *http.Request) {
	if s.Config() == nil || !s.o.Ready() {
		s.Error(w, r, http.StatusServiceUnavailable, s.o.Program+" is not ready.")
		return
	}
	s.Body(w, r, http.StatusOK, contentText, []byte(s.o.Program+" is ready.\n"))
}

// reloadHandler reloads the configuration. A configuration with mistakes is
// the client's fault, and all of them are in the answer.
func (s *Site) reloadHandler() http.HandlerFunc {
	return s.Write(Write{
		Action:    "reload",
		Role:      RoleAdmin,
		Lifecycle: true,
		Do: func(w http.ResponseWriter, r *http.Request) error {
			if err := s.o.Store.Reload(); err != nil {
				s.Error(w, r, http.StatusUnprocessableEntity, "the configuration was not reloaded, the one before stays in force:\n"+err.Error())
				return err
			}
			s.Body(w, r, http.StatusOK, contentText, []byte("the configuration was reloaded.\n"))
			return nil
		},
	})
}

// config shows the configuration in force without its secrets.
func (s *Site) config(w http.ResponseWriter, r *http.Request) {
	cfg := s.Config()
	if cfg == nil {
		s.Error(w, r, http.StatusServiceUnavailable, "there is no configuration yet")
		return
	}
	text, err := cfg.MaskedYAML()
	if err != nil {
		s.o.Logger.Error("Writing out the configuration failed", "err", err)
		s.Error(w, r, http.StatusInternalServerError, "the configuration could not be written out")
		return
	}
	// The configuration masks what is declared a secret; this also masks a
	// secret that somebody repeated in a note.
	s.Body(w, r, http.StatusOK, contentText, []byte(s.o.Mask(strings.TrimLeft(string(text), "\n"))))
}
