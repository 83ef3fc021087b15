package web

import (
	"net/http"
	"strconv"
)

// maxWarnings is how many warnings the landing page shows. "qftool check
// config" shows all of them.
const maxWarnings = 20

type landingData struct {
	Summary string
	Ready   bool
	Facts   []Fact
	Links   []Link
}

func (s *Site) landing(w http.ResponseWriter, r *http.Request) {
	s.Page(w, r, Page{Name: "landing", Title: "Overview", Data: landingData{
		Summary: s.o.Summary,
		Ready:   s.Config() != nil && s.o.Ready(),
		Facts:   append(s.facts(), s.configFacts()...),
		Links:   s.links,
	}})
}

// configFacts tell which configuration is in force.
func (s *Site) configFacts() []Fact {
	facts := []Fact{{Name: "Configuration file", Value: s.o.ConfigFile, Href: "config"}}
	if err := s.o.Store.LastError(); err != nil {
		facts = append(facts, Fact{Name: "Last reload", Value: "failed: " + s.o.Mask(err.Error()), Bad: true})
	}
	cfg := s.Config()
	if cfg == nil {
		return append(facts, Fact{Name: "Configuration", Value: "none yet", Bad: true})
	}
	facts = append(facts, Fact{Name: "Configuration hash", Value: cfg.Hash()[:min(len(cfg.Hash()), 12)]})
	broken := 0
	for _, fragment := range cfg.Fragments() {
		if !fragment.OK {
			broken++
			facts = append(facts, Fact{Name: "Fragment with mistakes", Value: fragment.File + ": " + s.o.Mask(fragment.Err.Error()), Bad: true})
		}
	}
	if n := len(cfg.Fragments()); n > 0 {
		facts = append(facts, Fact{Name: "Fragments", Value: strconv.Itoa(n-broken) + " of " + strconv.Itoa(n) + " in force"})
	}
	for i, warning := range cfg.Warnings() {
		if i == maxWarnings {
			return append(facts, Fact{Name: "Warnings", Value: strconv.Itoa(len(cfg.Warnings())-i) + " more"})
		}
		facts = append(facts, Fact{Name: "Warning", Value: s.o.Mask(warning.String())})
	}
	return facts
}
