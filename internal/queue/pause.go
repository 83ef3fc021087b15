package queue

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// PauseTarget is one queue whose pause flag is read. The flag lies on the
// connection of the application's cache, not on the queue's. Laravel has it
// since 12.40, and since 13.25 another one for all queues at once.
type PauseTarget struct {
	Application string
	Connection  string // of the queue; with Application and Queue it identifies the queue series
	Queue       string
	// QueueConnection is the connection's name in the application's
	// config/queue.php; empty = redis.
	QueueConnection string
	// Prefixes are what may stand in front of the cache's keys, likeliest
	// first; see LaravelCachePrefixes.
	Prefixes []string
	Cluster  bool // the cache's connection is a Redis Cluster
}

// PauseReader reads the pause flags that lie on one connection. Like a Reader
// it is used by one goroutine at a time.
//
// A cache that has never seen queue:restart does not show which prefix it has,
// and then all of them are asked. Otherwise only those that hold the restart
// flag are. Prefixes that may not be read are left out, as a user who may read
// some keys only is meant to be.
type PauseReader struct {
	entries []*pauseEntry
	groups  map[pauseKey]*pauseGroup
	now     time.Time // of the scrape
	cmds    []redis.Cmder
}

// pauseKey names the queues whose flags have the same prefixes.
type pauseKey struct {
	application, prefixes string
	cluster               bool
}

type pauseGroup struct {
	prefixes []string
	cluster  bool
	restart  []*redis.IntCmd // by prefix
	checking bool            // restart is read at this scrape
	checked  time.Time       // when it was last read
	leave    []time.Time     // by prefix: not read before, because it is refused
	version  int             // of active
	active   []string        // the prefixes that are asked for flags
	sets     bool            // several keys in one command: all of them may be read
	all      []*redis.IntCmd
}

type pauseEntry struct {
	target  PauseTarget
	group   *pauseGroup
	version int // of the group's active prefixes
	flags   []*redis.IntCmd
}

// NewPauseReader makes a PauseReader without targets.
func NewPauseReader() *PauseReader { return &PauseReader{} }

// SetTargets replaces the list of queues.
func (r *PauseReader) SetTargets(targets []PauseTarget) {
	groups := map[pauseKey]*pauseGroup{}
	r.entries = make([]*pauseEntry, 0, len(targets))
	for _, t := range targets {
		key := pauseKey{t.Application, strings.Join(t.Prefixes, "\x00"), t.Cluster}
		g := cmp.Or(groups[key], r.groups[key])
		if g == nil {
			g = newPauseGroup(t.Prefixes, t.Cluster)
		}
		groups[key] = g
		r.entries = append(r.entries, &pauseEntry{target: t, group: g})
	}
	r.groups = groups
}

func newPauseGroup(prefixes []string, cluster bool) *pauseGroup {
	g := &pauseGroup{prefixes: prefixes, cluster: cluster, leave: make([]time.Time, len(prefixes))}
	for _, p := range prefixes {
		g.restart = append(g.restart, intCmd("exists", p+"illuminate:queue:restart"))
	}
	g.use(prefixes, false)
	return g
}

// use makes prefixes the ones that are asked for flags.
func (g *pauseGroup) use(prefixes []string, sets bool) {
	g.active, g.sets = prefixes, sets && !g.cluster
	g.all = g.flags("illuminate:queues:paused")
	g.version++
}

// flags makes the commands that ask whether key exists under any of the active
// prefixes. Keys of a Cluster lie in different slots: one command each.
func (g *pauseGroup) flags(key string) []*redis.IntCmd {
	if g.sets && len(g.active) > 0 {
		args := []any{"exists"}
		for _, p := range g.active {
			args = append(args, p+key)
		}
		return []*redis.IntCmd{intCmd(args...)}
	}
	list := make([]*redis.IntCmd, 0, len(g.active))
	for _, p := range g.active {
		list = append(list, intCmd("exists", p+key))
	}
	return list
}

// Enqueue adds this scrape's commands to pipe. now is this machine's time.
func (r *PauseReader) Enqueue(ctx context.Context, pipe redis.Pipeliner, now time.Time) {
	r.cmds, r.now = emptied(r.cmds), now
	for _, g := range r.groups {
		if g.checking = now.Sub(g.checked) >= recheck; g.checking {
			r.addRestart(g)
		}
		r.add(g.all)
	}
	for _, e := range r.entries {
		if e.version != e.group.version {
			e.version = e.group.version
			t := &e.target
			e.flags = e.group.flags("illuminate:queue:paused:" + cmp.Or(t.QueueConnection, "redis") + ":" + t.Queue)
		}
		r.add(e.flags)
	}
	_ = pipe.BatchProcess(ctx, r.cmds...) // it only collects
}

func (r *PauseReader) add(cmds []*redis.IntCmd) {
	for _, cmd := range cmds {
		cmd.SetErr(ErrNotRun)
		r.cmds = append(r.cmds, cmd)
	}
}

// addRestart asks for the restart flags under the prefixes that are not left alone.
func (r *PauseReader) addRestart(g *pauseGroup) {
	for i, cmd := range g.restart {
		if cmd.SetErr(ErrNotRun); !r.now.Before(g.leave[i]) {
			r.cmds = append(r.cmds, cmd)
		}
	}
}

// Results calls yield once for each target, in the order of SetTargets.
// paused is 1 or 0, and NaN where err says why it is not known.
func (r *PauseReader) Results(yield func(t *PauseTarget, paused float64, err error)) {
	for _, e := range r.entries {
		paused, err := exists(e.flags)
		if all, allErr := exists(e.group.all); paused != 1 && (all != 0 || err == nil) {
			paused, err = all, allErr
		}
		yield(&e.target, paused, err)
	}
	for _, g := range r.groups {
		if g.checking {
			g.choose(r.now)
		}
	}
}

// exists tells whether any of the keys is there. A key that may not be read
// does not count, unless none may.
func exists(cmds []*redis.IntCmd) (float64, error) {
	result, reason := math.NaN(), ErrNotRun
	for _, cmd := range cmds {
		switch err := cmd.Err(); {
		case err == nil && cmd.Val() > 0:
			return 1, nil
		case err == nil:
			result = 0
		case !replied(err):
			return math.NaN(), err
		default:
			reason = err
		}
	}
	if result == 0 {
		return 0, nil
	}
	return result, reason
}

// choose takes the prefixes under which there is a restart flag, or all that
// may be read where there is none.
func (g *pauseGroup) choose(now time.Time) {
	var holders, readable []string
	for i, cmd := range g.restart {
		switch err := cmd.Err(); {
		case now.Before(g.leave[i]):
		case err == nil && cmd.Val() > 0:
			holders = append(holders, g.prefixes[i])
			fallthrough
		case err == nil:
			readable = append(readable, g.prefixes[i])
		case !replied(err):
			return
		default:
			g.leave[i] = now.Add(leaveRefused)
		}
	}
	g.checked = now
	prefixes := readable
	if len(holders) > 0 {
		prefixes = holders
	}
	if len(prefixes) > 0 && !(g.sets && slices.Equal(prefixes, g.active)) {
		g.use(prefixes, true)
	}
}
