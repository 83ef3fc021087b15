package configs

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// SecretsMode says what becomes of secrets in an export.
type SecretsMode string

// What can become of secrets.
const (
	SecretsOmit SecretsMode = "omit" // those in clear are left out, references stay
	SecretsMask SecretsMode = "mask" // shown as <secret>; cannot be imported
	SecretsAge  SecretsMode = "age"  // every password is encrypted anew
)

// ExportOptions choose what is exported. Patterns are globs; empty lists
// choose everything.
type ExportOptions struct {
	Applications []string
	Environments []string
	Secrets      SecretsMode
	Seal         func(password string) (armored string, err error) // for SecretsAge
	Directory    string                                            // where the file will lie
}

// LoadOffline reads a configuration with its includes, but neither passwords
// nor certificates: those are only named.
func LoadOffline(path string) (*Config, error) {
	l := newLoader(path, nil)
	l.offline = true
	defer l.reader.close()
	return l.load()
}

// Export chooses entries of a configuration, to be written as a file that
// means the same by itself. It also lists what had to be left out.
func (c *Config) Export(o ExportOptions) (*Entries, []string, error) {
	x := &export{cfg: c, o: o}
	e := x.choose()
	e.Directory = o.Directory
	e.PlainSecrets = o.Secrets != SecretsOmit && o.Secrets != ""
	for i := range e.Connections {
		if err := x.connection(&e.Connections[i]); err != nil {
			return nil, nil, err
		}
	}
	for i := range e.Applications {
		a := &e.Applications[i]
		a.Metadata = freeMap(x.free(fmt.Sprintf("application %s: metadata", a.Slug), "", a.Metadata))
	}
	for i := range e.Queues {
		x.queue(&e.Queues[i])
	}
	slices.Sort(x.left)
	return e, x.left, nil
}

type export struct {
	cfg  *Config
	o    ExportOptions
	left []string // out
}

// choose takes the applications, their queue configurations, and what they
// name. Without a choice of applications, connections that nobody uses are
// taken too.
func (x *export) choose() *Entries {
	c, o := x.cfg, x.o
	e := &Entries{}
	if len(o.Applications) == 0 && len(o.Environments) == 0 {
		g, access := c.Global, c.Access
		e.Global = &g
		if len(access.Users) > 0 {
			e.Access = &access
		}
		e.Connections, e.Applications, e.Queues = slices.Clone(c.Connections), slices.Clone(c.Applications), slices.Clone(c.Queues)
		return e
	}
	inEnvironment := map[string]bool{}
	for i := range c.Connections {
		inEnvironment[c.Connections[i].Name] = chosenBy(o.Environments, c.Connections[i].Environment)
	}
	used := map[string]bool{}
	queued := map[string]bool{}
	for i := range c.Queues {
		if q := &c.Queues[i]; chosenBy(o.Applications, q.Application) && inEnvironment[q.Connection] {
			e.Queues = append(e.Queues, *q)
			used[q.Connection], queued[q.Application] = true, true
		}
	}
	for i := range c.Applications {
		a := c.Applications[i]
		if !chosenBy(o.Applications, a.Slug) {
			continue
		}
		a.Connections = slices.DeleteFunc(slices.Clone(a.Connections), func(p ApplicationConnection) bool { return !inEnvironment[p.Connection] })
		if len(o.Environments) > 0 && len(a.Connections) == 0 && !queued[a.Slug] {
			continue
		}
		for _, name := range applicationConnections(&a) {
			used[name] = true
		}
		e.Applications = append(e.Applications, a)
	}
	for i := range c.Connections {
		if conn := &c.Connections[i]; used[conn.Name] || len(o.Applications) == 0 && inEnvironment[conn.Name] {
			e.Connections = append(e.Connections, *conn)
		}
	}
	return e
}

// applicationConnections lists the connections that an application names.
func applicationConnections(a *Application) []string {
	var list []string
	for _, p := range a.Connections {
		list = append(list, p.Connection)
	}
	for _, k := range []*KeySpace{a.Cache, a.Horizon} {
		if k != nil && k.Connection != "" {
			list = append(list, k.Connection)
		}
	}
	return list
}

func chosenBy(globs []string, name string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g string) bool {
		ok, err := path.Match(g, name)
		return g == name || ok && err == nil
	})
}

func (x *export) connection(c *Connection) error {
	what := "connection " + c.Name
	if s := c.Sentinel; s != nil {
		own := *s
		c.Sentinel = &own
		if err := x.password(what+": sentinel.", &own.Password, &own.PasswordFile, &own.PasswordEnv, &own.PasswordAge); err != nil {
			return err
		}
	}
	return x.password(what+": ", &c.Password, &c.PasswordFile, &c.PasswordEnv, &c.PasswordAge)
}

// password does with one password what was asked for.
func (x *export) password(what string, password *Secret, file, env, age *string) error { //nolint:revive // the four ways of a password belong together
	switch x.o.Secrets {
	case SecretsAge:
		if password.IsZero() {
			return nil
		}
		armored, err := x.o.Seal(password.Reveal())
		if err != nil {
			return fmt.Errorf("%spassword: %w", what, err)
		}
		*password, *file, *env, *age = Secret{}, "", "", armored
	case SecretsMask:
		if *age != "" {
			*age = masked
		}
		if *file+*env+*age != "" {
			*password = Secret{}
		} else if !password.IsZero() {
			*password = NewSecret(masked)
		}
	default:
		if !password.IsZero() && *file+*env+*age == "" {
			x.left = append(x.left, what+"password")
		}
	}
	return nil
}

func (x *export) queue(q *Queue) {
	if q.Worker == nil {
		return
	}
	w := *q.Worker
	if shown := maskWords(w.Command); !slices.Equal(shown, w.Command) {
		w.Command = shown // a command with a word less would be another one
		if x.o.Secrets != SecretsMask {
			x.left = append(x.left, fmt.Sprintf("queue %s: a password in worker.command", q.Name))
		}
	}
	w.Environment = maps.Clone(w.Environment)
	for name, value := range w.Environment {
		if !holdsSecret(name, value) {
			continue
		}
		if x.o.Secrets == SecretsMask {
			w.Environment[name] = masked
			continue
		}
		delete(w.Environment, name)
		x.left = append(x.left, fmt.Sprintf("queue %s: worker.environment.%s", q.Name, name))
	}
	q.Worker = &w
}

// free leaves secrets out of a free-form value, or masks them.
func (x *export) free(what, name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, one := range v {
			if kept := x.free(what+"."+k, k, one); kept != nil {
				out[k] = kept
			}
		}
		return out
	case []any:
		out := []any{}
		for _, one := range v {
			if kept := x.free(what, name, one); kept != nil {
				out = append(out, kept)
			}
		}
		return out
	}
	switch {
	case !holdsSecret(name, value):
		return value
	case x.o.Secrets == SecretsMask:
		return masked
	default:
		x.left = append(x.left, what)
		return nil
	}
}

func freeMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// LeftOutComment says at the top of an export what is not in it.
func LeftOutComment(left []string) string {
	if len(left) == 0 {
		return ""
	}
	return "Secrets that are left out:\n  " + strings.Join(left, "\n  ")
}

// Only keeps the entries of a name. It reports whether there are any.
func (e *Entries) Only(name string) bool {
	e.Connections = slices.DeleteFunc(e.Connections, func(one Connection) bool { return one.Name != name })
	e.Applications = slices.DeleteFunc(e.Applications, func(one Application) bool { return one.Slug != name })
	e.Queues = slices.DeleteFunc(e.Queues, func(one Queue) bool { return one.Name != name })
	e.Access, e.Global = nil, nil
	return len(e.Connections)+len(e.Applications)+len(e.Queues) > 0
}
