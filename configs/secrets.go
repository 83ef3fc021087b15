package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
)

// identities decrypts password_age texts.
type identities struct {
	list   []age.Identity
	opened map[string]string // by ciphertext, so that an inherited one costs once
	texts  []string          // the identities themselves, for the redactor
}

// loadIdentities reads global.age_identity_files.
func (s *source) loadIdentities() *identities {
	ids := &identities{opened: map[string]string{}}
	for i, file := range s.head.Global.AgeIdentityFiles {
		path := fmt.Sprintf("global.age_identity_files[%d]", i)
		line := s.line(path)
		text, err := s.inputs.file(file, true, maxPEMBytes)
		if err != nil {
			s.problem(line, path, "%s: %v", file, err)
			continue
		}
		list, err := parseIdentities(text)
		if err != nil {
			s.problem(line, path, "%s: %v", file, err)
			continue
		}
		if s.inputs.worldReadable(file, true, maxPEMBytes) {
			s.warn(Position{s.file, line, path}, "%s is readable by everybody", file)
		}
		ids.list = append(ids.list, list...)
		ids.texts = append(ids.texts, identityTexts(text)...)
	}
	return ids
}

var (
	errIdentity   = errors.New("holds no age identity (AGE-SECRET-KEY-1…) and no unencrypted SSH private key")
	errNoIdentity = errors.New("needs global.age_identity_files, which names the file of the key that opens it, as in global: {age_identity_files: [age.key]}")
	errNotAge     = errors.New("is not an armored age text")
	errWrongKey   = errors.New("is encrypted for none of global.age_identity_files")
	errDamaged    = errors.New("is damaged")
)

// parseIdentities never passes on the parser's text: it may quote the key.
func parseIdentities(text string) ([]age.Identity, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN") {
		id, err := agessh.ParseIdentity([]byte(text))
		if err != nil {
			return nil, errIdentity
		}
		return []age.Identity{id}, nil
	}
	list, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, errIdentity
	}
	return list, nil
}

func identityTexts(text string) []string {
	if strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN") {
		return []string{strings.TrimSpace(text)}
	}
	var keys []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			keys = append(keys, line)
		}
	}
	return keys
}

// decrypt opens an armored age text.
func (ids *identities) decrypt(armored string) (string, error) {
	if clear, ok := ids.opened[armored]; ok {
		return clear, nil
	}
	if len(ids.list) == 0 {
		return "", errNoIdentity
	}
	if len(armored) > maxSecretBytes {
		return "", tooLarge(maxSecretBytes)
	}
	text := strings.TrimSpace(armored) + "\n"
	if !strings.HasPrefix(text, armor.Header) {
		return "", errNotAge
	}
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(text)), ids.list...)
	if err != nil {
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return "", errWrongKey
		}
		return "", errDamaged
	}
	clear, err := io.ReadAll(io.LimitReader(r, maxSecretBytes))
	if err != nil {
		return "", errDamaged
	}
	ids.opened[armored] = string(clear)
	return string(clear), nil
}

// credential is one password with its four ways.
type credential struct {
	prefix         string // of the keys: "" or "sentinel."
	password       *Secret
	file, env, age string
}

// resolveCredential fills the password from whichever key gives it.
func (s *source) resolveCredential(o origin, ids *identities, c credential) {
	key, text, err := "", "", error(nil)
	switch {
	case !c.password.IsZero():
		return // given in clear; validation refuses a second way
	case c.file != "":
		key = c.prefix + "password_file"
		own := o.own(key)
		text, err = s.inputs.file(c.file, own, maxSecretBytes)
		if err == nil && s.inputs.worldReadable(c.file, own, maxSecretBytes) {
			o.warn(key, "%s is readable by everybody", c.file)
		}
		if errors.Is(err, fs.ErrNotExist) {
			// Not its name: it may be the password itself, put behind the wrong key.
			err = fmt.Errorf("there is no such file in %s", filepath.Dir(c.file))
		}
	case c.env != "":
		key = c.prefix + "password_env"
		text, err = s.inputs.env(c.env)
	case c.age != "":
		key = c.prefix + "password_age"
		text, err = s.inputs.get("age "+c.age, o.own(key), func() (string, error) { return ids.decrypt(c.age) })
	default:
		return
	}
	if err == nil {
		if text = trimNewline(text); len(text) == 0 {
			err = errEmpty
		}
	}
	if err != nil {
		o.fail(key, "%v", err)
		return
	}
	*c.password = NewSecret(text)
}

// trimNewline takes off the one newline that editors and echo put at the end.
func trimNewline(text string) string {
	text, _ = strings.CutSuffix(text, "\n")
	text, _ = strings.CutSuffix(text, "\r")
	return text
}

// warnPlaintext speaks once of a password in a file that others may read.
func (s *source) warnPlaintext() {
	if !s.open {
		return
	}
	for _, key := range []string{"connection.password", "connection.sentinel.password"} {
		if n := find(s.defaults, key); n != nil && !isNull(n) && s.limits == nil {
			s.warn(Position{s.file, n.Line, "defaults." + key}, plaintextWarning)
			return
		}
	}
	for o := range s.eachConnection() {
		for _, key := range []string{"password", "sentinel.password"} {
			if n := find(o.node(), key); n != nil && !isNull(n) {
				o.warn(key, plaintextWarning)
				return
			}
		}
	}
}

const plaintextWarning = "is written in clear in a file that others than its owner may read"
