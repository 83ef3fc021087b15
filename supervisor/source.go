package supervisor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/queuefleet/queuefleet/internal/queue"
)

// source is a connection whose queues are read for the pools on it.
type source struct {
	connection string
	timeout    time.Duration
	pools      []*pool
	reading    bool
	scanning   bool
	request    readRequest
	count      int // readings

	up         *bool
	err        error
	readAt     time.Time
	seconds    float64
	discovered map[string][]string // by pattern's key
	retired    bool
}

// readRequest is what is to be read of a connection. It is not changed once it
// has been handed over.
type readRequest struct {
	connection string
	targets    []queue.Target // of the pools whose counts depend on them
	fixed      []queue.Target // of the others: read now and then, to be shown
	patterns   []queue.Pattern
}

// readResult is an answer.
type readResult struct {
	err     error // the connection does not answer
	figures map[queueKey]queueFigures
	found   map[string][]string // by pattern
}

type queueKey struct{ application, queue string }

func patternKey(p *queue.Pattern) string { return p.Application + "\x00" + p.Pattern }

// figureReader reads queues. It is called by one goroutine a connection at a
// time and may take until ctx ends.
type figureReader interface {
	read(ctx context.Context, r *readRequest, fixed []queue.Target) readResult // fixed: those of r to be read
	scan(ctx context.Context, r *readRequest) error
	timeouts(ctx context.Context, connection string, targets []queue.Target) ([]time.Duration, error) // see queue.LongestTimeouts
	forget(connection string)
}

// fixedEvery is within how many readings those queues are read once as well
// that decide nothing.
const fixedEvery = 30

// portion lists those of them whose turn it is: all at the first reading, then
// a few at each, since a thousand at once would show in memory and CPU time.
func (r *readRequest) portion(reading int) []queue.Target {
	n := len(r.fixed)
	if reading == 0 {
		return r.fixed
	}
	turn := reading % fixedEvery
	return r.fixed[n*turn/fixedEvery : n*(turn+1)/fixedEvery]
}

// resource makes the sources those of the pools.
func (l *loop) resource() {
	wanted := map[string][]*pool{}
	for _, p := range l.order {
		if !p.gone {
			wanted[p.def.conn.Name] = append(wanted[p.def.conn.Name], p)
		}
	}
	for name, s := range l.sources {
		if wanted[name] == nil {
			s.retired = true
			delete(l.sources, name)
			if !s.reading && !s.scanning {
				l.s.reader.forget(name)
			}
		}
	}
	for name, pools := range wanted {
		s := l.sources[name]
		if s == nil {
			s = &source{connection: name, discovered: map[string][]string{}}
			l.sources[name] = s
			l.poll(s)
		}
		s.pools, s.timeout = pools, pools[0].def.conn.ProbeTimeout.Std()
		s.request = newReadRequest(name, pools)
	}
	l.sourced, l.stale = true, true
}

func newReadRequest(connection string, pools []*pool) readRequest {
	r := readRequest{connection: connection}
	seen := map[queueKey]bool{}
	add := func(p *pool, to *[]queue.Target) {
		for _, s := range p.live() {
			for _, name := range s.queues {
				if key := (queueKey{p.def.app.Slug, name}); !seen[key] {
					seen[key] = true
					*to = append(*to, p.def.target(name))
				}
			}
		}
	}
	for _, p := range pools {
		if !p.def.fixed {
			add(p, &r.targets)
			r.patterns = append(r.patterns, p.def.patterns...)
		}
	}
	for _, p := range pools {
		if p.def.fixed {
			add(p, &r.fixed)
		}
	}
	return r
}

// poll reads a source now and then until it is retired.
func (l *loop) poll(s *source) {
	l.wakes.add(l.now(), func() { l.pollOnce(s) })
	l.wakes.add(l.now(), func() { l.scanOnce(s) })
}

func (l *loop) pollOnce(s *source) {
	if s.retired || l.draining {
		return
	}
	l.wakes.add(l.now().Add(l.s.o.ReadInterval), func() { l.pollOnce(s) })
	if s.reading { // its own deadline ends it
		return
	}
	s.reading = true
	request, fixed := s.request, s.request.portion(s.count)
	s.count++
	timeout := cmp.Or(s.timeout, 2*time.Second)
	l.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(l.background, timeout)
		defer cancel()
		begin := l.now()
		result := l.s.reader.read(ctx, &request, fixed)
		seconds := l.now().Sub(begin).Seconds()
		l.s.post(func(l *loop) { l.wasRead(s, result, seconds) })
	})
}

func (l *loop) scanOnce(s *source) {
	if s.retired || l.draining {
		return
	}
	l.wakes.add(l.now().Add(l.s.o.DiscoveryInterval), func() { l.scanOnce(s) })
	if s.scanning || len(s.request.patterns) == 0 {
		return
	}
	s.scanning = true
	request := s.request
	l.tasks.Go(func() {
		err := l.s.reader.scan(l.background, &request)
		l.s.post(func(l *loop) {
			s.scanning = false
			if err != nil && l.background.Err() == nil {
				l.log.Debug("Looking for queues by pattern ended early", "connection", s.connection, "err", err)
			}
			if s.retired && !s.reading {
				l.s.reader.forget(s.connection)
			}
		})
	})
}

// wasRead takes in what a reading brought, and decides.
func (l *loop) wasRead(s *source, r readResult, seconds float64) {
	s.reading, s.err, s.seconds = false, r.err, seconds
	l.sourced = true
	if s.retired {
		if !s.scanning {
			l.s.reader.forget(s.connection)
		}
		return
	}
	l.sourceIs(s, r.err == nil)
	if r.err != nil {
		for _, p := range s.pools {
			if !p.def.fixed {
				l.decide(p)
			}
		}
		return
	}
	s.readAt = l.now()
	changed := !equalNames(s.discovered, r.found)
	s.discovered = r.found
	for _, p := range s.pools {
		l.figures(p, r, changed)
	}
	if changed {
		s.request = newReadRequest(s.connection, s.pools)
	}
}

// figures takes in what was read for a pool.
func (l *loop) figures(p *pool, r readResult, discovered bool) {
	news := false
	for _, s := range p.live() {
		for _, name := range s.queues {
			if f, ok := r.figures[queueKey{p.def.app.Slug, name}]; ok {
				p.learn(name, f)
				news = true
			}
		}
	}
	if patterns := p.def.patterns; discovered && len(patterns) > 0 {
		p.shape(l.discovered(p))
		p.forgetQueues()
		if slices.ContainsFunc(p.live(), func(s *subPool) bool { return !s.ready }) {
			l.prepare(p)
		}
		news = true
		l.touch(p)
	}
	if news || p.decision == nil || !p.def.fixed {
		l.decide(p)
	}
}

// sourceIs notes whether a source answers, and starts again what has ended
// while it did not.
func (l *loop) sourceIs(s *source, up bool) {
	before := s.up
	s.up = &up
	if before != nil && *before == up {
		return
	}
	switch {
	case !up:
		l.log.Warn("Queue source does not answer: desired counts stay, and workers that end wait for it", "connection", s.connection, "err", s.err)
		l.event(Event{Slot: -1, Kind: EventSource, Text: "connection " + s.connection + " does not answer"})
	case before != nil:
		l.log.Info("Queue source answers again", "connection", s.connection)
		l.event(Event{Slot: -1, Kind: EventSource, Text: "connection " + s.connection + " answers again"})
	}
	for _, p := range s.pools {
		l.mark(p)
		if !up {
			continue
		}
		p.intensity = intensity{}
		now := l.now()
		p.all(func(w *worker) {
			if w.state == Backoff {
				w.held, w.failures, w.quick, w.retryAt = false, 0, 0, now
			}
		})
		l.touch(p)
	}
}

// sourceUp reports whether the source of a pool has answered lately.
func (l *loop) sourceUp(p *pool) bool {
	s := l.sources[p.def.conn.Name]
	return s != nil && s.up != nil && *s.up
}

// sourceAway reports whether it is known not to.
func (l *loop) sourceAway(p *pool) bool {
	s := l.sources[p.def.conn.Name]
	return s != nil && s.up != nil && !*s.up
}
