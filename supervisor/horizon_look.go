package supervisor

import (
	"time"

	horizons "github.com/queuefleet/queuefleet/internal/horizon"
)

// horizonFinder finds what lives of the Horizons in directories, and tells it of
// each by its place in the list, from whatever goroutine. It may block, and may
// never tell of a directory whose file system does not answer.
type horizonFinder func(dirs []string, tell func(i int, t horizons.Tree, err error))

// findHorizons looks at the process table.
func findHorizons(dirs []string, tell func(i int, t horizons.Tree, err error)) {
	all, err := horizons.Scan()
	for i, dir := range dirs {
		if err != nil {
			tell(i, horizons.Tree{}, err)
			continue
		}
		go func() {
			place, err := horizons.Locate(dir)
			if err != nil {
				tell(i, horizons.Tree{}, err)
				return
			}
			tell(i, all.Of(place), nil)
		}()
	}
}

// findHorizon is findHorizons for one directory, which it waits for.
func findHorizon(dir string) (horizons.Tree, error) {
	all, err := horizons.Scan()
	if err != nil {
		return horizons.Tree{}, err
	}
	place, err := horizons.Locate(dir)
	if err != nil {
		return horizons.Tree{}, err
	}
	return all.Of(place), nil
}

// horizonLook is one look at the process table.
type horizonLook struct {
	at  time.Time    // when it began
	own map[int]bool // numbers of the workers then, one of which may have ended since
}

// lookForHorizons has a goroutine look at the process table once for pools. A
// look that is under way may have begun too early for them: they get the next.
// One whose directory does not answer waits for it, and nobody else does.
func (l *loop) lookForHorizons(pools []*pool) {
	if l.s.horizons == nil {
		return
	}
	for _, p := range pools {
		if !p.horizon.awaits {
			p.horizon.awaits = true
			l.lookedFor = append(l.lookedFor, p)
		}
	}
	if l.lookingFor || len(l.lookedFor) == 0 {
		return
	}
	l.lookingFor, pools, l.lookedFor = true, l.lookedFor, nil
	look := horizonLook{l.now(), l.pids()}
	dirs := make([]string, len(pools))
	for i, p := range pools {
		dirs[i] = p.def.queue.Worker.Directory
	}
	go func() {
		l.s.horizons(dirs, func(i int, t horizons.Tree, err error) {
			l.s.post(func(l *loop) {
				p := pools[i]
				p.horizon.awaits = false
				if l.pools[p.def.key] == p {
					l.sawHorizons(p, t, look, err)
				}
			})
		})
		l.s.post(func(l *loop) {
			l.lookingFor = false
			l.lookForHorizons(nil)
		})
	}()
}
