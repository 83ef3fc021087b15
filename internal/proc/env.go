package proc

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Env is the whole environment of a worker. It is opaque, since passwords
// reach workers in it: no form of printing shows a value.
type Env struct {
	// NAME=value, sorted. A function, so that fmt prints an address where it can
	// reach an Env only through an unexported field and cannot call Format; what
	// a pointer leads to it would print for some verbs.
	entries func() []string
}

// NewEnv makes an environment of variables. The error names the variable that
// cannot be passed on, never its value.
func NewEnv(variables map[string]string) (Env, error) {
	entries := make([]string, 0, len(variables))
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return Env{}, fmt.Errorf("environment: %q is not the name of a variable", name)
		}
		if strings.ContainsRune(variables[name], 0) {
			return Env{}, fmt.Errorf("environment: the value of %s contains a NUL byte", name)
		}
		entries = append(entries, name+"="+variables[name])
	}
	return Env{func() []string { return entries }}, nil
}

// Lookup returns the value of a variable.
func (e Env) Lookup(name string) (string, bool) {
	for _, entry := range e.list() {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// Names returns the names of all variables, sorted.
func (e Env) Names() []string {
	names := make([]string, 0, len(e.list()))
	for _, entry := range e.list() {
		name, _, _ := strings.Cut(entry, "=")
		names = append(names, name)
	}
	return names
}

// Equal reports whether e and o hold the same variables.
func (e Env) Equal(o Env) bool { return slices.Equal(e.list(), o.list()) }

// Format writes the number of variables, whatever the verb.
func (e Env) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "<%d variables>", len(e.list()))
}

// LogValue is what slog prints.
func (e Env) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

// MarshalJSON writes the variables' names.
func (e Env) MarshalJSON() ([]byte, error) { return json.Marshal(e.Names()) }

func (e Env) list() []string {
	if e.entries == nil {
		return nil
	}
	return e.entries()
}
