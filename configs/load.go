package configs

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Load reads a configuration: the file, its includes and everything they
// refer to. The error joins every mistake that was found, each an *Error.
func Load(path string) (*Config, error) {
	l := newLoader(path, nil)
	defer l.reader.close()
	return l.load()
}

// Parse reads a configuration from a text without touching any other file or
// the environment: includes and secrets are checked for form, not read.
func Parse(name string, text []byte) (*Config, error) {
	l := newLoader(name, nil)
	l.offline = true
	l.main = newSource(name, string(text))
	l.loadMain(maxFileBytes)
	if l.main.broken {
		return nil, joinErrors(l.main.errs)
	}
	x, errs := l.strict(nil)
	if len(errs) > 0 {
		return nil, joinErrors(errs)
	}
	return l.assemble(nil, x), nil
}

// loader is the work of one Load.
type loader struct {
	path    string
	last    map[string]*version // fragments in force by file; nil: nothing is in force
	offline bool
	unsaved map[string]string // texts that are to be taken for those of the files

	reader *reader
	tables tables
	bases  map[reflect.Type]reflect.Value
	starts map[reflect.Type]reflect.Value
	checks *pemChecks
	roots  rootUsers
	now    time.Time

	main     *source
	ids      *identities
	inexact  int                 // files that did not parse
	patterns []string            // of the includes, for the watcher
	matches  []string            // files that they matched
	next     map[string]*version // what last becomes when this Load is accepted
}

func newLoader(path string, last map[string]*version) *loader {
	now := time.Now()
	return &loader{
		path:   path,
		last:   last,
		reader: newReader(),
		tables: tables{},
		bases:  builtin(),
		starts: map[reflect.Type]reflect.Value{},
		checks: newPEMChecks(now),
		roots:  readRootUsers(),
		now:    now,
	}
}

func (l *loader) load() (*Config, error) {
	got := l.reader.file(l.path, "", maxFileBytes)
	l.main = newSource(l.path, got.text)
	if got.err != nil {
		l.main.problem(0, "", "%v", got.err)
		return nil, joinErrors(l.main.errs)
	}
	l.main.open = got.mode.Perm()&0o044 != 0
	l.loadMain(maxFileBytes)
	if l.main.broken {
		return nil, joinErrors(l.main.errs)
	}
	list := l.fragments()
	if l.last == nil || len(l.main.errs) > 0 || len(crossCheck([]*source{l.main}).errs) > 0 {
		x, errs := l.strict(list)
		if len(errs) > 0 {
			return nil, joinErrors(errs)
		}
		return l.assemble(list, x), nil
	}
	x := l.settle(list)
	return l.assemble(list, x), nil
}

// loadMain decodes, completes and checks the main file.
func (l *loader) loadMain(limit int) {
	l.main.inputs = newInputs(l.reader, "")
	l.decode(l.main, limit)
	if l.main.broken {
		return
	}
	l.ids = &identities{}
	if !l.offline {
		l.ids = l.main.loadIdentities()
	}
	l.checkHead()
	l.prepare(l.main)
}

// mostExact is for how many broken files a Load searches the right line.
const mostExact = 10

// decode parses a file and decodes what it holds, the main file's defaults
// first, since all entries start from them.
func (l *loader) decode(s *source, limit int) {
	root, err := parseNodes(s.file, []byte(s.text), limit, l.inexact < mostExact)
	if err != nil {
		l.inexact++
		s.errs = append(s.errs, err)
		s.broken = true
		return
	}
	l.decodeNodes(s, root)
}

// decodeNodes decodes what a parsed file holds; nil is a file that is empty.
func (l *loader) decodeNodes(s *source, root *yaml.Node) {
	s.root = root
	d := &decoder{file: s.file, dir: s.dir, bases: l.bases, starts: l.starts, tables: l.tables}
	s.head.Global = defaultGlobal()
	s.head.Defaults = Defaults{defaultConnection(), defaultApplication(), defaultQueue()}
	if root != nil {
		l.decodeTop(d, s, root)
	}
	s.connections, s.applications, s.queues = s.head.Connections, s.head.Applications, s.head.Queues
	s.errs = append(s.errs, d.errs...)
	s.noteUndecoded(d.errs)
}

func (l *loader) decodeTop(d *decoder, s *source, root *yaml.Node) {
	pairs, ok := d.pairs(root)
	if !ok {
		return
	}
	t := l.tables.of(reflect.TypeFor[Config]())
	v := reflect.ValueOf(&s.head).Elem()
	for _, defaults := range []bool{true, false} {
		for i := 0; i < len(pairs); i += 2 {
			key := pairs[i]
			if (key.Value == "defaults") != defaults {
				continue
			}
			d.push(step{key: key.Value})
			switch at, known := t.byName[key.Value]; {
			case !known:
				d.fail(key, "unknown key%s", didYouMean(key.Value, t.names))
			case s.limits != nil && !slices.Contains(fragmentKeys, key.Value):
				d.fail(key, "belongs into the main file; a fragment holds %s", strings.Join(fragmentKeys, ", "))
			default:
				f := t.fields[at]
				d.value(pairs[i+1], v.Field(f.index), d.base(v.Field(f.index).Type()))
			}
			d.pop()
		}
		if defaults && s.limits == nil {
			l.setDefaults(s)
		}
	}
	for _, list := range fragmentKeys {
		s.nodes[list] = find(root, list)
	}
}

var fragmentKeys = []string{listConnections, listApplications, listQueues}

// setDefaults makes the entries of all files start from the main file's
// defaults.
func (l *loader) setDefaults(main *source) {
	main.defaults = find(main.root, "defaults")
	for _, v := range []any{main.head.Defaults.Connection, main.head.Defaults.Application, main.head.Defaults.Queue} {
		l.starts[reflect.TypeOf(v)] = reflect.ValueOf(v)
	}
}

// prepare completes and checks the entries of a file on their own.
func (l *loader) prepare(s *source) {
	for o, c := range s.eachConnection() {
		completeConnection(c, &l.main.head.Global)
		checkConnection(o, c, l.now)
	}
	for o, a := range s.eachApplication() {
		completeApplication(a)
		checkApplication(o, a)
	}
	for o, q := range s.eachQueue() {
		completeQueue(q)
		checkQueue(o, q)
	}
	s.checkLimits(l.roots)
	s.warnPlaintext()
	if l.offline {
		return
	}
	for o, c := range s.eachConnection() {
		l.resolve(o, c)
	}
}

// resolve reads the secrets and certificates of a connection.
func (l *loader) resolve(o origin, c *Connection) {
	o.src.resolveCredential(o, l.ids, credential{"", &c.Password, c.PasswordFile, c.PasswordEnv, c.PasswordAge})
	if s := c.Sentinel; s != nil {
		o.src.resolveCredential(o, l.ids, credential{"sentinel.", &s.Password, s.PasswordFile, s.PasswordEnv, s.PasswordAge})
	}
	o.src.resolveTLS(o, c.TLS, l.checks)
}
