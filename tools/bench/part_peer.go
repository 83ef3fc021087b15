package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// peerWorkers is how many targets the peer is asked for at the same time.
const peerWorkers = 16

// contestant is one of the programs that read the same servers.
type contestant struct {
	name        string
	process     *process
	connections int                         // that a scrape reads
	times       int                         // scrapes in a round
	scrape      func(context.Context) error // everything once

	cpu, redis, wall []float64 // of each round: ms a connection, ms a connection, ms a scrape of all
}

// runPeer has the peer, the exporter and the floor read the same real servers
// in turns.
func runPeer(ctx context.Context, b *bench) error {
	servers, err := startServers(ctx, b, b.pick(100, 20))
	if err != nil {
		return err
	}
	defer stopServers(servers)
	for _, s := range servers {
		if err := s.use(); err != nil {
			return err
		}
	}
	l, err := contestants(ctx, b, servers)
	if err != nil {
		return err
	}
	defer l.stop()
	for round := range b.pick(9, 4) {
		for _, c := range l.all() {
			if err := c.round(ctx, servers, round > 0); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	b.reportPeer(l)
	return nil
}

// round has the contestant scrape. The first round is not counted: buffers get
// their size in it.
func (c *contestant) round(ctx context.Context, servers []*server, counts bool) error {
	redis := make([]*process, len(servers))
	for i, s := range servers {
		redis[i] = s.process
	}
	begin := time.Now()
	var own time.Duration
	theirs, err := cpuOf(func() (err error) {
		own, err = cpuOf(func() error {
			for range c.times {
				if err := c.scrape(ctx); err != nil {
					return err
				}
			}
			return nil
		}, c.process)
		return err
	}, redis...)
	if err != nil || !counts {
		return err
	}
	each := float64(c.times * c.connections)
	c.cpu = append(c.cpu, ms(own)/each)
	c.redis = append(c.redis, ms(theirs)/each)
	c.wall = append(c.wall, ms(time.Since(begin))/float64(c.times))
	return nil
}

// lineup is the contestants.
type lineup struct {
	ours, oursGzip   *contestant // one connection to each server
	many             *contestant // several connections to each server
	peer, peerGzip   *contestant
	floor, manyFloor *contestant
	series           int // of a connection of ours
	peerSeries       int // of a target of the peer

	processes []*process
}

func (l *lineup) all() []*contestant {
	return []*contestant{l.ours, l.peer, l.floor, l.oursGzip, l.peerGzip, l.many, l.manyFloor}
}

func (l *lineup) stop() {
	for _, p := range l.processes {
		p.stop()
	}
}

// each is how many connections the exporter has to each server where it has
// several: to as many databases, say.
const each = 10

// contestants starts them.
func contestants(ctx context.Context, b *bench, servers []*server) (*lineup, error) {
	l := &lineup{}
	var one, several []string
	for _, s := range servers {
		one = append(one, s.addr)
		several = append(several, repeat(s.addr, each)...)
	}
	err := errors.Join(l.addExporters(ctx, b, one, several), l.addPeer(ctx, b, one), l.addFloors(b, one, several))
	if err != nil {
		l.stop()
		return nil, err
	}
	return l, nil
}

func (l *lineup) addExporters(ctx context.Context, b *bench, one, several []string) error {
	scrape := func(e *exporter, encoding string) func(context.Context) error {
		return func(ctx context.Context) error { _, _, err := e.scrape(ctx, encoding); return err }
	}
	e, err := startExporter(ctx, b, (&fleet{addresses: one}).yaml())
	if err != nil {
		return err
	}
	l.processes = append(l.processes, e.process)
	page, err := e.warm(ctx, len(one))
	if err != nil {
		return err
	}
	l.series = countFleetSeries(page) / len(one)
	often := b.pick(20, 10)
	l.ours = &contestant{name: "exporter", process: e.process, connections: len(one), times: often, scrape: scrape(e, "")}
	l.oursGzip = &contestant{name: "exporter, gzip", process: e.process, connections: len(one), times: often, scrape: scrape(e, "gzip")}

	if e, err = startExporter(ctx, b, (&fleet{addresses: several}).yaml()); err != nil {
		return err
	}
	l.processes = append(l.processes, e.process)
	if _, err := e.warm(ctx, len(several)); err != nil {
		return err
	}
	l.many = &contestant{name: "exporter, many", process: e.process, connections: len(several), times: 4, scrape: scrape(e, "")}
	return nil
}

func (l *lineup) addPeer(ctx context.Context, b *bench, addresses []string) error {
	p, err := startPeer(ctx, b)
	if err != nil {
		return err
	}
	l.processes = append(l.processes, p.process)
	page, err := p.target(ctx, addresses[0], "")
	if err != nil {
		return err
	}
	l.peerSeries = countSeries(page)
	targets := func(encoding string) func(context.Context) error {
		return func(ctx context.Context) error { return p.targets(ctx, addresses, encoding) }
	}
	l.peer = &contestant{name: "peer", process: p.process, connections: len(addresses), times: 1, scrape: targets("")}
	l.peerGzip = &contestant{name: "peer, gzip", process: p.process, connections: len(addresses), times: 1, scrape: targets("gzip")}
	return nil
}

func (l *lineup) addFloors(b *bench, one, several []string) error {
	for _, try := range []struct {
		into      **contestant
		addresses []string
		times     int
	}{{&l.floor, one, b.pick(20, 10)}, {&l.manyFloor, several, 4}} {
		f, err := startFloor(try.addresses)
		if err != nil {
			return err
		}
		l.processes = append(l.processes, f)
		*try.into = &contestant{name: "floor", process: f, connections: len(try.addresses), times: try.times,
			scrape: func(context.Context) error { _, err := f.ask("1"); return err }}
	}
	return nil
}

func (b *bench) reportPeer(l *lineup) {
	r := b.report
	few, many := count(l.ours.connections), count(l.many.connections)
	r.add("exporter: CPU of a connection and scrape, "+many+" connections", "ms", atMost(0.10), l.many.cpu...)
	r.add("exporter: CPU of a connection and scrape, "+few+" connections", "ms", atMost(0.10), l.ours.cpu...)
	r.add("exporter: the same with a gzipped page", "ms", nil, l.oursGzip.cpu...)
	r.add("peer: CPU of a target's scrape", "ms", nil, l.peer.cpu...)
	r.add("peer: the same with a gzipped page", "ms", nil, l.peerGzip.cpu...)
	r.add("floor: CPU of PING and INFO, "+many+" connections", "ms", nil, l.manyFloor.cpu...)
	r.add("floor: CPU of PING and INFO, "+few+" connections", "ms", nil, l.floor.cpu...)
	r.add("peer / exporter, "+many+" connections", "×", atLeast(30), ratios(l.peer.cpu, l.many.cpu)...)
	r.add("peer / exporter, "+few+" connections", "×", atLeast(30), ratios(l.peer.cpu, l.ours.cpu)...)
	r.add("peer / exporter, "+few+" connections, both gzipped", "×", nil, ratios(l.peerGzip.cpu, l.oursGzip.cpu)...)
	r.add("exporter / floor, "+many+" connections", "×", atMost(3), ratios(l.many.cpu, l.manyFloor.cpu)...)
	r.add("exporter / floor, "+few+" connections", "×", atMost(3), ratios(l.ours.cpu, l.floor.cpu)...)
	r.add("exporter: series of a connection", "", nil, float64(l.series))
	r.add("peer: series of a target", "", nil, float64(l.peerSeries))
	r.add("exporter: CPU of Redis for a probe", "ms", nil, l.ours.redis...)
	r.add("peer: CPU of Redis for a scrape", "ms", nil, l.peer.redis...)
	r.add("floor: CPU of Redis for PING and INFO", "ms", nil, l.floor.redis...)
	r.add("exporter: all "+few+" servers", "ms", nil, l.ours.wall...)
	r.add(fmt.Sprintf("peer: all %s servers, %d at a time", few, peerWorkers), "ms", nil, l.peer.wall...)
	r.add(fmt.Sprintf("floor: all %s servers, %d at a time", few, floorWorkers), "ms", nil, l.floor.wall...)
}

// ratios divides round by round: what disturbs a round disturbs both.
func ratios(a, b []float64) []float64 {
	list := make([]float64, len(a))
	for i := range a {
		list[i] = a[i] / b[i]
	}
	return list
}

// startPeer starts the peer as Debian ships it.
func startPeer(ctx context.Context, b *bench) (*exporter, error) {
	var e *exporter
	err := withFreePort(func(port int) error {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		p, err := start("peer", nil, b.peer, "--web.listen-address="+addr, "--redis.addr=")
		if err != nil {
			return fmt.Errorf("is prometheus-redis-exporter installed? %w", err)
		}
		p.watch()
		e = &exporter{process: p, web: newWeb(addr)}
		return e.awaitReady(ctx, "/health")
	})
	return e, err
}

// target has the peer scrape one server.
func (w *web) target(ctx context.Context, addr, encoding string) ([]byte, error) {
	return w.get(ctx, "/scrape?target="+url.QueryEscape("redis://"+addr), encoding)
}

// targets has the peer scrape each server.
func (w *web) targets(ctx context.Context, addresses []string, encoding string) error {
	work := make(chan string, len(addresses))
	for _, addr := range addresses {
		work <- addr
	}
	close(work)
	var running sync.WaitGroup
	errs := make([]error, peerWorkers)
	for i := range peerWorkers {
		running.Go(func() {
			for addr := range work {
				if _, err := w.target(ctx, addr, encoding); err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

func startFloor(addresses []string) (*process, error) {
	f, err := startRole(roleFloor)
	if err != nil {
		return nil, err
	}
	if _, err := f.ask(strings.Join(addresses, " ")); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}
