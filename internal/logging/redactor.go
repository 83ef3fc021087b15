package logging

import (
	"slices"
	"sync"
	"sync/atomic"
)

// MinSecretLength is the length in bytes of the shortest text that a Redactor
// masks. Anything shorter would be found in ordinary words and numbers, and
// masking it would give it away.
const MinSecretLength = 4

// Mask is what stands in place of a secret.
const Mask = "<secret>"

// Redactor masks the secrets it was told, in clear and in every form in which
// a library is likely to quote them: percent-encoded, base64, JSON-escaped and
// Go-quoted. The zero value knows no secret. It is safe for concurrent use.
type Redactor struct {
	matcher atomic.Pointer[matcher] // nil where there is nothing to mask

	mu       sync.Mutex // orders calls of Set
	current  []string
	previous []string
}

// Set replaces the secrets. Those of the call before stay masked until the
// next change, because a connection that is just being retired may still quote
// its old password. Texts shorter than MinSecretLength are left out.
func (r *Redactor) Set(secrets []string) {
	secrets = slices.Clone(secrets)
	slices.Sort(secrets)
	secrets = slices.Compact(secrets)
	secrets = slices.DeleteFunc(secrets, func(s string) bool { return len(s) < MinSecretLength })

	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Equal(secrets, r.current) {
		return
	}
	r.previous, r.current = r.current, secrets
	r.matcher.Store(newMatcher(slices.Concat(r.current, r.previous)))
}

// Mask returns text with every secret in it masked. Where secrets overlap, all
// of what they cover is masked.
func (r *Redactor) Mask(text string) string {
	m := r.matcher.Load()
	if m == nil {
		return text
	}
	return m.mask(text)
}
