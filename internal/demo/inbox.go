package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// inbox receives what Alertmanager would send to people. The path of a request
// names whom.
type inbox struct{ tell func(line string) }

// message is what is looked at of Alertmanager's webhook.
type message struct {
	Alerts []struct {
		Status string            `json:"status"`
		Labels map[string]string `json:"labels"`
	} `json:"alerts"`
}

const maxMessage = 4 << 20

// ServeHTTP tells each alert of a message in a line.
func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m message
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMessage)).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	whom := strings.TrimPrefix(r.URL.Path, "/")
	if whom == "heartbeat" { // every minute, and only its absence is of interest
		return
	}
	for _, a := range m.Alerts {
		i.tell(fmt.Sprintf("to %s: %s %s %s", whom, strings.ToUpper(a.Status), a.Labels["alertname"], about(a.Labels)))
	}
}

// about says what an alert is about.
func about(labels map[string]string) string {
	var words []string
	for _, name := range []string{"severity", "application", "connection", "queue", "pool", "instance"} {
		if v := labels[name]; v != "" {
			words = append(words, name+"="+v)
		}
	}
	return strings.Join(words, " ")
}

// serve answers on listener until ctx ends.
func (i *inbox) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: i, ReadTimeout: stopTimeout, WriteTimeout: stopTimeout}
	stop := context.AfterFunc(ctx, func() {
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(patience) // what is left is the demo's own
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
