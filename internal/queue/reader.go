package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Reader reads the queues of one connection. It is not safe for concurrent
// use: SetTargets, Enqueue and Results are called one at a time, and Results
// only after the pipeline's Exec has returned.
type Reader struct {
	options Options
	clock   clock
	entries []*entry
	groups  map[groupKey]*group
	batch   batch
	reading Reading
	turn    int // the first entry to ask for payloads
}

// clock is the scrape's time as the commands send it. They hold a pointer to
// the text, so a scrape writes it once for all of them.
type clock struct {
	unix string
}

// source reads one queue by one layout of its keys.
type source interface {
	// enqueue adds the commands that count jobs.
	enqueue(b *batch)
	// enqueueHead adds the commands that fetch payloads. They stand behind all
	// counts in the pipeline, so that a payload too big to be read in time
	// costs no count.
	enqueueHead(b *batch)
	// jobs returns how many jobs were counted in all states.
	jobs() (float64, error)
	// read interprets the replies.
	read(now time.Time, b *batch, r *Reading)
	// discard is called in place of read for replies that nobody reads.
	discard(b *batch)
}

// adapter knows how a framework keeps its queues.
type adapter struct {
	// layouts lists the forms that the queue's keys can have, likeliest first.
	layouts func(t *Target) []layout
	// open makes the commands of a queue; counts only where ages is false.
	open func(t *Target, l layout, c *clock, ages bool) source
	// stem is what stands between the prefix and the queue's name.
	stem string
	// candidates lists the queues that a key may belong to, the prefix taken off.
	candidates func(key string, cluster bool) []candidate
}

// adapters are all frameworks known, by the name used in the configuration.
var adapters = map[string]adapter{
	"laravel": {layouts: laravelLayouts, open: openLaravel, stem: laravelStem, candidates: laravelCandidates},
}

// DefaultFramework is what a Target without a framework is read as.
const DefaultFramework = "laravel"

// Frameworks lists the names that Target.Framework can have, sorted.
func Frameworks() []string {
	names := make([]string, 0, len(adapters))
	for name := range adapters {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// NewReader makes a Reader without targets.
func NewReader(o Options) *Reader {
	o.HeadBytes = cmp.Or(o.HeadBytes, DefaultHeadBytes)
	return &Reader{options: o, groups: map[groupKey]*group{}, batch: newBatch(o)}
}

type targetKey struct{ application, connection, queue, framework string }

func (t *Target) key() targetKey {
	return targetKey{t.Application, t.Connection, t.Queue, t.framework()}
}

func (t *Target) framework() string { return cmp.Or(t.Framework, DefaultFramework) }

// SetTargets replaces the list of queues. A queue that was there before keeps
// its memory: the prefix found, and since when its head has been seen.
func (r *Reader) SetTargets(targets []Target) {
	old := make(map[targetKey]*entry, len(r.entries))
	for _, e := range r.entries {
		old[e.target.key()] = e
	}
	groups := make(map[groupKey]*group, len(r.groups))
	entries := make([]*entry, 0, len(targets))
	for i := range targets {
		was := old[targets[i].key()]
		entries = append(entries, r.newEntry(&targets[i], was, groups))
	}
	r.entries, r.groups = entries, groups
}

// newEntry makes the entry of t, with the memory of what was read before.
func (r *Reader) newEntry(t *Target, was *entry, groups map[groupKey]*group) *entry {
	e := &entry{target: *t}
	a, ok := adapters[t.framework()]
	if !ok {
		e.unknown = fmt.Errorf("unknown framework %q", t.Framework)
		return e
	}
	layouts := a.layouts(t)
	key := newGroupKey(t, layouts)
	g := cmp.Or(groups[key], r.groups[key])
	if g == nil {
		g = newGroup(layouts)
	}
	groups[key], e.group = g, g
	if was == nil || was.group == nil {
		return e
	}
	if was.group != g && was.group.found {
		g.inherit(was.group.layout())
	}
	if was.layout == g.layout() {
		e.layout, e.full, e.source = was.layout, was.full, was.source
	}
	return e
}

// Enqueue adds this scrape's commands to pipe. now is this machine's time.
func (r *Reader) Enqueue(ctx context.Context, pipe redis.Pipeliner, now time.Time) {
	r.clock.unix = strconv.FormatInt(now.Unix(), 10)
	b := &r.batch
	b.begin(now)
	for _, g := range r.groups {
		g.begin(now)
	}
	for _, e := range r.entries {
		if e.unknown == nil {
			e.prepare(&r.clock, r.options.Ages)
			e.enqueue(b)
		}
	}
	r.enqueueHeads(b)
	// A pipeline only collects here; nothing can fail before Exec.
	_ = pipe.BatchProcess(ctx, b.cmds...)
}

// enqueueHeads goes round the entries from where payloads were first refused
// at the last scrape, so that each has its turn.
func (r *Reader) enqueueHeads(b *batch) {
	n := len(r.entries)
	next := r.turn
	for i := range n {
		at := (r.turn + i) % n
		before := b.refused
		r.entries[at].enqueueHeads(b)
		if before == 0 && b.refused > 0 {
			next = at
		}
	}
	r.turn = next
}

// Results interprets the replies and calls yield once for each target, in the
// order of SetTargets. Call it after Exec, whatever Exec returned: queues that
// got no reply have Err set. now is the time used for ages.
func (r *Reader) Results(now time.Time, yield func(*Target, *Reading)) {
	r.settle()
	for _, e := range r.entries {
		out := &r.reading
		out.reset()
		switch {
		case e.unknown != nil:
			out.fail(e.unknown)
		case e.source == nil:
			out.fail(ErrNotRun)
		default:
			e.source.read(now, &r.batch, out)
		}
		yield(&e.target, out)
	}
	r.batch.end()
}

// settle lets each group that was probing choose its layout by the replies.
func (r *Reader) settle() {
	for _, e := range r.entries {
		if e.unknown != nil || e.source == nil {
			continue
		}
		g := e.group
		jobs, err := e.source.jobs()
		g.note(g.chosen, jobs, err)
		for i, p := range e.probes {
			if p != nil {
				jobs, err := p.jobs()
				g.note(i, jobs, err)
			}
		}
	}
	for _, g := range r.groups {
		g.decide()
	}
	for _, e := range r.entries {
		e.adopt(&r.batch)
	}
}

// failed reports whether cmd got no reply that can be used. A nil reply is one.
func failed(cmd redis.Cmder) error {
	if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	return nil
}

// replied reports whether err is something that the server answered to one
// command, as opposed to a reply that never came.
func replied(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// Detection is what is known of the keys of an application's queues on a
// connection.
type Detection struct {
	Application, Connection, Framework string
	Prefix                             string
	HashTag                            bool // queue names stand in braces
	Found                              bool // configured, or seen with jobs in it; else a guess
	Ambiguous                          bool // jobs were seen under other prefixes, too
}

// Detections tells which prefixes are in use, sorted by application.
func (r *Reader) Detections() []Detection {
	list := make([]Detection, 0, len(r.groups))
	for key, g := range r.groups {
		l := g.layout()
		list = append(list, Detection{
			Application: key.application, Connection: key.connection, Framework: key.framework,
			Prefix: l.prefix, HashTag: l.wrapped, Found: g.found, Ambiguous: g.ambiguous,
		})
	}
	slices.SortFunc(list, func(a, b Detection) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.Prefix, b.Prefix))
	})
	return list
}
