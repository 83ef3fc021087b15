package configs

import (
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// leaf decodes scalars. It reports whether v is of a scalar type.
func (d *decoder) leaf(n *yaml.Node, v reflect.Value) bool {
	switch p := v.Addr().Interface().(type) {
	case *Secret:
		if text, ok := d.text(n); ok {
			*p = NewSecret(text)
		}
	case *Duration:
		parseInto(d, n, p, ParseDuration, "must be a duration with its unit, for example 500ms, 30s, 1h30m or 7d")
	case *Bytes:
		parseInto(d, n, p, ParseBytes, "must be a size, for example 128MiB")
	case *Time:
		parseInto(d, n, p, ParseTime, "must be a date, for example 2027-01-31 or 2027-01-31T12:00:00Z")
	case *string:
		if text, ok := d.text(n); ok {
			*p = text
		}
	case *bool:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			d.fail(n, "must be true or false")
		} else {
			*p = strings.EqualFold(n.Value, "true")
		}
	case *int:
		if i, ok := d.integer(n, 64); ok {
			*p = int(i)
		}
	case *uint64:
		if i, err := strconv.ParseUint(n.Value, 10, 64); err != nil || !isInteger(n) {
			d.fail(n, "must be a whole number, 0 or more")
		} else {
			*p = i
		}
	case *float64:
		f, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || err != nil || (n.Tag != "!!float" && !isInteger(n)) {
			d.fail(n, "must be a number")
		} else {
			*p = f
		}
	default:
		return false
	}
	return true
}

func parseInto[T any](d *decoder, n *yaml.Node, p *T, parse func(string) (T, error), must string) {
	if n.Kind == yaml.ScalarNode && n.Style&yaml.TaggedStyle == 0 {
		if got, err := parse(n.Value); err == nil {
			*p = got
			return
		}
	}
	d.fail(n, "%s", must)
}

// text returns the value of a node that is text and nothing else: a number
// there would lose its zeros, and a truth value its spelling.
func (d *decoder) text(n *yaml.Node) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.fail(n, "must be text")
	case strings.HasPrefix(n.Tag, "!!") && n.Tag != "!!str":
		d.fail(n, "must be text; put it in quotes")
	case n.Tag != "!!str":
		d.fail(n, "has a tag that is not understood; put a value that begins with ! in quotes")
	default:
		return n.Value, true
	}
	return "", false
}

// isInteger also refuses what reads differently in YAML 1.1 and 1.2, as 010.
func isInteger(n *yaml.Node) bool {
	digits := strings.TrimLeft(n.Value, "+-")
	return n.Kind == yaml.ScalarNode && n.Tag == "!!int" && (digits == "0" || !strings.HasPrefix(digits, "0"))
}

func (d *decoder) integer(n *yaml.Node, bits int) (int64, bool) {
	i, err := strconv.ParseInt(n.Value, 10, bits)
	if err != nil || !isInteger(n) {
		d.fail(n, "must be a whole number")
		return 0, false
	}
	return i, true
}

// scalar decodes a value whose type nobody prescribes.
func (d *decoder) scalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return int(i)
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

// pairs returns the keys and values of a mapping in turn, with merge keys
// (<<) unfolded, and reports what is no mapping and every key given twice.
func (d *decoder) pairs(n *yaml.Node) ([]*yaml.Node, bool) {
	n = deref(n)
	if n.Kind != yaml.MappingNode {
		d.fail(n, "must be a mapping (key: value)")
		return nil, false
	}
	d.checkKeys(n)
	return d.unfold(n, 0), !d.stopped
}

func (d *decoder) checkKeys(n *yaml.Node) {
	var seen map[string]int // only where comparing each with each would take long
	if len(n.Content) > 64 {
		seen = make(map[string]int, len(n.Content)/2)
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := deref(n.Content[i])
		if key.Kind != yaml.ScalarNode {
			d.fail(key, "a key must be text")
			continue
		}
		line := 0
		if seen != nil {
			line = seen[key.Value]
		} else {
			line = lineOfKey(n.Content[:i], key.Value)
		}
		if line > 0 {
			d.push(step{key: key.Value})
			d.fail(key, "is given twice; first on line %d", line)
			d.pop()
		} else if seen != nil {
			seen[key.Value] = key.Line
		}
	}
}

func lineOfKey(pairs []*yaml.Node, key string) int {
	for i := 0; i < len(pairs); i += 2 {
		if k := deref(pairs[i]); k.Kind == yaml.ScalarNode && k.Value == key {
			return k.Line
		}
	}
	return 0
}

// unfold gives the own keys of a mapping precedence over merged ones, and an
// earlier merged mapping over a later one, as the merge key asks.
func (d *decoder) unfold(n *yaml.Node, depth int) []*yaml.Node {
	var own, merged []*yaml.Node
	plain := true
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if isMerge(key) || key.Kind != yaml.ScalarNode {
			plain = false
		}
	}
	if plain {
		return n.Content
	}
	have := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		switch {
		case isMerge(key):
			merged = append(merged, d.mergedPairs(val, depth)...)
		case deref(key).Kind == yaml.ScalarNode:
			own = append(own, deref(key), val)
			have[deref(key).Value] = true
		}
	}
	for i := 0; i < len(merged); i += 2 {
		if !have[merged[i].Value] {
			have[merged[i].Value] = true
			own = append(own, merged[i], merged[i+1])
		}
	}
	return own
}

func (d *decoder) mergedPairs(n *yaml.Node, depth int) []*yaml.Node {
	d.aliases++
	defer func() { d.aliases-- }()
	n = deref(n)
	if depth > maxDepth {
		d.fail(n, "is nested deeper than %d levels", maxDepth)
		return nil
	}
	if !d.spend(n, 1+len(n.Content)) {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		return d.unfold(n, depth+1)
	case yaml.SequenceNode:
		var all []*yaml.Node
		for _, item := range n.Content {
			all = append(all, d.mergedPairs(item, depth+1)...)
		}
		return all
	default:
		d.fail(n, "<< takes an alias of a mapping, or a list of them")
		return nil
	}
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.Tag == "!!merge" }
