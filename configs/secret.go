package configs

import (
	"fmt"
	"log/slog"
	"unique"
)

const masked = "<secret>"

// Secret is a text that never prints: not by fmt in any verb, slog, JSON, YAML
// or an error. Two secrets of the same text compare equal. Reveal is the only
// way to the text.
//
// It is a struct around a handle, not a string type, because fmt does not call
// the methods of unexported fields: a string type inside somebody's struct
// would print in clear.
type Secret struct {
	h unique.Handle[string]
}

// NewSecret wraps text. The empty text is the zero Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{h: unique.Make(text)}
}

// Reveal returns the text in clear.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.h.Value()
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s == Secret{} }

// String returns a mask, or nothing where there is no text.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return masked
}

// Format masks in every verb, %#v and %x among them.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue masks in slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks in JSON and in everything else that takes text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML masks in YAML.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
