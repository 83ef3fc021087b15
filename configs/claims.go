package configs

import (
	"maps"
	"path"
	"slices"
)

// A queue series exists once per application, connection and queue, so the
// configurations that share one must agree on what it shows.

// properties are what they must agree on.
type properties struct {
	framework string
	prefix    string
	prefixed  bool
	maxWait   Duration
	objective float64
}

func propertiesOf(q *Queue) properties {
	p := properties{framework: q.Framework, prefixed: q.KeyPrefix != nil, maxWait: q.MaxWait, objective: q.Objective}
	if q.KeyPrefix != nil {
		p.prefix = *q.KeyPrefix
	}
	return p
}

// difference names the key on which two of them differ.
func (p properties) difference(q properties) string {
	switch {
	case p.framework != q.framework:
		return "framework"
	case p.prefixed != q.prefixed, p.prefix != q.prefix:
		return "key_prefix"
	case p.maxWait != q.maxWait:
		return "max_wait"
	default:
		return "objective"
	}
}

// claims are the queues of one application on one connection, grouped by
// properties: there is hardly ever more than one group.
type claims []*claim

type claim struct {
	properties properties
	names      map[string]origin // names and patterns
	patterns   []string
}

// add notes the queues of q under its properties.
func (c claims) add(o origin, q *Queue) claims {
	p := propertiesOf(q)
	i := slices.IndexFunc(c, func(one *claim) bool { return one.properties == p })
	if i < 0 {
		i = len(c)
		c = append(c, &claim{properties: p, names: map[string]origin{}})
	}
	for _, name := range q.QueueNames {
		if _, known := c[i].names[name]; known {
			continue
		}
		c[i].names[name] = o
		if IsPattern(name) {
			c[i].patterns = append(c[i].patterns, name)
		}
	}
	return c
}

// clash finds a queue to which q gives other properties than a configuration
// before it, and the key on which they differ.
func (c claims) clash(q *Queue) (field, name string, first origin, found bool) {
	p := propertiesOf(q)
	for _, one := range c {
		if one.properties == p {
			continue
		}
		for _, name := range q.QueueNames {
			if shared, first, found := one.shares(name); found {
				return p.difference(one.properties), shared, first, true
			}
		}
	}
	return "", "", origin{}, false
}

// shares finds the queue that a name or pattern has in common with the claim.
// Whether two different patterns meet is not known before queues are found.
func (c *claim) shares(name string) (string, origin, bool) {
	if o, ok := c.names[name]; ok {
		return name, o, true
	}
	if !IsPattern(name) {
		for _, pattern := range c.patterns {
			if matches(pattern, name) {
				return name, c.names[pattern], true
			}
		}
		return "", origin{}, false
	}
	for _, known := range slices.Sorted(maps.Keys(c.names)) {
		if !IsPattern(known) && matches(name, known) {
			return known, c.names[known], true
		}
	}
	return "", origin{}, false
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}
