package supervisor

import "slices"

// discovered lists the queues that the patterns of a pool have found.
func (l *loop) discovered(p *pool) []string {
	s := l.sources[p.def.conn.Name]
	if s == nil {
		return nil
	}
	var names []string
	for _, pattern := range p.def.patterns {
		names = append(names, s.discovered[patternKey(&pattern)]...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func equalNames(a, b map[string][]string) bool {
	if len(a) != len(b) {
		return false
	}
	for key, names := range a {
		if !slices.Equal(names, b[key]) {
			return false
		}
	}
	return true
}

// forgetQueues drops what is known of queues that no sub-pool works any more.
func (p *pool) forgetQueues() {
	keep := map[string]bool{}
	for _, s := range p.subs {
		for _, name := range s.queues {
			keep[name] = true
		}
	}
	for name := range p.loads {
		if !keep[name] {
			delete(p.loads, name)
			delete(p.runtimes, name)
		}
	}
}
