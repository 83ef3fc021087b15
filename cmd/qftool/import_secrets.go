package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/atomicfile"
)

// placePasswords decides by which key each connection gets its password, and
// what has to be written for that. What the configuration has already stays.
func (f *importFlags) placePasswords(e *configs.Entries, passwords []importedPassword) ([]secretPlace, error) {
	old, _ := configs.Load(f.out) // what is wrong with it is told when it is opened
	var places []secretPlace
	taken := takenVariables(e, old)
	for _, p := range passwords {
		i := slices.IndexFunc(e.Connections, func(c configs.Connection) bool { return c.Name == p.Connection })
		if i < 0 {
			continue
		}
		to := credentialsOf(&e.Connections[i], p.Sentinel)
		if strings.ContainsAny(p.Value.Reveal(), "\n\r") && f.secrets == secretsFile {
			return nil, fmt.Errorf("the password of connection %s has several lines, which a file of one cannot hold: give --secrets=age", p.Connection)
		}
		var have *credentials
		if old != nil {
			if c, ok := old.Connection(p.Connection); ok && (!p.Sentinel || c.Sentinel != nil) {
				had := credentialsOf(c, p.Sentinel)
				have = &had
			}
		}
		place, err := f.placePassword(to, have, p)
		if err != nil {
			return nil, err
		}
		if place == nil {
			continue
		}
		place.of = p.Connection
		// Names may differ where the variables that are made of them do not.
		if other, is := taken[place.name()]; is && other.value != place.value {
			return nil, fmt.Errorf("connections %s and %s have different passwords, and %s is the place for both: rename one, or give --secrets=age", other.of, p.Connection, place.name())
		}
		taken[place.name()] = *place
		places = append(places, *place)
	}
	return places, nil
}

// takenVariables are those by which connections have their passwords that the
// import is not about.
func takenVariables(e *configs.Entries, old *configs.Config) map[string]secretPlace {
	taken := map[string]secretPlace{}
	if old == nil {
		return taken
	}
	imported := make(map[string]bool, len(e.Connections))
	for i := range e.Connections {
		imported[e.Connections[i].Name] = true
	}
	for i := range old.Connections {
		c := &old.Connections[i]
		if imported[c.Name] {
			continue
		}
		taken[c.PasswordEnv] = secretPlace{value: c.Password, of: c.Name}
		if s := c.Sentinel; s != nil {
			taken[s.PasswordEnv] = secretPlace{value: s.Password, of: c.Name}
		}
	}
	return taken
}

// credentials are the keys of one password.
type credentials struct {
	password       *configs.Secret
	file, env, age *string
}

func credentialsOf(c *configs.Connection, sentinel bool) credentials {
	if s := c.Sentinel; sentinel && s != nil {
		return credentials{&s.Password, &s.PasswordFile, &s.PasswordEnv, &s.PasswordAge}
	}
	return credentials{&c.Password, &c.PasswordFile, &c.PasswordEnv, &c.PasswordAge}
}

// placePassword sets the key of a password. Where the configuration has the
// same one, by whichever key, there is nothing to do; where it has another by a
// key that somebody has chosen, that stays and is told.
func (f *importFlags) placePassword(to credentials, have *credentials, p importedPassword) (*secretPlace, error) {
	if have != nil && *have.password == p.Value {
		return nil, nil
	}
	name := p.Connection
	if p.Sentinel {
		name += ".sentinel"
	}
	path, err := filepath.Abs(filepath.Join(cmp.Or(f.secretsDir, filepath.Join(filepath.Dir(f.out), "secrets")), name))
	if err != nil {
		return nil, err
	}
	variable := cmp.Or(p.Variable, "QF_"+envName(name)+"_PASSWORD")
	if have != nil && !have.password.IsZero() && !f.ours(have, path, variable) {
		f.warnings = append(f.warnings, fmt.Sprintf("connection %s: its password has changed; the configuration's own way to it stays and has to be brought up to date", p.Connection))
		return nil, nil
	}
	switch f.secrets {
	case secretsAge:
		*to.age, err = seal(p.Value.Reveal(), f.sealer)
		return nil, err
	case secretsEnv:
		*to.env = variable
		return &secretPlace{variable: variable, value: p.Value}, nil
	default:
		if (have == nil || !f.ours(have, path, variable)) && holdsAnother(path, p.Value) {
			return nil, fmt.Errorf("%s is there already, with another password than that of connection %s: somebody else's, or what an entry has left that is gone; move it away, or give --secrets-dir", path, p.Connection)
		}
		*to.file = path
		return &secretPlace{path: path, value: p.Value}, nil
	}
}

// holdsAnother reports whether a file holds anything but this password.
func holdsAnother(path string, password configs.Secret) bool {
	old, err := os.ReadFile(path)
	return err == nil && strings.TrimRight(string(old), "\r\n") != password.Reveal()
}

// ours reports whether an earlier import may have placed the password there.
func (f *importFlags) ours(have *credentials, path, variable string) bool {
	switch f.secrets {
	case secretsAge:
		return *have.age != ""
	case secretsEnv:
		return *have.env == variable
	default:
		at, err := filepath.Abs(*have.file)
		return err == nil && *have.file != "" && at == path
	}
}

// envName is a name as a part of a variable's name.
func envName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}

// ownerOf is the owner of a file as a number, "" where that is this program's
// own user or the superuser.
func ownerOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	uid, ok := ownerID(info)
	if !ok {
		return "", errors.New("the owner of " + path + " is not known")
	}
	if uid == 0 || int(uid) == os.Geteuid() {
		return "", nil
	}
	return fmt.Sprint(uid), nil
}

// secretPlace is where one password goes.
type secretPlace struct {
	path, variable string
	value          configs.Secret
	of             string // the connection
}

func (p secretPlace) name() string { return p.path + p.variable }

// put writes a password and returns how to undo that. A variable only this
// process gets, so that the configuration can be checked.
func (p secretPlace) put() (undo func() error, err error) {
	if p.variable != "" {
		return func() error { return nil }, os.Setenv(p.variable, p.value.Reveal())
	}
	dir := filepath.Dir(p.path)
	_, err = os.Stat(dir)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	old, err := os.ReadFile(p.path)
	switch {
	case err == nil:
		undo = func() error { return atomicfile.Write(p.path, old, 0o600) }
	case errors.Is(err, fs.ErrNotExist):
		undo = func() error {
			err := os.Remove(p.path)
			if made {
				err = errors.Join(err, os.Remove(dir))
			}
			return err
		}
	default:
		return nil, err
	}
	return undo, atomicfile.Write(p.path, []byte(p.value.Reveal()+"\n"), 0o600)
}
