package configs

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	maxDepth   = 100       // of nesting
	maxAliased = 1_000_000 // values reached through aliases, per file
	maxEntries = 100_000   // connections, applications or queues, per file
)

// decoder turns the nodes of one file into our types. It goes on after a
// mistake, so that all of them are reported at once, and it never quotes a
// value: what stands in the wrong place may be a secret.
type decoder struct {
	file   string
	dir    string                         // paths are relative to it
	bases  map[reflect.Type]reflect.Value // built-in defaults
	starts map[reflect.Type]reflect.Value // the main file's defaults
	tables tables
	errs   []*Error

	path    []step
	aliases int // aliases that we are below of
	aliased int
	stopped bool // by a bound
}

// step is one element of a key path: a key, or an index where key is "".
type step struct {
	key   string
	index int
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	if len(d.errs) > maxMistakes || d.stopped {
		return
	}
	d.errs = append(d.errs, &Error{Position: Position{d.file, n.Line, pathString(d.path)}, Text: fmt.Sprintf(format, args...)})
}

// pathString shows the beginning of a path that is no longer readable.
func pathString(path []step) string {
	const most = 12
	var b strings.Builder
	for i, s := range path {
		switch {
		case i == most:
			b.WriteString("…")
			return b.String()
		case s.key == "":
			fmt.Fprintf(&b, "[%d]", s.index)
			continue
		case b.Len() > 0:
			b.WriteByte('.')
		}
		b.WriteString(printableKey(s.key))
	}
	return b.String()
}

// printableKey shortens and quotes a key that would disturb a message.
func printableKey(key string) string {
	if len(key) > 64 {
		key = key[:64] + "…"
	}
	if quoted := strconv.Quote(key); quoted[1:len(quoted)-1] != key || strings.ContainsAny(key, " :") {
		return quoted
	}
	return key
}

func (d *decoder) push(s step) { d.path = append(d.path, s) }
func (d *decoder) pop()        { d.path = d.path[:len(d.path)-1] }

// spend counts values decoded through aliases, so that a small file cannot
// unfold into a large configuration.
func (d *decoder) spend(n *yaml.Node, values int) bool {
	if d.aliases > 0 {
		if d.aliased += values; d.aliased > maxAliased {
			d.fail(n, "aliases unfold to more than %d values", maxAliased)
			d.stopped = true
		}
	}
	return !d.stopped
}

// value decodes n into v. A null puts base there, the built-in default.
func (d *decoder) value(n *yaml.Node, v, base reflect.Value) {
	if n.Kind == yaml.AliasNode {
		d.aliases++
		defer func() { d.aliases-- }()
		n = n.Alias
	}
	if len(d.path) > maxDepth {
		d.fail(n, "is nested deeper than %d levels", maxDepth)
		return
	}
	if !d.spend(n, 1) {
		return
	}
	if isNull(n) {
		v.Set(deepCopy(base))
		return
	}
	if d.leaf(n, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
			v.Elem().Set(deepCopy(d.base(v.Type().Elem())))
		}
		d.value(n, v.Elem(), d.base(v.Type().Elem()))
	case reflect.Struct:
		d.structure(n, v, base)
	case reflect.Slice:
		d.list(n, v)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Interface:
		v.Set(reflect.ValueOf(d.free(n)))
	default:
		panic("configs: a field of a kind that the decoder does not know: " + v.Type().String())
	}
}

// start is what an entry of a list starts from: the file's defaults.
func (d *decoder) start(typ reflect.Type) reflect.Value {
	if b, ok := d.starts[typ]; ok {
		return b
	}
	return d.base(typ)
}

// lostSecret reports a password that YAML has taken for an anchor or, written
// close to its #, for a comment.
func (d *decoder) lostSecret(key, n *yaml.Node, v reflect.Value) {
	if _, ok := reflect.TypeAssert[Secret](v); !ok || n.Kind == yaml.AliasNode || !isNull(n) {
		return
	}
	comment := strings.TrimPrefix(key.LineComment, "#")
	if n.Anchor != "" || comment != "" && comment == strings.TrimLeft(comment, " \t") {
		d.fail(n, "is empty; put a value that begins with & or # in quotes")
	}
}

// base is what an element of this type starts from.
func (d *decoder) base(typ reflect.Type) reflect.Value {
	if b, ok := d.bases[typ]; ok {
		return b
	}
	return reflect.Zero(typ)
}

func (d *decoder) structure(n *yaml.Node, v, base reflect.Value) {
	pairs, ok := d.pairs(n)
	if !ok {
		return
	}
	t := d.tables.of(v.Type())
	d.dropInherited(t, pairs, v, base)
	for i := 0; i < len(pairs); i += 2 {
		key := pairs[i]
		d.push(step{key: key.Value})
		if at, known := t.byName[key.Value]; known {
			f := &t.fields[at]
			d.value(pairs[i+1], v.Field(f.index), base.Field(f.index))
			d.lostSecret(key, pairs[i+1], v.Field(f.index))
			if f.path {
				d.resolve(v.Field(f.index))
			}
		} else {
			d.fail(key, "unknown key%s", didYouMean(key.Value, t.names))
		}
		d.pop()
	}
}

// dropInherited makes the ways of a group exclusive across inheritance: who
// gives a password_env does not keep the default's password_file.
func (d *decoder) dropInherited(t *table, pairs []*yaml.Node, v, base reflect.Value) {
	given := ""
	for i := 0; i < len(pairs); i += 2 {
		if at, ok := t.byName[pairs[i].Value]; ok && t.fields[at].group != "" && !isNull(pairs[i+1]) {
			given = pairs[i].Value
		}
	}
	if given == "" {
		return
	}
	group := t.fields[t.byName[given]].group
	for _, f := range t.fields {
		if f.group == group && f.name != given {
			v.Field(f.index).Set(base.Field(f.index))
		}
	}
}

// resolve makes the paths in v relative to where the program runs.
func (d *decoder) resolve(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(joinPath(d.dir, v.String()))
	case reflect.Slice:
		for i := range v.Len() {
			d.resolve(v.Index(i))
		}
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "must be a list")
		return
	}
	if !d.spend(n, len(n.Content)) {
		return
	}
	elem := v.Type().Elem()
	if elem.Kind() == reflect.Struct && len(n.Content) > maxEntries {
		d.fail(n, "holds more than %d entries", maxEntries)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.push(step{index: i})
		if isNull(item) {
			d.fail(item, "is empty")
		} else {
			out.Index(i).Set(deepCopy(d.start(elem)))
			d.value(item, out.Index(i), d.base(elem))
		}
		d.pop()
	}
	v.Set(out)
}

// mapping merges into a map that may hold inherited keys; null takes one out.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	pairs, ok := d.pairs(n)
	if !ok {
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(v.Type(), len(pairs)/2))
	}
	for i := 0; i < len(pairs); i += 2 {
		d.push(step{key: pairs[i].Value})
		key := reflect.ValueOf(pairs[i].Value)
		if isNull(pairs[i+1]) {
			v.SetMapIndex(key, reflect.Value{})
		} else {
			item := reflect.New(v.Type().Elem()).Elem()
			d.value(pairs[i+1], item, reflect.Zero(item.Type()))
			v.SetMapIndex(key, item)
		}
		d.pop()
	}
}

// free decodes a value of any shape, for metadata.
func (d *decoder) free(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		var m map[string]any
		d.mapping(n, reflect.ValueOf(&m).Elem())
		return m
	case yaml.SequenceNode:
		var l []any
		d.list(n, reflect.ValueOf(&l).Elem())
		return l
	default:
		return d.scalar(n)
	}
}
