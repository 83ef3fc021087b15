package logging

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// forms returns secret and the forms in which it may be quoted, without
// duplicates and without any shorter than MinSecretLength.
func forms(secret string) []string {
	found := make([]string, 0, 8)
	add := func(form string) {
		if len(form) >= MinSecretLength && !slices.Contains(found, form) {
			found = append(found, form)
		}
	}
	add(secret)
	if strings.ContainsFunc(secret, needsEscape) {
		for _, form := range urlForms(secret) {
			add(form)
			add(lowerPercent(form))
		}
		for _, form := range quotedForms(secret) {
			add(form)
		}
	}
	for _, form := range base64Forms(secret) {
		add(form)
		if strings.ContainsAny(form, "+/") {
			add(strings.NewReplacer("+", "-", "/", "_").Replace(form))
		}
	}
	return found
}

// needsEscape reports whether any escaping might touch r. Most secrets are
// letters and digits, and there may be tens of thousands of them.
func needsEscape(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}

func urlForms(secret string) []string {
	query := url.QueryEscape(secret)
	userinfo := strings.TrimPrefix(url.UserPassword("", secret).String(), ":")
	return []string{query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(secret), userinfo}
}

// lowerPercent returns text with its percent-escapes in lower case (%2f).
func lowerPercent(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	lower := []byte(text)
	for i := 0; i+2 < len(lower); i++ {
		if lower[i] == '%' {
			copy(lower[i+1:], bytes.ToLower(lower[i+1:i+3]))
		}
	}
	return string(lower)
}

func quotedForms(secret string) []string {
	quoted := []string{strconv.Quote(secret), strconv.QuoteToASCII(secret)}
	if html, err := json.Marshal(secret); err == nil {
		quoted = append(quoted, string(html))
	}
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(secret); err == nil {
		quoted = append(quoted, strings.TrimSuffix(plain.String(), "\n"))
	}
	for i, form := range quoted {
		quoted[i] = form[1 : len(form)-1]
	}
	return quoted
}

// base64Forms returns the base64 of secret without padding and the characters
// that it surely contributes to the base64 of a longer text in which a multiple
// of three plus none, one or two bytes stand before it, as in the user:password
// of an Authorization header. The characters that it shares with its neighbours
// are left out there.
func base64Forms(secret string) []string {
	found := make([]string, 0, 4)
	padded := append(make([]byte, 2, len(secret)+2), secret...)
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(padded[2-before:])
		if before == 0 {
			found = append(found, encoded)
		}
		first := (before*8 + 5) / 6
		last := (before + len(secret)) * 8 / 6
		found = append(found, encoded[first:last])
	}
	return found
}
