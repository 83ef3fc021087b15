package laravel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/queuefleet/queuefleet/configs"
)

// RenderVariables writes the file of the passwords, at path.
func (p *Plan) RenderVariables(path string) (File, error) {
	f := File{Name: path, Mode: 0o600, kind: envKind}
	var b strings.Builder
	var errs []error
	for _, v := range p.Variables() {
		text, err := DotenvQuote(v.Value.Reveal())
		if err != nil {
			errs = append(errs, fmt.Errorf("the password of connection %s %w", v.Connection, err))
			continue
		}
		fmt.Fprintf(&b, "%s=%s\n", v.Name, text)
		f.names = append(f.names, v.Name)
	}
	f.body = b.String()
	f.Text = fmt.Sprintf("# Passwords of the application %s, written by qftool generate laravel.\n"+
		"# To be read as a .env file, not by a shell.\n%s%s\n%s", p.app.Slug, envMark, digest(f.body), f.body)
	return f, errors.Join(errs...)
}

// words are what env() takes for something else than text.
var words = []string{"true", "(true)", "false", "(false)", "empty", "(empty)", "null", "(null)"}

// variableText is what a variable must hold so that Laravel's env() returns
// the password: env() takes off a pair of quotes, and some words for values.
func variableText(password configs.Secret) configs.Secret {
	text := password.Reveal()
	quoted := len(text) > 1 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0]
	if quoted || slices.Contains(words, strings.ToLower(text)) {
		return configs.NewSecret(`"` + text + `"`)
	}
	return password
}

var (
	errLines = errors.New("has several lines, which a file of environment variables cannot hold")
	errNUL   = errors.New("has a NUL byte, which no environment variable can hold")
	errUTF8  = errors.New("is not UTF-8, which a .env file has to be")
)

// DotenvQuote writes a value as .env files have it. Without a double quote in
// it a value cannot be taken for one of several lines, and single quotes keep
// everything as it is; within double quotes three characters have a meaning.
func DotenvQuote(s string) (string, error) {
	switch {
	case strings.ContainsAny(s, "\n\r"):
		return "", errLines
	case strings.Contains(s, "\x00"):
		return "", errNUL
	case !utf8.ValidString(s):
		return "", errUTF8
	case !strings.ContainsAny(s, `'"`):
		return "'" + s + "'", nil
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(s) + `"`, nil
}
