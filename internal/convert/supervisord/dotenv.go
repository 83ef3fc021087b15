package supervisord

import (
	"os"
	"regexp"
	"strings"
)

var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// readDotenv reads an application's .env file as far as simple values go: what
// it cannot read it leaves out.
func readDotenv(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		value, plain := unquote(strings.TrimSpace(value))
		if plain {
			value = reference.ReplaceAllStringFunc(value, func(r string) string { return values[r[2:len(r)-1]] })
		}
		values[strings.TrimSpace(name)] = value
	}
	return values, nil
}

// unquote takes quotes and comments away, and reports whether ${…} counts.
func unquote(v string) (string, bool) {
	if len(v) > 1 && v[0] == '\'' {
		if end := strings.IndexByte(v[1:], '\''); end >= 0 {
			return v[1 : 1+end], false
		}
	}
	if len(v) > 1 && v[0] == '"' {
		var b strings.Builder
		for i := 1; i < len(v); i++ {
			switch {
			case v[i] == '\\' && i+1 < len(v):
				i++
				b.WriteByte(v[i])
			case v[i] == '"':
				return b.String(), true
			default:
				b.WriteByte(v[i])
			}
		}
	}
	if at := strings.Index(v, " #"); at >= 0 {
		v = strings.TrimSpace(v[:at])
	}
	return v, true
}
