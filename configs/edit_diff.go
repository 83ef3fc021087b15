package configs

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"gopkg.in/yaml.v3"
)

const maskedNew = "<another secret>"

// Diff shows what Save would change, as a unified diff over all files. Secrets
// are masked, also on lines that do not change and in comments; one that
// changes is shown as another.
func (d *Editor) Diff() string {
	var b strings.Builder
	for _, f := range d.files {
		if f.changed() {
			b.WriteString(maskedDiff(f.path, f.exists, f.was, f.t))
		}
	}
	return b.String()
}

func maskedDiff(file string, exists bool, before, after *editText) string {
	old, new := secretsIn(before), secretsIn(after)
	was := map[string]string{}
	for _, s := range old {
		was[s.path] = s.value
	}
	label := file
	if !exists {
		label = "/dev/null"
	}
	values := maskerOf(slices.Concat(old, new))
	return udiff.Unified(label, file,
		maskText(before.text, old, values, func(secretSpan) string { return masked }),
		maskText(after.text, new, values, func(s secretSpan) string {
			if value, known := was[s.path]; known && value != s.value {
				return maskedNew
			}
			return masked
		}))
}

// secretSpan is a secret in a text.
type secretSpan struct {
	from, to    int
	path, value string
}

// secretsIn finds the secrets of a text.
func secretsIn(t *editText) []secretSpan {
	if t.root == nil {
		return nil
	}
	outer := map[*yaml.Node]int{}
	t.noteOuter(outer, t.root, -1)
	var list []secretSpan
	var walk func(n *yaml.Node, path string, secret bool)
	walk = func(n *yaml.Node, path string, secret bool) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				key := n.Content[i].Value
				walk(n.Content[i+1], path+"."+key, secret || secretKey(key))
			}
		case yaml.SequenceNode:
			for i, item := range n.Content {
				walk(item, path+"["+itemName(item, i)+"]", secret)
			}
		case yaml.AliasNode:
			if secret && n.Alias.Kind == yaml.ScalarNode {
				walk(n.Alias, path, true) // the secret stands where the anchor is, below whatever key
			}
		case yaml.ScalarNode:
			if from, to := t.start(n), t.end(n, outer[n]); secret && !isNull(n) && from < to {
				if n.Anchor != "" {
					from = t.skipProperties(from)
				}
				list = append(list, secretSpan{from, to, path, n.Value})
			}
		}
	}
	walk(t.root, "", false)
	slices.SortFunc(list, func(a, b secretSpan) int { return a.from - b.from })
	return list
}

// itemName tells items apart that move.
func itemName(n *yaml.Node, i int) string {
	for _, key := range []string{"name", "slug", "connection"} {
		if v := find(n, key); v != nil && n.Kind == yaml.MappingNode {
			return v.Value
		}
	}
	return position(i)
}

// maskerOf masks the secrets wherever they stand, the longest first. It looks
// for all at once: for one after the other, ten thousand took seconds.
func maskerOf(list []secretSpan) *strings.Replacer {
	var values []string
	for _, s := range list {
		if len(s.value) >= shortestGuess {
			values = append(values, s.value)
		}
	}
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, v := range slices.Compact(values) {
		pairs = append(pairs, v, masked)
	}
	return strings.NewReplacer(pairs...)
}

// secretComment finds what looks like a secret in a comment, such as a
// password that was commented out.
var secretComment = regexp.MustCompile(`(?i)(#[^\r\n]*?(?:password|passwd|passphrase|secret|token|credential)[a-z_]*["']?\s*[:=]\s*)([^\r\n]+)`)

// maskText replaces the secrets of a text.
func maskText(text string, spans []secretSpan, values *strings.Replacer, mask func(secretSpan) string) string {
	var b strings.Builder
	at := 0
	for _, s := range spans {
		if s.from < at {
			continue
		}
		b.WriteString(maskRest(text[at:s.from], values))
		b.WriteString(mask(s))
		at = s.to
	}
	b.WriteString(maskRest(text[at:], values))
	return b.String()
}

// maskRest masks what stands between the secrets that are known.
func maskRest(text string, values *strings.Replacer) string {
	text = secretComment.ReplaceAllStringFunc(text, func(line string) string {
		parts := secretComment.FindStringSubmatch(line)
		if strings.HasSuffix(strings.TrimRight(parts[1], " :="), "_file") || strings.HasSuffix(strings.TrimRight(parts[1], " :="), "_env") {
			return line
		}
		return parts[1] + masked
	})
	return values.Replace(maskAddress(text))
}
