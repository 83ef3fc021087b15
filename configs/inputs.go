package configs

import (
	"errors"
	"os"
)

// inputs are what one file of the configuration refers to: files, variables,
// encrypted texts. What was read is remembered, so that the last good version
// of a fragment can be kept whole when what it refers to has gone bad.
type inputs struct {
	reader *reader
	below  string            // secret_dir of a fragment
	last   map[string]string // what the last good version read; nil: nothing to fall back to
	only   bool              // of what the fragment names itself, use only last
	got    map[string]string
}

func newInputs(r *reader, below string) *inputs {
	return &inputs{reader: r, below: below, got: map[string]string{}}
}

// get fetches what key stands for, else what it stood for the last time.
func (in *inputs) get(key string, own bool, fetch func() (string, error)) (string, error) {
	last, known := in.last[key]
	if in.only && own && known {
		in.got[key] = last
		return last, nil
	}
	text, err := fetch()
	if err != nil {
		if !known {
			return "", err
		}
		text = last
	}
	in.got[key] = text
	return text, nil
}

// file reads a file that the entry names itself (own) or inherits from the
// main file's defaults; only the former is bound to secret_dir.
func (in *inputs) file(path string, own bool, limit int) (string, error) {
	return in.get("file "+path, own, func() (string, error) {
		got := in.reader.file(path, in.confine(own), limit)
		return got.text, got.err
	})
}

func (in *inputs) confine(own bool) string {
	if own {
		return in.below
	}
	return ""
}

var (
	errEnvUnset = errors.New("names an environment variable that is not set")
	errEnvEmpty = errors.New("names an environment variable that is empty")
	errEmpty    = errors.New("is empty")
)

func (in *inputs) env(name string) (string, error) {
	return in.get("env "+name, true, func() (string, error) {
		switch text, ok := os.LookupEnv(name); {
		case !ok:
			return "", errEnvUnset
		case text == "":
			return "", errEnvEmpty
		default:
			return text, nil
		}
	})
}

// worldReadable reports whether a file that was read is open to everybody.
func (in *inputs) worldReadable(path string, own bool, limit int) bool {
	got, ok := in.reader.read[asked{path, in.confine(own), limit}]
	return ok && got.err == nil && got.mode.Perm()&0o004 != 0
}
