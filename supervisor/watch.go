package supervisor

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// What workers use is measured every usageInterval, or less often where there
// are many: reading it costs some 20 µs a worker, which is to be less than a
// thousandth of a core.
const (
	usageInterval = 5 * time.Second
	usageOfWorker = 50 * time.Millisecond
)

// readyInterval is between two looks at workers that boot.
const readyInterval = 50 * time.Millisecond

// watchPaths looks at the restart_on paths of all pools, each in a goroutine of
// its own, since a file system may not answer.
func (l *loop) watchPaths() {
	for _, p := range l.order {
		paths := p.def.queue.Worker.RestartOn
		if len(paths) == 0 || p.watching || p.gone || l.draining {
			continue
		}
		p.watching = true
		go func() {
			prints := map[string]string{}
			for _, path := range paths {
				if print, err := fingerprint(path); err == nil {
					prints[path] = print
				} // a path is missing for a moment while a deploy replaces it
			}
			l.s.post(func(l *loop) { l.sawPaths(p, prints) })
		}()
	}
}

// fingerprint changes when path is another file or leads to another one.
func fingerprint(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	print := info.ModTime().UTC().Format(time.RFC3339Nano) + " " + info.Mode().String()
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		return print + " " + target, err
	}
	return print, nil
}

// sawPaths replaces a pool's workers where a path has changed. What is seen for
// the first time has not.
func (l *loop) sawPaths(p *pool, prints map[string]string) {
	p.watching = false
	if p.fingerprint == nil {
		p.fingerprint = map[string]string{}
	}
	for path, print := range prints {
		before, known := p.fingerprint[path]
		p.fingerprint[path] = print
		if known && before != print && !p.gone && !l.draining {
			l.log.Info("A path has changed that workers depend on", "pool", p.def.name, "path", path)
			l.orderRestart(p, Command{})
			l.touch(p)
		}
	}
}

// look has a goroutine look which of the booting workers are ready.
func (l *loop) look() {
	if l.looking || len(l.booting) == 0 {
		return
	}
	l.looking = true
	l.wakes.add(l.now().Add(readyInterval), func() {
		type subject struct {
			w       *worker
			process uint64
			child   child
			signal  syscall.Signal
		}
		var subjects []subject
		for w := range l.booting {
			subjects = append(subjects, subject{w, w.process, w.child, w.pool.def.traits.ready})
		}
		go func() {
			var ready []subject
			for _, s := range subjects {
				if ok, err := s.child.Catches(s.signal); ok && err == nil {
					ready = append(ready, s)
				}
			}
			l.s.post(func(l *loop) {
				l.looking = false
				for _, s := range ready {
					if l.booting[s.w] && s.w.process == s.process {
						s.w.pool.seemsDeaf = false
						l.ready(s.w)
					}
				}
				l.findDeaf()
			})
		}()
	})
}

// deafAfter is how long a worker is looked at until it is taken for one that
// handles no signals. On a busy machine a framework may boot for long.
const deafAfter = time.Minute

// findDeaf no longer waits for workers that handle no signals: they work, but
// cannot be paused.
func (l *loop) findDeaf() {
	now := l.now()
	for w := range l.booting {
		if w.lived(now) < deafAfter {
			continue
		}
		w.deaf = true
		l.ready(w)
		l.mark(w.pool)
		if !w.pool.seemsDeaf {
			w.pool.seemsDeaf = true
			l.log.Warn("Workers cannot be told to finish their job and leave, nor be paused", "pool", w.pool.def.name,
				"err", "they do not handle their signals a minute after their start: has PHP no pcntl?")
		}
	}
}

// measure has a goroutine read what all workers use.
func (l *loop) measure() {
	l.wakes.add(l.now().Add(max(usageInterval, time.Duration(len(l.workers))*usageOfWorker)), l.measure)
	if l.samples || len(l.workers) == 0 {
		return
	}
	l.samples = true
	children := make([]child, 0, len(l.workers))
	for c := range l.workers {
		children = append(children, c)
	}
	go func() {
		usages := make(map[child]proc.Usage, len(children))
		for _, c := range children {
			if u, err := c.Usage(); err == nil {
				usages[c] = u
			} // it has ended
		}
		l.s.post(func(l *loop) {
			l.samples = false
			for c, u := range usages {
				w := l.workers[c]
				if w == nil {
					continue
				}
				// Of a worker that sleeps nothing changes, and its pool need not be shown anew.
				if dropped := c.Dropped(); u != w.usage || dropped != w.dropped {
					w.usage, w.dropped = u, dropped
					l.mark(w.pool)
				}
			}
		})
	}()
}
