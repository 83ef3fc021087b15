package configs

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// shortestGuess is the length from which the value of a variable with a
// telling name is taken for a secret everywhere, not only in the display: a
// short one would mask too much of the logs.
const shortestGuess = 8

// MaskedYAML writes the effective configuration, defaults merged into every
// entry, for people to read. Secrets are masked. Where it holds none, Parse
// reads it back to an equal configuration.
func (c *Config) MaskedYAML() ([]byte, error) {
	out := *c
	out.Defaults = Defaults{}
	out.Connections = slices.Clone(c.Connections)
	for i := range out.Connections {
		maskConnection(&out.Connections[i])
	}
	out.Applications = slices.Clone(c.Applications)
	for i := range out.Applications {
		if m := out.Applications[i].Metadata; len(m) > 0 {
			out.Applications[i].Metadata = maskFree("", m).(map[string]any)
		}
	}
	out.Queues = slices.Clone(c.Queues)
	for i := range out.Queues {
		if w := out.Queues[i].Worker; w != nil {
			out.Queues[i].Worker = maskWorker(w)
		}
	}
	return yaml.Marshal(&out)
}

// MaskedEntriesYAML is MaskedYAML with only the entries of a name. There is no
// text where there is no such entry.
func (c *Config) MaskedEntriesYAML(name string) ([]byte, error) {
	only := Config{
		Connections:  slices.DeleteFunc(slices.Clone(c.Connections), func(one Connection) bool { return one.Name != name }),
		Applications: slices.DeleteFunc(slices.Clone(c.Applications), func(one Application) bool { return one.Slug != name }),
		Queues:       slices.DeleteFunc(slices.Clone(c.Queues), func(one Queue) bool { return one.Name != name }),
	}
	if len(only.Connections)+len(only.Applications)+len(only.Queues) == 0 {
		return nil, nil
	}
	text, err := only.MaskedYAML()
	return bytes.TrimPrefix(text, []byte("global: {}\n")), err
}

// maskConnection shows by which key a password comes. An encrypted one is not
// shown either: it opens for whoever's fragment holds it.
func maskConnection(c *Connection) {
	if c.PasswordFile+c.PasswordEnv+c.PasswordAge != "" {
		c.Password = Secret{}
	}
	if c.PasswordAge != "" {
		c.PasswordAge = masked
	}
	if s := c.Sentinel; s != nil && s.PasswordFile+s.PasswordEnv+s.PasswordAge != "" {
		shown := *s
		shown.Password = Secret{}
		if shown.PasswordAge != "" {
			shown.PasswordAge = masked
		}
		c.Sentinel = &shown
	}
}

// maskWorker hides the variables whose names say that they are secret, and
// passwords in addresses.
func maskWorker(w *Worker) *Worker {
	shown := *w
	shown.Command = maskWords(w.Command)
	shown.Environment = make(map[string]string, len(w.Environment))
	for name, value := range w.Environment {
		if secretName(name) && value != "" {
			value = masked
		}
		shown.Environment[name] = maskAddress(value)
	}
	return &shown
}

// userinfo finds the password in an address such as redis://user:password@host.
var userinfo = regexp.MustCompile(`(://[^\s/@"']*:)([^\s/@"']+)@`)

// maskAddress hides the passwords of the addresses in a text.
func maskAddress(text string) string { return userinfo.ReplaceAllString(text, "${1}"+masked+"@") }

func maskWords(words []string) []string {
	shown := slices.Clone(words)
	for i, w := range shown {
		shown[i] = maskAddress(w)
	}
	return shown
}

// holdsSecret reports whether a text is a secret by its name, or is an address
// with a password in it.
func holdsSecret(name string, value any) bool {
	text, ok := value.(string)
	return value != nil && value != "" && (secretName(name) || ok && userinfo.MatchString(text))
}

// maskFree does the same for free-form values.
func maskFree(name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		shown := make(map[string]any, len(v))
		for k, one := range v {
			shown[k] = maskFree(k, one)
		}
		return shown
	case []any:
		shown := make([]any, len(v))
		for i, one := range v {
			shown[i] = maskFree(name, one)
		}
		return shown
	default:
		if secretName(name) && value != nil && value != "" {
			return masked
		}
		if text, ok := value.(string); ok {
			return maskAddress(text)
		}
		return value
	}
}

// eachText goes through the texts of a free-form value and their names.
func eachText(name string, value any, yield func(name, text string)) {
	switch v := value.(type) {
	case map[string]any:
		for k, one := range v {
			eachText(k, one, yield)
		}
	case []any:
		for _, one := range v {
			eachText(name, one, yield)
		}
	case string:
		yield(name, v)
	}
}

func secretName(name string) bool {
	name = strings.ToUpper(name)
	for _, part := range []string{"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return strings.HasSuffix(name, "_KEY") || strings.HasSuffix(name, "_DSN")
}

// Secrets lists every secret text that the configuration knows, in clear. It
// is for the redactor of the logs and for nothing else.
func (c *Config) Secrets() []string { return c.meta.secrets }

func (c *Config) collectSecrets(more []string) []string {
	seen := map[string]bool{"": true}
	var list []string
	add := func(text string) {
		if !seen[text] {
			seen[text] = true
			list = append(list, text)
		}
	}
	for i := range c.Connections {
		one := &c.Connections[i]
		add(one.Password.Reveal())
		if one.Sentinel != nil {
			add(one.Sentinel.Password.Reveal())
		}
		if one.TLS != nil {
			add(strings.TrimSpace(one.TLS.Key.Reveal()))
		}
	}
	guess := func(name, text string) {
		if len(text) >= shortestGuess && secretName(name) {
			add(text)
		}
		for _, found := range userinfo.FindAllStringSubmatch(text, -1) {
			if password := found[2]; len(password) >= shortestGuess {
				add(password)
			}
		}
	}
	for i := range c.Applications {
		eachText("", c.Applications[i].Metadata, guess)
	}
	for i := range c.Queues {
		if w := c.Queues[i].Worker; w != nil {
			for name, value := range w.Environment {
				guess(name, value)
			}
			for _, word := range w.Command {
				guess("", word)
			}
		}
	}
	for _, text := range more {
		add(text)
	}
	return list
}
