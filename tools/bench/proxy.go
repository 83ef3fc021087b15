package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// proxy forwards connections and holds every request back for a while, as a
// long way would.
type proxy struct {
	addr     string
	target   string
	delay    time.Duration
	listener net.Listener
	running  sync.WaitGroup
}

func startProxy(target string, delay time.Duration) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{addr: l.Addr().String(), target: target, delay: delay, listener: l}
	p.running.Go(p.accept)
	return p, nil
}

// stop stops listening. Connections end with their clients.
func (p *proxy) stop() {
	_ = p.listener.Close()
	p.running.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		go func() {
			_, _ = io.Copy(client, server)
			_ = client.Close()
		}()
		go p.forward(server, client)
	}
}

// piece is a part of a request and when it is to go on.
type piece struct {
	due  time.Time
	data []byte
}

// forward delays what the client says without holding up what comes after it:
// a request in many pieces is as late as one in a single piece.
func (p *proxy) forward(server, client net.Conn) {
	pieces := make(chan piece, 1024)
	go func() {
		defer server.Close()
		for piece := range pieces {
			time.Sleep(time.Until(piece.due))
			if _, err := server.Write(piece.data); err != nil {
				return
			}
		}
	}()
	defer close(pieces)
	for {
		data := make([]byte, 64<<10)
		n, err := client.Read(data)
		if err != nil {
			return
		}
		pieces <- piece{time.Now().Add(p.delay), data[:n]}
	}
}
