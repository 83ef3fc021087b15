package redisexporter

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// rule is one entry of relabel_configs.
type rule struct {
	action, separator, target, replacement string
	source                                 []string
	regex                                  *regexp.Regexp
}

// readRules reads relabel_configs. What is not understood is an error: the
// labels would be others than Prometheus makes.
func readRules(d *configs.Document, path string, value any) ([]rule, error) {
	entries, _ := value.([]any)
	var rules []rule
	for i, e := range entries {
		at := d.At(fmt.Sprintf("%s[%d]", path, i))
		m, ok := e.(map[string]any)
		if !ok {
			return nil, &configs.Error{Position: at, Text: "must be a mapping"}
		}
		r := rule{action: "replace", separator: ";", replacement: "$1", target: text(m["target_label"])}
		for key, into := range map[string]*string{"action": &r.action, "separator": &r.separator, "replacement": &r.replacement} {
			if v, given := m[key]; given {
				*into = text(v)
			}
		}
		r.action = strings.ToLower(r.action)
		sources, _ := m["source_labels"].([]any)
		for _, s := range sources {
			r.source = append(r.source, text(s))
		}
		pattern := "(.*)"
		if v, given := m["regex"]; given {
			pattern = text(v)
		}
		var err error
		if r.regex, err = regexp.Compile("^(?s:" + pattern + ")$"); err != nil {
			return nil, &configs.Error{Position: at, Text: "regex is not a regular expression"}
		}
		switch r.action {
		case "replace", "keep", "drop", "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase", "keepequal", "dropequal":
		default:
			return nil, &configs.Error{Position: at, Text: fmt.Sprintf("action: %.32q is not understood", r.action)}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// apply does to labels what Prometheus does, and reports whether the target
// stays.
func apply(rules []rule, labels map[string]string) bool {
	for _, r := range rules {
		if !r.apply(labels) {
			return false
		}
	}
	return true
}

func (r rule) apply(labels map[string]string) bool {
	values := make([]string, len(r.source))
	for i, s := range r.source {
		values[i] = labels[s]
	}
	value := strings.Join(values, r.separator)
	switch r.action {
	case "keep":
		return r.regex.MatchString(value)
	case "drop":
		return !r.regex.MatchString(value)
	case "keepequal":
		return value == labels[r.target]
	case "dropequal":
		return value != labels[r.target]
	case "replace":
		r.replace(labels, value)
	case "lowercase":
		labels[r.target] = strings.ToLower(value)
	case "uppercase":
		labels[r.target] = strings.ToUpper(value)
	default:
		r.overNames(labels)
	}
	return true
}

func (r rule) replace(labels map[string]string, value string) {
	at := r.regex.FindStringSubmatchIndex(value)
	if at == nil {
		return
	}
	target := string(r.regex.ExpandString(nil, r.target, value, at))
	if replaced := string(r.regex.ExpandString(nil, r.replacement, value, at)); replaced == "" {
		delete(labels, target)
	} else {
		labels[target] = replaced
	}
}

// overNames are the actions about the names of labels.
func (r rule) overNames(labels map[string]string) {
	added := map[string]string{}
	for name, value := range labels {
		at := r.regex.FindStringSubmatchIndex(name)
		switch {
		case r.action == "labelmap" && at != nil:
			added[string(r.regex.ExpandString(nil, r.replacement, name, at))] = value
		case r.action == "labeldrop" && at != nil, r.action == "labelkeep" && at == nil:
			delete(labels, name)
		}
	}
	for name, value := range added {
		labels[name] = value
	}
}
