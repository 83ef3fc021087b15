package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
)

// ServerOptions say where a handler is served. Handler, Toolkit and Logger are
// needed.
type ServerOptions struct {
	Handler       http.Handler
	Toolkit       *toolkit.FlagConfig // addresses, TLS and basic auth
	Listeners     []net.Listener      // instead of the addresses in Toolkit
	ControlSocket string              // path; empty: none
	Grace         time.Duration       // for answers that are under way when the server stops
	Logger        *slog.Logger
}

// Server listens, and serves once Run is called.
type Server struct {
	o         ServerOptions
	listeners []net.Listener
	vsock     []string     // addresses that only exporter-toolkit can listen on
	control   net.Listener // nil: none
}

// Listen opens everything that the server will answer on, so that a port that
// is taken is known before the program says it has started.
func Listen(o ServerOptions) (*Server, error) {
	s := &Server{o: o, listeners: o.Listeners}
	err := s.listen()
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *Server) listen() error {
	if path := s.o.ControlSocket; path != "" {
		l, err := listenControl(path)
		if err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
		s.control = l
	}
	if len(s.listeners) > 0 {
		return nil
	}
	flags := s.o.Toolkit
	if flags == nil {
		return toolkit.ErrNoListeners
	}
	if flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		listeners, err := activation.Listeners()
		if err == nil && len(listeners) == 0 {
			err = errors.New("systemd has passed no socket")
		}
		s.listeners = listeners
		return err
	}
	for _, address := range *flags.WebListenAddresses {
		if strings.HasPrefix(address, "vsock://") {
			s.vsock = append(s.vsock, address)
			continue
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		s.listeners = append(s.listeners, l)
	}
	return nil
}

func (s *Server) close() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
	if s.control != nil {
		_ = s.control.Close()
	}
}

// Run serves until ctx ends, then lets answers that are under way finish for
// as long as the grace is. It returns nil after an orderly stop.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	serve := func(server *http.Server, start func() error) {
		group.Go(func() error {
			if err := start(); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			s.stop(context.WithoutCancel(ctx), server)
			return nil
		})
	}
	// exporter-toolkit wraps the handler of the server it is given, so that
	// each listener needs a server of its own.
	flags := s.flags()
	for _, l := range s.listeners {
		server := s.server()
		serve(server, func() error { return toolkit.Serve(l, server, flags, s.o.Logger) })
	}
	for _, address := range s.vsock {
		server := s.server()
		own := *flags
		own.WebListenAddresses = &[]string{address}
		serve(server, func() error { return toolkit.ListenAndServe(server, &own, s.o.Logger) })
	}
	if s.control != nil {
		server := s.server()
		server.ConnContext = markControl
		s.o.Logger.Info("Listening on the control socket", "path", s.o.ControlSocket)
		serve(server, func() error { return server.Serve(s.control) })
	}
	err := group.Wait()
	s.close()
	return err
}

func (s *Server) flags() *toolkit.FlagConfig {
	if s.o.Toolkit != nil {
		return s.o.Toolkit
	}
	none := ""
	return &toolkit.FlagConfig{WebConfigFile: &none}
}

func (s *Server) server() *http.Server {
	return &http.Server{
		Handler:           s.o.Handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       3 * time.Minute, // longer than any usual scrape interval
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelWarn),
	}
}

func (s *Server) stop(ctx context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Grace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.o.Logger.Warn("Clients were cut off at shutdown", "err", err)
		_ = server.Close()
	}
}
