package configs

import (
	"fmt"
	"maps"
	"slices"
)

// Kinds of entries, as messages name them.
const (
	kindConnection  = "connection"
	kindApplication = "application"
)

// cross checks what entries of different files have to do with each other:
// names that exist once, references, queues that agree. Who comes first is
// right: a mistake is the later file's, so that a fragment can break neither
// the main file, which is always first, nor a fragment that was there before.
type cross struct {
	errs         map[*source][]*Error
	files        map[*source]bool
	suggested    int
	warnings     []Warning
	connections  map[string]origin
	applications map[string]origin
	queues       map[string]origin
	lists        map[string]map[string]bool // names of an application's connections
	series       map[seriesKey]claims
	incomplete   bool // a file does not parse: references cannot be judged
}

// seriesKey is what queue series have in common, but for the queue's name.
type seriesKey struct{ application, connection string }

// crossCheck goes through the files in the order of their precedence.
func crossCheck(files []*source) *cross {
	x := &cross{
		errs:         map[*source][]*Error{},
		files:        map[*source]bool{},
		connections:  map[string]origin{},
		applications: map[string]origin{},
		queues:       map[string]origin{},
		lists:        map[string]map[string]bool{},
		series:       map[seriesKey]claims{},
	}
	for _, s := range files {
		x.files[s] = true
		x.incomplete = x.incomplete || s.broken
		for o, c := range s.eachConnection() {
			x.name(o, kindConnection, "name", c.Name, x.connections)
		}
		for o, a := range s.eachApplication() {
			x.name(o, kindApplication, "slug", a.Slug, x.applications)
			x.list(a)
		}
		for o, q := range s.eachQueue() {
			x.name(o, "queue configuration", "name", q.Name, x.queues)
		}
	}
	for _, s := range files {
		for o, a := range s.eachApplication() {
			x.application(o, a)
		}
		for o, q := range s.eachQueue() {
			x.queue(o, q)
		}
	}
	return x
}

// list notes the connections of an application.
func (x *cross) list(a *Application) {
	names := x.lists[a.Slug]
	if names == nil {
		names = make(map[string]bool, len(a.Connections))
		x.lists[a.Slug] = names
	}
	for _, p := range a.Connections {
		names[p.Connection] = true
	}
}

func (x *cross) fail(o origin, why cause, key, format string, args ...any) {
	if e := o.mistake(key, format, args); e != nil {
		e.cause = why
		x.errs[o.src] = append(x.errs[o.src], e)
	}
}

// gone reports whether what caused the mistakes is no more.
func (x *cross) gone(errs []*Error) bool {
	for _, e := range errs {
		switch why := e.cause; {
		case why.holder != nil && x.files[why.holder]:
			return false
		case why.holder == nil && !x.has(why.kind, why.name):
			return false
		}
	}
	return true
}

func (x *cross) has(kind, name string) bool {
	index := x.connections
	if kind == kindApplication {
		index = x.applications
	}
	_, ok := index[name]
	return ok
}

func (x *cross) name(o origin, kind, key, name string, index map[string]origin) {
	if name == "" {
		return // missing, and said so already
	}
	first, taken := index[name]
	if !taken {
		index[name] = o
		return
	}
	at, hint := first.at(key), ""
	if !o.own(key) {
		hint = "; give it a name of its own"
	}
	x.fail(o, cause{holder: first.src}, key, "the %s %q is already defined at %s:%d%s", kind, name, at.File, at.Line, hint)
}

// reference checks that a name exists where the entry may look for it. The
// main file sees only itself: a fragment that goes away cannot break it.
func (x *cross) reference(o origin, kind, key, name string, index map[string]origin) {
	target, known := index[name]
	why := cause{kind: kind, name: name}
	switch {
	case name == "":
		x.fail(o, why, key, "is missing")
	case known && o.src.limits == nil && target.src.limits != nil:
		x.fail(o, why, key, "the %s %q is defined in the fragment %s; the main file may name only what it defines itself", kind, name, target.src.file)
	case known && target.src != o.src && o.src.lost(kind, name):
		x.fail(o, why, key, "the %s %q of this file is left out", kind, name)
	case known || x.incomplete && o.src.limits != nil:
	default:
		x.fail(o, why, key, "there is no %s %.64q%s", kind, name, x.suggest(name, index))
	}
}

// suggest looks for what was probably meant, as long as that is worth while: a
// name that thousands of entries miss has not been mistyped in all of them.
func (x *cross) suggest(name string, index map[string]origin) string {
	const most = 20
	if x.suggested++; x.suggested > most {
		return ""
	}
	return didYouMean(name, slices.Sorted(maps.Keys(index)))
}

func (x *cross) application(o origin, a *Application) {
	for i, p := range a.Connections {
		x.reference(o, kindConnection, indexed("connections", i)+".connection", p.Connection, x.connections)
	}
	if a.Cache != nil && a.Cache.Connection != "" {
		x.reference(o, kindConnection, "cache.connection", a.Cache.Connection, x.connections)
	}
	if a.Horizon != nil && a.Horizon.Connection != "" {
		x.reference(o, kindConnection, "horizon.connection", a.Horizon.Connection, x.connections)
	}
}

func (x *cross) queue(o origin, q *Queue) {
	x.reference(o, kindApplication, "application", q.Application, x.applications)
	x.reference(o, kindConnection, "connection", q.Connection, x.connections)
	if list := x.lists[q.Application]; len(list) > 0 && q.Connection != "" && !list[q.Connection] {
		x.warnings = append(x.warnings, Warning{o.at("connection"),
			fmt.Sprintf("%q is none of the connections of the application %q", q.Connection, q.Application)})
	}
	if !q.Active || !q.DeletedAt.IsZero() {
		return
	}
	key := seriesKey{q.Application, q.Connection}
	if field, name, first, clash := x.series[key].clash(q); clash {
		at := first.at("")
		x.fail(o, cause{holder: first.src}, field, "differs from %s:%d, where the queue %q is configured too; configurations that share a queue must agree on %s", at.File, at.Line, name, field)
		return
	}
	x.series[key] = x.series[key].add(o, q)
}
