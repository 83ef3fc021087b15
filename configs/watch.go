package configs

import (
	"context"
	"maps"
	"slices"
	"time"
)

// longestSettle is for how long at most a change must have stood before it is
// loaded.
const longestSettle = time.Second

// fingerprint tells whether anything that a configuration was made of has
// changed: what the files held, and which files the includes name.
type fingerprint struct {
	seen     map[asked]digest
	patterns []string
	matches  []string
}

func (f fingerprint) equal(g fingerprint) bool {
	return maps.Equal(f.seen, g.seen) && slices.Equal(f.matches, g.matches)
}

// fingerprint is that of what this Load has read, good or bad.
func (l *loader) fingerprint() fingerprint {
	return fingerprint{seen: l.reader.seen, patterns: l.patterns, matches: l.matches}
}

func matchAll(patterns []string) []string {
	var files []string
	for _, pattern := range patterns {
		found, err := glob(pattern)
		if err != nil {
			continue // Load has refused the pattern
		}
		files = append(files, found...)
	}
	return files
}

// now reads again what f was made of.
func (f fingerprint) now() fingerprint {
	r := newReader()
	defer r.close()
	for key := range f.seen {
		text, mode, err := r.open(key.path, key.below, key.limit)
		r.seen[key] = (&fileRead{text, mode, err}).digest()
	}
	return fingerprint{seen: r.seen, patterns: f.patterns, matches: matchAll(f.patterns)}
}

// Watch calls Reload whenever something that the configuration was made of
// has changed: the file, what it includes, secrets, certificates, identities.
// It looks every interval (never where that is 0) and returns the context's error. A change is loaded
// once it has stood for a moment, since a file that is being written may be
// valid and short. A Reload that fails is logged, and not tried again before
// something changes anew.
func (s *Store) Watch(ctx context.Context, interval time.Duration) error {
	if interval <= 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		changed, err := s.changed(ctx, min(interval/2, longestSettle))
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		if err := s.Reload(); err != nil {
			s.options.Logger.Error("the changed configuration is not accepted", "err", err)
		} else {
			s.options.Logger.Info("the changed configuration is in force", "file", s.options.Path)
		}
	}
}

// changed reports whether there is something to load that stands still.
func (s *Store) changed(ctx context.Context, settle time.Duration) (bool, error) {
	s.mu.Lock()
	last := s.print
	s.mu.Unlock()
	if last.seen == nil {
		return false, nil // nobody has loaded anything yet
	}
	first := last.now()
	if first.equal(last) {
		return false, nil
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-time.After(settle):
	}
	return first.now().equal(first), nil
}
