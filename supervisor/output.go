package supervisor

import (
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// parser reads what a process's output tells of jobs. It belongs to one process.
type parser interface {
	line(proc.Line) []jobEvent
	end(clean bool) []jobEvent // after the last line
}

// jobEvent is something that a worker's output tells.
type jobEvent struct {
	begun    bool      // else it has ended
	silent   bool      // begun, and its end may not be told
	result   JobResult // of one that has ended
	queue    string    // "" = not told
	job      string
	duration time.Duration // less than 0 = not told
	wait     time.Duration // less than 0 = not told
}

// note is a jobEvent on its way to the loop.
type note struct {
	worker  *worker
	process uint64
	event   jobEvent
}

// observer returns what is shown each line of a worker's output, nil where
// nobody would understand it.
func (l *loop) observer(w *worker) func(proc.Line) {
	w.parser = nil
	if w.pool.def.traits.parser == nil {
		return nil
	}
	w.parser = w.pool.def.traits.parser()
	parser, process, notes := w.parser, w.process, l.s.notes
	return func(line proc.Line) {
		for _, e := range parser.line(line) {
			notes.Put(note{w, process, e})
		}
	}
}

// outputEnded takes in what the end of a process's output tells.
func (l *loop) outputEnded(e *ended) {
	if e.parser == nil {
		return
	}
	for _, event := range e.parser.end(e.clean) {
		l.noted(note{e.worker, e.process, event})
	}
}

// noted takes in what output tells.
func (l *loop) noted(n note) {
	w, e := n.worker, n.event
	p := w.pool
	l.mark(p)
	if !e.begun {
		l.jobEnded(p, w.sub, e)
	}
	if w.child == nil || w.process != n.process {
		return // the end of a process may overtake its last lines
	}
	unseen := l.booting[w]
	l.ready(w)
	if unseen {
		l.booting[w] = true // it works, but may not handle signals
	}
	if e.begun {
		w.activity, w.job, w.jobSince, w.silent = Busy, e.job, l.now(), e.silent
		if e.wait >= 0 {
			p.count().WaitSeconds.observe(e.wait.Seconds())
		}
		return
	}
	w.activity, w.job, w.jobSince = Idle, "", time.Time{}
	w.jobs++
	if w.state == Running && w.sub.excess() {
		l.touch(p) // a worker may leave now that could not before
	}
}

// jobEnded counts a job.
func (l *loop) jobEnded(p *pool, s *subPool, e jobEvent) {
	p.count().JobResults[e.result]++
	if e.duration < 0 {
		return
	}
	p.count().JobSeconds.observe(e.duration.Seconds())
	names := []string{e.queue}
	if e.queue == "" {
		names = s.queues
	}
	for _, name := range names {
		a := p.runtimes[name]
		if a == nil {
			a = &average{}
			if p.runtimes == nil {
				p.runtimes = map[string]*average{}
			}
			p.runtimes[name] = a
		}
		a.add(float64(e.duration) / float64(time.Millisecond))
	}
}

// excess reports whether the sub-pool has more workers than are wanted.
func (s *subPool) excess() bool {
	active := 0
	for _, w := range s.workers {
		if w.active() {
			active++
		}
	}
	return active > s.wanted
}
