package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// The content types of our answers.
const (
	contentText    = "text/plain; charset=utf-8"
	contentHTML    = "text/html; charset=utf-8"
	contentJSON    = "application/json"
	contentMetrics = "text/plain; version=0.0.4; charset=utf-8"
)

// compressFrom is the size in bytes below which gzip is not worth its while.
const compressFrom = 1024

// envelope is the shape of every answer under /api, that of Prometheus.
type envelope struct {
	Status    string `json:"status"` // success | error
	Data      any    `json:"data,omitempty"`
	ErrorType string `json:"errorType,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Data answers an API request with data in the envelope.
func (s *Site) Data(w http.ResponseWriter, r *http.Request, data any) {
	s.JSON(w, r, http.StatusOK, envelope{Status: "success", Data: data})
}

// Error answers with a status and one sentence: in the envelope under /api, as
// plain text elsewhere.
func (s *Site) Error(w http.ResponseWriter, r *http.Request, status int, text string) {
	text = s.o.Mask(text)
	if isAPI(r) {
		s.JSON(w, r, status, envelope{Status: "error", ErrorType: errorType(status), Error: text})
		return
	}
	s.Body(w, r, status, contentText, []byte(text+"\n"))
}

// errorType names a status as Prometheus' API does.
func errorType(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "bad_data"
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusMethodNotAllowed:
		return "bad_method"
	case http.StatusTooManyRequests:
		return "too_many_requests"
	case http.StatusServiceUnavailable:
		return "unavailable"
	default:
		return "internal"
	}
}

// JSON answers with v.
func (s *Site) JSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	var buf bytes.Buffer
	if err := json.NewEncoder(&buf).Encode(v); err != nil {
		s.o.Logger.Error("Encoding an answer failed", "path", r.URL.Path, "err", err)
		s.Body(w, r, http.StatusInternalServerError, contentJSON,
			[]byte(`{"status":"error","errorType":"internal","error":"the answer could not be encoded"}`+"\n"))
		return
	}
	s.Body(w, r, status, contentJSON, buf.Bytes())
}

// Body answers with a whole body, compressed where the client takes that.
func (s *Site) Body(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Add("Vary", "Accept-Encoding")
	if len(body) < compressFrom || !acceptsGzip(r) {
		header.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body) // the client may have gone
		return
	}
	header.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	z := s.gzip.Get().(*gzip.Writer)
	defer s.gzip.Put(z)
	z.Reset(w)
	_, _ = z.Write(body)
	_ = z.Close()
}

// newGzipWriter makes a writer for the pool. Pages of metrics are megabytes
// that are read once, in the same data centre: speed matters, ratio hardly.
func newGzipWriter() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant of the package
	}
	return z
}

// acceptsGzip reads Accept-Encoding, "gzip;q=0" (never) included.
func acceptsGzip(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(value, ",") {
			name, params, _ := strings.Cut(coding, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			weight, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
			if !ok {
				return true
			}
			q, err := strconv.ParseFloat(weight, 64)
			return err == nil && q > 0
		}
	}
	return false
}
