package configs

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// key is one key of the file: the path of the mapping around it, with [] for
// the entries of a list, and its name.
type key struct{ around, name string }

// allKeys walks the types. Mappings of free names end the walk.
func allKeys(typ reflect.Type, path string, tell func(key, reflect.StructField)) {
	switch typ.Kind() {
	case reflect.Pointer:
		allKeys(typ.Elem(), path, tell)
		return
	case reflect.Slice:
		allKeys(typ.Elem(), path+"[]", tell)
		return
	case reflect.Struct:
	default:
		return
	}
	if typ.PkgPath() != reflect.TypeFor[Config]().PkgPath() {
		return
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		tell(key{path, name}, f)
		if path != "defaults" { // entries of each kind have their own place
			allKeys(f.Type, strings.TrimPrefix(path+"."+name, "."), tell)
		}
	}
}

// seenKeys walks the nodes of a file in the same manner.
func seenKeys(n *yaml.Node, path string, seen map[key]bool) {
	switch n.Kind {
	case yaml.SequenceNode:
		for _, item := range n.Content {
			seenKeys(item, path+"[]", seen)
		}
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			name := n.Content[i].Value
			seen[key{path, name}] = true
			seenKeys(n.Content[i+1], strings.TrimPrefix(path+"."+name, "."), seen)
		}
	}
}

// TestReferenceHasEveryKey reads reference.yml with its alternatives, which
// are commented out.
func TestReferenceHasEveryKey(t *testing.T) {
	text, err := os.ReadFile("examples/reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	alternative := regexp.MustCompile(`(?m)^( +)# ([a-z_]+): .*$`)
	var root yaml.Node
	if err := yaml.Unmarshal(alternative.ReplaceAll(text, []byte("${1}${2}: x")), &root); err != nil {
		t.Fatal(err)
	}
	seen := map[key]bool{}
	seenKeys(root.Content[0], "", seen)
	count := 0
	allKeys(reflect.TypeFor[Config](), "", func(k key, _ reflect.StructField) {
		count++
		if !seen[k] {
			t.Errorf("%s of %q is not in reference.yml", k.name, k.around)
		}
	})
	if count < 120 {
		t.Errorf("only %d keys", count)
	}
}

// TestDocumentationHasEveryKey wants a row for each key, in the section of its
// mapping, and the built-in default in it.
func TestDocumentationHasEveryKey(t *testing.T) {
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(text), "\n### ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		if heading == "The file" {
			sections[""] = body
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(heading, -1) {
			sections[m[1]] = body
		}
	}
	bases := builtinByPath()
	allKeys(reflect.TypeFor[Config](), "", func(k key, f reflect.StructField) {
		row := regexp.MustCompile("(?m)^\\| `" + k.name + "` \\| ([^|]+) \\| ([^|]*) ?\\| ([^|]*) ?\\|$").FindStringSubmatch(sections[k.around])
		if row == nil {
			t.Errorf("%q has no row for %s", k.around, k.name)
			return
		}
		base, ok := bases[k.around]
		if !ok {
			return
		}
		if want := defaultText(base.FieldByName(f.Name)); want != "" && !strings.Contains(row[2], "`"+want+"`") {
			t.Errorf("%s.%s: the default is %s, the documentation says %q", k.around, k.name, want, row[2])
		}
	})
}

func builtinByPath() map[string]reflect.Value {
	c, q, w := defaultConnection(), defaultQueue(), defaultWorker()
	return map[string]reflect.Value{
		"global":                            reflect.ValueOf(defaultGlobal()),
		"connections[]":                     reflect.ValueOf(c),
		"connections[].options":             reflect.ValueOf(c.Options),
		"connections[].tls":                 reflect.ValueOf(TLS{MinVersion: "TLS12"}),
		"applications[]":                    reflect.ValueOf(defaultApplication()),
		"applications[].connections[]":      reflect.ValueOf(ApplicationConnection{Active: true}),
		"queues[]":                          reflect.ValueOf(q),
		"queues[].worker":                   reflect.ValueOf(w),
		"queues[].worker.environment_names": reflect.ValueOf(w.EnvironmentNames),
	}
}

// defaultText writes a default as the documentation does, "" where it is none.
func defaultText(v reflect.Value) string {
	switch one := v.Interface().(type) {
	case Duration:
		switch {
		case one == unset, one == 0:
			return ""
		case one == minute, one == 90*second:
			return fmt.Sprintf("%.0fs", one.Seconds())
		}
		return one.String()
	case []string:
		if len(one) == 0 {
			return ""
		}
		return fmt.Sprintf("[%q]", one[0])
	case bool, int, float64:
		return fmt.Sprint(one)
	case fmt.Stringer:
		if v.IsZero() {
			return ""
		}
		return one.String()
	case string:
		return one
	default:
		return ""
	}
}
