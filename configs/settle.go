package configs

import "slices"

// settle finds, for every fragment, the newest version that fits: the file as
// it is, else the last good one, else what of that still fits, else nothing.
// The main file is right in any case, so the result is always a configuration.
func (l *loader) settle(list []*fragment) *cross {
	for _, f := range list {
		if !l.make(f, stageNew) {
			l.demote(f, f.made[stageNew].errs)
		}
	}
	x := l.cross(list)
	for len(x.errs) > 0 {
		for _, f := range list {
			if s := f.inForce(); s != nil && len(x.errs[s]) > 0 {
				l.demote(f, x.errs[s])
			}
		}
		x = l.cross(list)
	}
	return l.promote(list, x)
}

// demote takes a fragment to its next stage that has no mistake of its own.
func (l *loader) demote(f *fragment, errs []*Error) {
	s := f.inForce()
	if f.stage == stageNew {
		f.errs = errs
	}
	f.why[f.stage] = errs
	switch alone := len(s.errs) == 0; {
	case f.stage == stageSalvaged:
		if !s.leaveOut(errs) {
			f.stage = stageNone
		}
		return
	case alone && f.last != nil && f.last.text == s.text:
		// Other contents of what it refers to would not help.
		f.salvage(s, errs)
		return
	}
	for f.stage < stageNone {
		if f.stage++; f.stage < stageNone && l.make(f, f.stage) {
			return
		}
	}
}

// salvage goes on with what of s has none of the mistakes.
func (f *fragment) salvage(s *source, errs []*Error) {
	rest := *s
	f.made[stageSalvaged], f.stage = &rest, stageSalvaged
	if !rest.leaveOut(errs) {
		f.stage = stageNone
	}
}

// promote undoes what was not needed in the end: a fragment may have been
// taken back because of another that was itself taken back later.
func (l *loader) promote(list []*fragment, x *cross) *cross {
	for again := true; again; {
		again = false
		for _, f := range list {
			better, found := l.better(f, list, x)
			if found != nil {
				f.stage, x, again = better, found, true
			}
		}
	}
	for _, f := range list {
		if f.stage == stageNew {
			f.errs = nil
		}
	}
	return x
}

// better finds an earlier stage of f with which everything fits. It tries only
// what has a chance, since each try goes through the whole configuration.
func (l *loader) better(f *fragment, list []*fragment, x *cross) (stage, *cross) {
	now := f.stage
	defer func() { f.stage = now }()
	for st := stageNew; st < now; st++ {
		if s := f.made[st]; s == nil || len(s.errs) > 0 || s.broken || !x.gone(f.why[st]) {
			continue
		}
		f.stage = st
		if found := l.cross(list); len(found.errs) == 0 {
			return st, found
		}
	}
	return now, nil
}

// remember keeps the versions of the fragments that are good as they are, and
// the last good ones of the others.
func (l *loader) remember(list []*fragment) {
	l.next = make(map[string]*version, len(list))
	for _, f := range list {
		v := f.last
		if f.stage == stageNew {
			s := f.made[stageNew]
			v = &version{text: s.text, inputs: s.inputs.got, limits: *f.limits}
		}
		if v != nil {
			l.next[f.file] = v
		}
	}
}

// cross checks the versions that are in force at present against each other.
func (l *loader) cross(list []*fragment) *cross {
	order := []*source{l.main}
	for _, settled := range []bool{true, false} {
		for _, f := range list {
			if s := f.inForce(); s != nil && f.settled() == settled {
				order = append(order, s)
			}
		}
	}
	return crossCheck(order)
}

// strict checks all files as they are; every mistake counts. It is for the
// first Load, and to report everything where the main file is wrong.
func (l *loader) strict(list []*fragment) (*cross, []*Error) {
	order := []*source{l.main}
	for _, f := range list {
		l.make(f, stageNew)
		order = append(order, f.made[stageNew])
	}
	x := crossCheck(order)
	var errs []*Error
	for _, s := range order {
		errs = append(errs, slices.Concat(s.errs, x.errs[s])...)
	}
	return x, errs
}
