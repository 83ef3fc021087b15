package fleet

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/internal/web"
)

// probe answers with the series of one connection. It takes the name of a
// configured connection and nothing else: an address would let anybody who
// reaches the exporter reach whatever the exporter can.
func (h *handlers) probe(w http.ResponseWriter, r *http.Request) {
	names := r.URL.Query()[keyConnection]
	if len(names) != 1 || names[0] == "" {
		h.site.Error(w, r, http.StatusBadRequest, "name one configured connection: /probe?connection=NAME")
		return
	}
	page, err := h.site.Scrape(r, func(ctx context.Context) (io.WriterTo, error) {
		return h.fleet.Scrape(ctx, names)
	})
	switch {
	case errors.Is(err, collector.ErrUnknownConnection):
		h.site.Page(w, r, web.Page{Status: http.StatusNotFound, Name: "unknown", Title: "Unknown connection", Data: names[0]})
	case err != nil:
		h.site.ScrapeFailed(w, r, err)
	default:
		h.site.Metrics(w, r, page)
	}
}
