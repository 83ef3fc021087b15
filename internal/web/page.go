package web

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/*
var staticFS embed.FS

// pages are the site's page templates by name, each with the layout around it.
type pages map[string]*template.Template

// add parses a page. The templates are part of the program, so that a broken
// one is no condition to handle.
func (p *pages) add(name string, files fs.FS, file string) {
	if *p == nil {
		*p = pages{}
	}
	t := template.New("layout.html").Funcs(functions())
	template.Must(t.ParseFS(templateFiles, "templates/layout.html", "templates/lists.html"))
	template.Must(t.ParseFS(files, file))
	(*p)[name] = t
}

// AddPage adds a page template: a file that defines "content".
func (s *Site) AddPage(name string, files fs.FS, file string) { s.pages.add(name, files, file) }

// layout is what the layout template is executed with.
type layout struct {
	Title   string
	Program string
	Version string
	Path    string // of this page, without the leading slash
	Links   []Link
	Assets  string // changes with the static files
	Data    any
}

// Page is a page for people.
type Page struct {
	Status int    // 0: 200
	Name   string // of the template
	Title  string
	Data   any
}

// Page answers with a page.
func (s *Site) Page(w http.ResponseWriter, r *http.Request, p Page) {
	var buf bytes.Buffer
	err := s.pages[p.Name].Execute(&buf, layout{
		Title:   p.Title,
		Program: s.o.Program,
		Version: s.o.Version,
		Path:    r.URL.Path[1:],
		Links:   s.links,
		Assets:  s.static.version,
		Data:    p.Data,
	})
	if err != nil {
		s.o.Logger.Error("Rendering a page failed", "page", p.Name, "err", err)
		s.Error(w, r, http.StatusInternalServerError, "the page could not be rendered")
		return
	}
	s.Body(w, r, cmp.Or(p.Status, http.StatusOK), contentHTML, buf.Bytes())
}

func functions() template.FuncMap {
	return template.FuncMap{
		"when":    newMoment,
		"age":     func(seconds *float64) string { return Age(*seconds) },
		"seconds": Seconds,
		"number":  Number,
	}
}

// moment is a point in time as the pages show it.
type moment struct {
	Known bool
	ISO   string
	Ago   string
}

func newMoment(now time.Time, t *time.Time) moment {
	if t == nil || t.IsZero() {
		return moment{}
	}
	return moment{Known: true, ISO: t.UTC().Format(time.RFC3339), Ago: Age(now.Sub(*t).Seconds()) + " ago"}
}

// Age writes a length of time in seconds in the largest sensible unit.
func Age(seconds float64) string {
	switch {
	case seconds < 0:
		return "0s"
	case seconds < 100:
		return strconv.FormatFloat(seconds, 'f', 0, 64) + "s"
	case seconds < 100*60:
		return strconv.FormatFloat(seconds/60, 'f', 0, 64) + "min"
	case seconds < 48*3600:
		return strconv.FormatFloat(seconds/3600, 'f', 0, 64) + "h"
	default:
		return strconv.FormatFloat(seconds/86400, 'f', 0, 64) + "d"
	}
}

// Seconds writes a latency, or a dash where it is not known.
func Seconds(seconds *float64) string {
	switch {
	case seconds == nil:
		return "–"
	case *seconds < 0.001:
		return fmt.Sprintf("%.0f µs", *seconds*1e6)
	case *seconds < 1:
		return fmt.Sprintf("%.1f ms", *seconds*1e3)
	default:
		return fmt.Sprintf("%.2f s", *seconds)
	}
}

// Number writes a count with its thousands apart, or a dash where it is not
// known.
func Number(value *float64) string {
	if value == nil {
		return "–"
	}
	digits := strconv.FormatFloat(*value, 'f', -1, 64)
	if *value != float64(int64(*value)) || *value < 0 {
		return digits
	}
	out := ""
	for len(digits) > 3 {
		out = "\u202f" + digits[len(digits)-3:] + out
		digits = digits[:len(digits)-3]
	}
	return digits + out
}

// staticFiles are the style sheet and the script.
type staticFiles struct {
	version string
	types   map[string]string
}

func newStaticFiles() staticFiles {
	entries, err := staticFS.ReadDir("static")
	if err != nil {
		panic(err) // embedded
	}
	hash := sha256.New()
	for _, entry := range entries {
		body, err := staticFS.ReadFile("static/" + entry.Name())
		if err != nil {
			panic(err) // embedded
		}
		hash.Write(body)
	}
	return staticFiles{
		version: hex.EncodeToString(hash.Sum(nil)[:6]),
		types: map[string]string{
			".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
		},
	}
}

// serveStatic serves a static file. Pages refer to it by its version, so that
// a browser may keep it.
func (s *Site) serveStatic(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	body, err := staticFS.ReadFile("static/" + name)
	contentType, known := s.static.types[path.Ext(name)]
	if err != nil || !known {
		s.Error(w, r, http.StatusNotFound, "there is no such file")
		return
	}
	if r.URL.Query().Get("v") == s.static.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	s.Body(w, r, http.StatusOK, contentType, body)
}
