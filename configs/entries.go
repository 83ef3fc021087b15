package configs

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// Entries are entries to be written as a file of their own: an export, a
// fragment, or what an importer has found elsewhere.
type Entries struct {
	Header       string  // a comment at the top, without #
	Global       *Global // nil: left out, and every connection says what it would inherit
	Access       *Access // nil: left out
	Connections  []Connection
	Applications []Application
	Queues       []Queue

	// PlainSecrets writes passwords that are known only in clear. Without it
	// they are left out.
	PlainSecrets bool
	// AllOptions writes the scaling and worker options of queue configurations
	// also where they are the default, so that a merge finds what has gone back to
	// it.
	AllOptions bool
	// Directory is where the file will lie. Paths below it are written relative
	// to it, all others absolute. "/": all are absolute. Empty: they are written
	// as they are.
	Directory string
}

// NewConnection is a connection that has all defaults.
func NewConnection(name string) Connection {
	c := defaultConnection()
	c.Name = name
	return c
}

// NewApplication is an application that has all defaults.
func NewApplication(slug string) Application {
	a := defaultApplication()
	a.Slug = slug
	return a
}

// NewQueue is a queue configuration that has all defaults and no worker.
func NewQueue(name, application, connection string) Queue {
	q := defaultQueue()
	q.Name, q.Application, q.Connection = name, application, connection
	return q
}

// NewWorker is a worker that has all defaults of a preset. Its stop_timeout
// follows the queue configuration's timeout until it is set.
func NewWorker(preset string) *Worker {
	w := defaultWorker()
	w.Preset = preset
	return &w
}

// YAML writes the entries in their order, keys in the order of the
// documentation, and only what differs from the built-in defaults. A password
// goes by the reference that it has: password_file, password_env or
// password_age.
func (e *Entries) YAML() ([]byte, error) {
	w := newNodeWriter()
	w.plain, w.dir = e.PlainSecrets, e.Directory
	r := renderer{"\n", 2}
	var b strings.Builder
	if e.Header != "" {
		for line := range strings.SplitSeq(strings.TrimRight(e.Header, "\n"), "\n") {
			b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
		}
	}
	top := func(key string, n *yaml.Node) {
		if len(n.Content) == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(r.pair(textNode(key), n, 0) + "\n")
	}
	write := func(list string, n int, node func(i int) *yaml.Node) {
		if n == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(list + ":\n")
		for i := range n {
			b.WriteString("  " + r.item(node(i), 2) + "\n")
		}
	}
	g := defaultGlobal()
	if e.Global != nil {
		g = *e.Global
		top("global", w.structure(reflect.ValueOf(g), reflect.ValueOf(defaultGlobal()), reflect.ValueOf(defaultGlobal())))
	}
	if e.Access != nil {
		top("access", w.structure(reflect.ValueOf(*e.Access), reflect.ValueOf(Access{}), reflect.ValueOf(Access{})))
	}
	write(listConnections, len(e.Connections), func(i int) *yaml.Node { return w.connection(&e.Connections[i], defaultConnection(), &g) })
	write(listApplications, len(e.Applications), func(i int) *yaml.Node { return w.application(&e.Applications[i], defaultApplication()) })
	start := defaultQueue()
	if e.AllOptions {
		start = noOptions()
	}
	write(listQueues, len(e.Queues), func(i int) *yaml.Node { return w.queue(&e.Queues[i], start) })
	text := b.String()
	if _, err := parseText("", text); err != nil {
		return nil, fmt.Errorf("what was to be written is no configuration: %s", err.Text)
	}
	return []byte(text), nil
}

// noOptions is a queue configuration whose options are nobody's.
func noOptions() Queue {
	const text, number = "\x00", math.MinInt
	q := defaultQueue()
	q.Balance, q.AutoScalingStrategy = text, text
	q.MinProcesses, q.MaxProcesses, q.BalanceMaxShift, q.Tries, q.MaxJobs, q.Nice = number, number, number, number, number, number
	q.RetryAfter, q.BalanceCooldown, q.MaxWait, q.Timeout = unset, unset, unset, unset
	q.Backoff, q.Sleep, q.Rest, q.MaxTime, q.Memory = unset, unset, unset, unset, math.MinInt64
	return q
}

// nodeWriter turns entries into nodes, leaving out what they inherit.
type nodeWriter struct {
	tables tables
	bases  map[reflect.Type]reflect.Value
	plain  bool
	dir    string
}

func newNodeWriter() *nodeWriter { return &nodeWriter{tables: tables{}, bases: builtin()} }

// connection writes what differs from start.
func (w *nodeWriter) connection(c *Connection, start Connection, g *Global) *yaml.Node {
	full, from := *c, start
	completeConnection(&full, g)
	completeConnection(&from, g)
	from.Name = ""
	return w.structure(reflect.ValueOf(full), reflect.ValueOf(from), reflect.ValueOf(defaultConnection()))
}

func (w *nodeWriter) application(a *Application, start Application) *yaml.Node {
	full, from := *a, start
	completeApplication(&full)
	if from.Name == "" {
		from.Name = full.Slug
	}
	from.Slug = ""
	return w.structure(reflect.ValueOf(full), reflect.ValueOf(from), reflect.ValueOf(defaultApplication()))
}

func (w *nodeWriter) queue(q *Queue, start Queue) *yaml.Node {
	full, from := *q, start
	if full.Worker != nil {
		worker := *full.Worker
		full.Worker = &worker
		from.Worker = w.workerStart(&full, start.Worker)
	}
	completeQueue(&full)
	from.Name, from.Application, from.Connection, from.QueueNames = "", "", "", nil
	n := w.structure(reflect.ValueOf(full), reflect.ValueOf(from), reflect.ValueOf(defaultQueue()))
	if full.Worker != nil && start.Worker == nil {
		w.mustHave(n, full.Worker)
	}
	return n
}

// workerStart is what a worker has that its entry says nothing of.
func (w *nodeWriter) workerStart(q *Queue, inherited *Worker) *Worker {
	from := defaultWorker()
	if inherited != nil {
		from = *inherited
	}
	preset := from.Preset
	from.Preset = q.Worker.Preset
	completeWorker(&from, q)
	from.Preset = preset
	return &from
}

// mustHave writes the worker's block also where all of it is default.
func (w *nodeWriter) mustHave(n *yaml.Node, worker *Worker) {
	i := own(n, "worker")
	if i < 0 {
		n.Content = append(n.Content, textNode("worker"), &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
		i = len(n.Content) - 2
	}
	if m := n.Content[i+1]; own(m, "preset") < 0 {
		m.Style = 0
		m.Content = append([]*yaml.Node{textNode("preset"), textNode(worker.Preset)}, m.Content...)
	}
}

// structure writes the fields of v that differ from start. floor is what a
// null goes back to.
func (w *nodeWriter) structure(v, start, floor reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	t := w.tables.of(v.Type())
	given := map[string]bool{}
	for _, f := range t.fields {
		if f.group != "" && !v.Field(f.index).IsZero() && w.writable(v.Field(f.index)) {
			given[f.group] = true
		}
	}
	for i := range t.fields {
		f := &t.fields[i]
		got, from := v.Field(f.index), start.Field(f.index)
		if f.group != "" && given[f.group] && got.IsZero() {
			continue // another way is given, and it alone is in force
		}
		if !w.writable(got) || reflect.TypeFor[Secret]() == got.Type() && w.hasReference(v, t, f) {
			continue
		}
		if value := w.value(got, from, floor.Field(f.index), f.path); value != nil {
			n.Content = append(n.Content, textNode(f.name), value)
		}
	}
	return n
}

func (w *nodeWriter) writable(v reflect.Value) bool {
	return w.plain || v.Type() != reflect.TypeFor[Secret]()
}

// hasReference reports whether a password is the resolved one of a reference.
func (w *nodeWriter) hasReference(v reflect.Value, t *table, secret *field) bool {
	for _, f := range t.fields {
		if f.group == secret.group && f.name != secret.name && v.Field(f.index).Kind() == reflect.String && v.Field(f.index).Len() > 0 {
			return true
		}
	}
	return false
}

// value writes v, or returns nil where it is what it would be anyway.
func (w *nodeWriter) value(v, start, floor reflect.Value, path bool) *yaml.Node {
	if sameValue(v, start) {
		return nil
	}
	if v.IsZero() && floor.IsZero() && (v.Kind() == reflect.String || v.Kind() == reflect.Pointer || v.Kind() == reflect.Struct) {
		return nullNode()
	}
	switch v.Kind() {
	case reflect.Pointer:
		return w.pointer(v, start)
	case reflect.Slice:
		return w.list(v, path)
	case reflect.Map:
		return w.mapping(v, start)
	case reflect.Struct:
		if n := scalarNode(v); n != nil {
			return n
		}
		if n := w.structure(v, start, floor); len(n.Content) > 0 {
			return n
		}
		return nil
	default:
		if path {
			return textNode(w.path(v.String()))
		}
		return scalarNode(v)
	}
}

func (w *nodeWriter) pointer(v, start reflect.Value) *yaml.Node {
	if v.IsNil() {
		return nullNode()
	}
	elem := v.Elem()
	if elem.Kind() != reflect.Struct {
		return scalarNode(elem)
	}
	floor, ok := w.bases[elem.Type()]
	if !ok {
		floor = reflect.Zero(elem.Type())
	}
	from := floor
	if !start.IsNil() {
		from = start.Elem()
	}
	n := w.structure(elem, from, floor)
	if len(n.Content) == 0 && !start.IsNil() {
		return nil
	}
	return n
}
