package supervisor

import "time"

// Pace is what mended rules remember of a sub-pool from one decision to the
// next. The zero value remembers nothing.
type Pace struct {
	Grew   Spell `json:"grew,omitzero"`
	Shrank Spell `json:"shrank,omitzero"`
	Need   Peak  `json:"need,omitzero"`
}

// Spell counts changes with less than a cooldown between them, so that a
// cooldown never sees more than balance_max_shift of them, however they come.
type Spell struct {
	Last  time.Time `json:"last,omitzero"`
	Count int       `json:"count,omitzero"`
}

// quiet reports whether a cooldown has passed since the last change. A clock
// that was set back counts as passed: waiting for it could take for ever.
func (s Spell) quiet(now time.Time, cooldown time.Duration) bool {
	since := now.Sub(s.Last)
	return s.Last.IsZero() || since < 0 || since >= cooldown
}

// left is how many changes may be made now.
func (s Spell) left(now time.Time, b Bounds) int {
	if s.quiet(now, b.Cooldown) {
		return b.shift()
	}
	return max(0, b.shift()-s.Count)
}

// add notes n changes.
func (s Spell) add(now time.Time, b Bounds, n int) Spell {
	switch {
	case n <= 0:
		return s
	case s.quiet(now, b.Cooldown):
		return Spell{Last: now, Count: n}
	}
	return Spell{Last: now, Count: s.Count + n}
}

// shift is at least 1: with 0 Horizon never changes anything again.
func (b Bounds) shift() int { return max(1, b.Shift) }

// Peak remembers the highest need of the last cooldown, in two halves that take
// turns, so that it is forgotten after one to two cooldowns.
type Peak struct {
	Since   time.Time `json:"since,omitzero"` // when Current began
	Current int       `json:"current,omitzero"`
	Before  int       `json:"before,omitzero"`
}

// see adds a need.
func (p Peak) see(now time.Time, cooldown time.Duration, need int) Peak {
	age := now.Sub(p.Since)
	switch {
	case p.Since.IsZero() || age < 0 || age >= 2*cooldown:
		return Peak{Since: now, Current: need, Before: need}
	case age >= cooldown:
		return Peak{Since: now, Current: need, Before: p.Current}
	}
	p.Current = max(p.Current, need)
	return p
}

// highest is the highest need remembered.
func (p Peak) highest() int { return max(p.Current, p.Before) }
