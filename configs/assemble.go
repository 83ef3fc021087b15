package configs

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"math"
	"reflect"
	"slices"
)

// assemble puts the files that are in force together.
func (l *loader) assemble(list []*fragment, x *cross) *Config {
	cfg := l.main.head
	cfg.Connections, cfg.Applications, cfg.Queues = nil, nil, nil
	if w := cfg.Defaults.Queue.Worker; w != nil && w.StopTimeout == unset {
		w.StopTimeout = 0
	}
	cfg.meta = meta{loadedAt: l.now, warnings: slices.Clone(l.main.warnings)}
	cfg.addEntries(l.main)
	for _, f := range list {
		cfg.meta.fragments = append(cfg.meta.fragments, Fragment{File: f.file, OK: f.stage == stageNew, Err: joinErrors(f.errs)})
		if s := f.inForce(); s != nil {
			cfg.addEntries(s)
			cfg.meta.warnings = append(cfg.meta.warnings, s.warnings...)
		}
	}
	cfg.meta.warnings = distinct(append(cfg.meta.warnings, x.warnings...))
	cfg.index()
	l.remember(list)
	cfg.meta.files = l.reader.names()
	cfg.meta.secrets = cfg.collectSecrets(l.ids.texts)
	h := hasher{sha256.New(), l.tables}
	h.value(reflect.ValueOf(cfg))
	cfg.meta.hash = hex.EncodeToString(h.h.Sum(nil))
	return &cfg
}

// addEntries adds what is in force of a file. The main file's lists, which are
// the long ones and which nobody needs any more, are taken rather than copied.
func (c *Config) addEntries(s *source) {
	if s.limits == nil && s.dropped == nil {
		c.Connections, c.Applications, c.Queues = slices.Clip(s.connections), slices.Clip(s.applications), slices.Clip(s.queues)
		return
	}
	c.Connections = slices.Grow(c.Connections, len(s.connections))
	for _, one := range s.eachConnection() {
		c.Connections = append(c.Connections, *one)
	}
	c.Applications = slices.Grow(c.Applications, len(s.applications))
	for _, one := range s.eachApplication() {
		c.Applications = append(c.Applications, *one)
	}
	c.Queues = slices.Grow(c.Queues, len(s.queues))
	for _, one := range s.eachQueue() {
		c.Queues = append(c.Queues, *one)
	}
}

func (c *Config) index() {
	c.meta.connections = make(map[string]int, len(c.Connections))
	for i := range c.Connections {
		c.meta.connections[c.Connections[i].Name] = i
	}
	c.meta.applications = make(map[string]int, len(c.Applications))
	for i := range c.Applications {
		c.meta.applications[c.Applications[i].Slug] = i
	}
}

func distinct(list []Warning) []Warning {
	seen := make(map[Warning]bool, len(list))
	return slices.DeleteFunc(list, func(w Warning) bool {
		twice := seen[w]
		seen[w] = true
		return twice
	})
}

// hasher digests a configuration by its keys, without its secrets.
type hasher struct {
	h      hash.Hash
	tables tables
}

func (h hasher) number(n uint64) { _, _ = h.h.Write(binary.LittleEndian.AppendUint64(nil, n)) }

func (h hasher) text(s string) {
	h.number(uint64(len(s)))
	_, _ = h.h.Write([]byte(s))
}

func (h hasher) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if at, ok := reflect.TypeAssert[Time](v); ok {
			h.text(at.String())
		}
		for _, f := range h.tables.of(v.Type()).fields {
			h.value(v.Field(f.index))
		}
	case reflect.Slice:
		h.number(uint64(v.Len()))
		for i := range v.Len() {
			h.value(v.Index(i))
		}
	case reflect.Map:
		h.number(uint64(v.Len()))
		keys := map[string]reflect.Value{}
		for it := v.MapRange(); it.Next(); {
			keys[it.Key().String()] = it.Value()
		}
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			h.text(k)
			h.value(keys[k])
		}
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			h.number(0)
			return
		}
		h.number(1 + uint64(v.Elem().Kind()))
		h.value(v.Elem())
	case reflect.String:
		h.text(v.String())
	case reflect.Bool:
		h.number(map[bool]uint64{true: 1}[v.Bool()])
	case reflect.Float64:
		h.number(math.Float64bits(v.Float()))
	case reflect.Uint64:
		h.number(v.Uint())
	default:
		h.number(uint64(v.Int()))
	}
}
