package web

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

func TestShutdownLetsAnswersFinish(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		w.WriteHeader(http.StatusTeapot)
	})
	l := loopback(t)
	server, err := Listen(ServerOptions{Handler: handler, Listeners: []net.Listener{l}, Grace: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	status := make(chan int, 1)
	client := tcpClient(t, nil)
	go func() { status <- send(t, client, "GET", "http://"+l.Addr().String(), "") }()
	<-entered
	cancel()
	// The port closes at once although the answer is still under way.
	redistest.WaitFor(t, "the port to close", func() bool {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	close(release)
	if got := <-status; got != http.StatusTeapot {
		t.Errorf("the answer under way: %d", got)
	}
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
}

func TestShutdownDoesNotWaitForEver(t *testing.T) {
	entered := make(chan struct{})
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	l := loopback(t)
	stop := start(t, ServerOptions{Handler: handler, Listeners: []net.Listener{l}, Grace: time.Millisecond})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if _, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
		t.Error("the client was not cut off")
	}
}
