package configs

import (
	"reflect"
)

// decode makes the entries of all files known, with their effective values.
func (d *Editor) decode() {
	if d.sources != nil {
		return
	}
	l := d.newLoader()
	defer l.reader.close()
	d.loader, d.index = l, map[EntryKind]map[string]Entry{}
	for i, f := range d.files {
		s := l.main
		if i > 0 {
			s = newSource(f.path, f.t.text)
			s.mainFile, s.defaults, s.limits = l.main.file, l.main.defaults, f.limits
			if s.limits == nil {
				s.limits = &Include{}
			}
			s.inputs = newInputs(l.reader, "")
			l.decodeNodes(s, f.t.root)
		}
		for _, c := range s.eachConnection() {
			completeConnection(c, &l.main.head.Global)
		}
		for _, a := range s.eachApplication() {
			completeApplication(a)
		}
		for _, q := range s.eachQueue() {
			completeQueue(q)
		}
		d.sources = append(d.sources, s)
	}
}

// Entry is an entry and where it stands.
type Entry struct {
	Kind EntryKind
	Name string
	File string
	Line int

	file   *editFile
	origin origin
	value  reflect.Value // *Connection, *Application or *Queue
}

// At returns where a key of the entry stands: its own, else that of the default
// which it inherits, else what is around it.
func (e Entry) At(key string) Position { return e.origin.at(key) }

// Connection is the connection that the entry is, defaults applied, passwords
// not resolved; nil where it is something else.
func (e Entry) Connection() *Connection { c, _ := reflect.TypeAssert[*Connection](e.value); return c }

// Application is the application that the entry is, or nil.
func (e Entry) Application() *Application {
	a, _ := reflect.TypeAssert[*Application](e.value)
	return a
}

// Queue is the queue configuration that the entry is, or nil.
func (e Entry) Queue() *Queue { q, _ := reflect.TypeAssert[*Queue](e.value); return q }

// Entries lists the entries of a kind in the order of the files.
func (d *Editor) Entries(kind EntryKind) []Entry {
	d.decode()
	var list []Entry
	for i, s := range d.sources {
		add := func(o origin, name string, value any) {
			list = append(list, Entry{Kind: kind, Name: name, File: s.file, Line: o.at("").Line, file: d.files[i], origin: o, value: reflect.ValueOf(value)})
		}
		switch kind {
		case ConnectionEntry:
			for o, c := range s.eachConnection() {
				add(o, c.Name, c)
			}
		case ApplicationEntry:
			for o, a := range s.eachApplication() {
				add(o, a.Slug, a)
			}
		case QueueEntry:
			for o, q := range s.eachQueue() {
				add(o, q.Name, q)
			}
		}
	}
	return list
}

// Find finds an entry by its name.
func (d *Editor) Find(kind EntryKind, name string) (Entry, bool) {
	d.decode()
	if d.index[kind] == nil {
		list := d.Entries(kind)
		names := make(map[string]Entry, len(list))
		for _, e := range list {
			if _, twice := names[e.Name]; !twice && e.Name != "" {
				names[e.Name] = e
			}
		}
		d.index[kind] = names
	}
	e, ok := d.index[kind][name]
	return e, ok
}

// Global is what the main file says of the whole fleet.
func (d *Editor) Global() Global {
	d.decode()
	return d.sources[0].head.Global
}

// Reference is an entry that names another one.
type Reference struct {
	Entry

	Key     string // by which
	Line    int    // of the key
	Deleted bool   // the entry that names it is deleted itself
}

// References lists who names an entry.
func (d *Editor) References(kind EntryKind, name string) []Reference {
	var list []Reference
	add := func(e Entry, key, named string, deleted bool) {
		if named == name {
			list = append(list, Reference{e, key, e.origin.at(key).Line, deleted})
		}
	}
	for _, e := range d.Entries(QueueEntry) {
		q := e.Queue()
		switch kind {
		case ConnectionEntry:
			add(e, "connection", q.Connection, !q.DeletedAt.IsZero())
		case ApplicationEntry:
			add(e, "application", q.Application, !q.DeletedAt.IsZero())
		}
	}
	if kind != ConnectionEntry {
		return list
	}
	for _, e := range d.Entries(ApplicationEntry) {
		a := e.Application()
		deleted := !a.DeletedAt.IsZero()
		for i, p := range a.Connections {
			add(e, indexed("connections", i)+".connection", p.Connection, deleted)
		}
		if a.Cache != nil {
			add(e, "cache.connection", a.Cache.Connection, deleted)
		}
		if a.Horizon != nil {
			add(e, "horizon.connection", a.Horizon.Connection, deleted)
		}
	}
	return list
}
