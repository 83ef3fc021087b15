package queue

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// How a scan is kept below one percent of a core: after each page it rests 99
// times as long as the server worked for it. That time is not known exactly;
// it is the page's time without the way there and back, but never less than
// what a page costs at best. Pages are small enough not to block Redis for a
// millisecond.
const (
	scanPage  = 1000 // SCAN's COUNT
	scanLeast = 500 * time.Microsecond
	scanRest  = 99
	scanMost  = 30 * time.Second // the longest rest
)

// cursor is where the scan of a node stands.
type cursor struct {
	version int // of the patterns that it began with
	at      uint64
}

// candidate is a queue that a key belongs to if it has the type.
type candidate struct {
	queue string
	kind  string // as TYPE answers
}

// Scan goes once through all keys of the connection. When it is stopped by ctx
// it returns ctx's error, and the next call goes on at the same place.
// A node that cannot be scanned does not keep the others from it.
func (d *Discoverer) Scan(ctx context.Context) error {
	if !d.wanted() {
		return nil
	}
	var errs []error
	err := d.options.Nodes(ctx, func(ctx context.Context, c *redis.Client) error {
		if err := d.scanNode(ctx, c); err != nil {
			errs = append(errs, err)
		}
		return ctx.Err()
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.patterns {
		m.endPass()
	}
	return nil
}

// wanted reports whether there is anything to look for.
func (d *Discoverer) wanted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.match() != ""
}

func (d *Discoverer) scanNode(ctx context.Context, c *redis.Client) error {
	node := c.Options().Addr
	at := d.cursors[node]
	if at == nil {
		at = &cursor{}
		d.cursors[node] = at
	}
	start := d.options.Now()
	if err := c.Ping(ctx).Err(); err != nil {
		return err
	}
	way := d.options.Now().Sub(start)
	for {
		busy, err := d.page(ctx, c, at)
		if err != nil {
			return err
		}
		if err := d.options.Sleep(ctx, rest(busy, way)); err != nil {
			return err
		}
		if at.at == 0 {
			return nil
		}
	}
}

// rest is how long to leave the server alone after a page that took busy, of
// which way was spent on the way.
func rest(busy, way time.Duration) time.Duration {
	return min(max(busy-way, scanLeast)*scanRest, scanMost)
}

// page reads the next keys and returns how long that took.
func (d *Discoverer) page(ctx context.Context, c *redis.Client, at *cursor) (time.Duration, error) {
	d.mu.Lock()
	if at.version != d.version {
		at.version, at.at = d.version, 0
	}
	match := d.match()
	d.mu.Unlock()
	if match == "" { // the patterns are gone
		at.at = 0
		return 0, nil
	}
	start := d.options.Now()
	keys, next, err := c.Scan(ctx, at.at, match, scanPage).Result()
	if err != nil {
		return 0, err
	}
	if err := d.take(ctx, c, keys); err != nil {
		return 0, err
	}
	at.at = next
	return d.options.Now().Sub(start), nil
}

// take remembers the queues that the keys belong to. The type of a key is asked
// for only where it may name a queue that is not known yet.
func (d *Discoverer) take(ctx context.Context, c *redis.Client, keys []string) error {
	var unsure []string
	for _, key := range keys {
		if d.remember(key, "") {
			unsure = append(unsure, key)
		}
	}
	if len(unsure) == 0 {
		return nil
	}
	pipe := c.Pipeline()
	kinds := make([]*redis.StatusCmd, len(unsure))
	for i, key := range unsure {
		kinds[i] = pipe.Type(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil && !replied(err) {
		return err
	}
	for i, key := range unsure {
		if kinds[i].Err() == nil { // a key whose type may not be asked for could not be read either
			d.remember(key, kinds[i].Val())
		}
	}
	return nil
}

// candidates lists the queues that key may belong to, the prefix taken off.
func (p *Pattern) candidates(key string) []candidate {
	a, ok := adapters[p.framework()]
	if !ok {
		return nil
	}
	return a.candidates(key, p.Cluster)
}

// remember takes in a key of the given type. Without a type it reports whether
// it needs to know it.
func (d *Discoverer) remember(key, kind string) (unsure bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.patterns {
		for i, prefix := range m.prefixes {
			rest, ok := strings.CutPrefix(key, prefix)
			if !ok {
				continue
			}
			for _, c := range m.candidates(rest) {
				switch {
				case !m.matches(c.queue):
				case kind == c.kind || kind == "" && m.names[c.queue] != nil:
					m.found(c.queue, i)
				case kind == "":
					unsure = true
				}
			}
		}
	}
	return unsure
}

// match is what SCAN is to match: the glob of the one pattern and prefix that
// there is, or one that holds all of them; "" where there is nothing to look
// for. Keys that match more than is asked for are sorted out here.
func (d *Discoverer) match() string {
	exact, stems := map[string]bool{}, map[string]bool{}
	for _, m := range d.patterns {
		a, ok := adapters[m.framework()]
		if !ok {
			continue
		}
		literal := m.literal()
		if m.Cluster {
			literal = "" // the name may stand in braces
		}
		for _, prefix := range m.prefixes {
			exact[escapeGlob(prefix+a.stem+literal)+"*"] = true
		}
		stems["*"+escapeGlob(a.stem)+"*"] = true
	}
	for _, globs := range [...]map[string]bool{exact, stems} {
		if len(globs) == 1 {
			for glob := range globs {
				return glob
			}
		}
	}
	if len(exact) == 0 {
		return ""
	}
	return "*"
}

// escapeGlob makes a Redis glob that matches text and nothing else.
func escapeGlob(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}
