package logging_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/queuefleet/queuefleet/internal/logging"
)

const (
	plainSecret   = "hunter2hunter2"
	awkwardSecret = `p@ss w/"ö<&>\+%=` + "\t?"
)

func redactor(secrets ...string) *logging.Redactor {
	r := &logging.Redactor{}
	r.Set(secrets)
	return r
}

func TestMaskForms(t *testing.T) {
	std, raw := base64.StdEncoding, base64.RawURLEncoding
	forms := map[string]func(string) string{
		"raw":           func(s string) string { return s },
		"query-escaped": url.QueryEscape,
		"path-escaped":  url.PathEscape,
		"lower percent": func(s string) string { return lowerEscapes(url.QueryEscape(s)) },
		"in a URL": func(s string) string {
			return (&url.URL{Scheme: "redis", User: url.UserPassword("u", s), Host: "h"}).String()
		},
		"base64":           func(s string) string { return std.EncodeToString([]byte(s)) },
		"base64 unpadded":  func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
		"base64 url":       func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
		"base64 url raw":   func(s string) string { return raw.EncodeToString([]byte(s)) },
		"basic auth u:":    func(s string) string { return std.EncodeToString([]byte("u:" + s)) },
		"basic auth us:":   func(s string) string { return std.EncodeToString([]byte("us:" + s)) },
		"base64 with tail": func(s string) string { return std.EncodeToString([]byte("use:" + s + "tail")) },
		"json":             func(s string) string { b, _ := json.Marshal(map[string]string{"k": s}); return string(b) },
		"%q":               strconv.Quote,
		"%+q":              strconv.QuoteToASCII,
	}
	for _, secret := range []string{plainSecret, awkwardSecret} {
		r := redactor(secret)
		for name, form := range forms {
			text := form(secret)
			got := r.Mask("before " + text + " after")
			if !strings.Contains(got, logging.Mask) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
				t.Errorf("%s of %q: %q became %q", name, secret, text, got)
			}
			if rest := strings.ReplaceAll(got, logging.Mask, ""); len(rest) > len("before redis://u:@h after")+10 {
				t.Errorf("%s of %q: too much is left: %q", name, secret, got)
			}
		}
	}
}

func lowerEscapes(text string) string {
	out := []byte(text)
	for i, c := range out {
		if c == '%' {
			copy(out[i+1:i+3], strings.ToLower(text[i+1:i+3]))
		}
	}
	return string(out)
}

func TestMask(t *testing.T) {
	tests := []struct {
		name    string
		secrets []string
		text    string
		want    string
	}{
		{"none known", nil, "nothing here", "nothing here"},
		{"empty text", []string{"secret"}, "", ""},
		{"text shorter than any secret", []string{"secret"}, "sec", "sec"},
		{"whole text", []string{"secret"}, "secret", "<secret>"},
		{"shorter than the minimum", []string{"abc"}, "abc", "abc"},
		{"as short as the minimum", []string{"abcd"}, "xabcdx", "x<secret>x"},
		{"at both ends", []string{"secret"}, "secret and secret", "<secret> and <secret>"},
		{"longest first", []string{"hunter", "hunter22", "hunter2"}, "hunter22!", "<secret>!"},
		{"a longer one that breaks off", []string{"hunter", "hunter22"}, "hunter2!", "<secret>2!"},
		{"overlapping", []string{"abcdef", "defghi"}, "-abcdefghi-", "-<secret>-"},
		{"one within another", []string{"abcdefgh", "cdef"}, "-abcdefgh-cdef-", "-<secret>-<secret>-"},
		{"same beginning, different end", []string{"pass-one", "pass-two"}, "pass-two pass-thr", "<secret> pass-thr"},
		{"touching", []string{"abcd", "efgh"}, "abcdefgh", "<secret>"},
		{"repeating", []string{"aaaa"}, "aaaaaaab", "<secret>b"},
		{"high bytes", []string{"\xff\xfe\xfd\xfc"}, "a\xff\xfe\xfd\xfcb", "a<secret>b"},
		{"the beginning of one at the end", []string{"secret"}, "a secre", "a secre"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := redactor(tt.secrets...).Mask(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestMaskAgainstReplacing compares with the obvious way for secrets that do
// not overlap.
func TestMaskAgainstReplacing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	secrets := make([]string, 300)
	for i := range secrets {
		secrets[i] = fmt.Sprintf("pw%04d%0*d", i, rng.IntN(30), rng.IntN(9))
	}
	r := redactor(secrets...)
	for range 500 {
		var text, want strings.Builder
		for range rng.IntN(8) {
			secret := secrets[rng.IntN(len(secrets))]
			text.WriteString(" word " + secret + ":")
			want.WriteString(" word " + logging.Mask + ":")
		}
		if got := r.Mask(text.String()); got != want.String() {
			t.Fatalf("%q became %q, want %q", text.String(), got, want.String())
		}
	}
}

type quoting struct{ secret string }

func (q quoting) String() string { return "password is " + q.secret }

func (q quoting) Error() string { return "dial redis://x:" + url.QueryEscape(q.secret) + "@h" }

type late struct{ secret string }

func (l late) LogValue() slog.Value {
	return slog.GroupValue(slog.String("in", l.secret), slog.Any("err", quoting(l)))
}

func TestNoValueGivesASecretAway(t *testing.T) {
	for _, format := range []string{logging.FormatLogfmt, logging.FormatJSON} {
		for _, secret := range []string{plainSecret, awkwardSecret} {
			var buf bytes.Buffer
			r := &logging.Redactor{}
			logger := logging.New(&buf, logging.Options{Format: format, Redactor: r}).
				With("early", secret). // before the redactor knows
				WithGroup("g").With(slog.Group("early", "x", secret))
			r.Set([]string{secret})

			values := map[string]any{
				"string": secret, "bytes": []byte(secret), "named": json.Number(secret), "stringer": fmt.Stringer(quoting{secret}),
				"error": error(quoting{secret}), "wrapped": fmt.Errorf("%w: %q", quoting{secret}, secret),
				"joined": errors.Join(quoting{secret}, errors.New(secret)), "valuer": late{secret},
				"group": slog.GroupValue(slog.Group("a", slog.Group("b", "c", secret))),
				"list":  []string{"x", secret}, "any list": []any{secret, 1}, "map": map[string]any{"k": []byte(secret), secret: 1},
				"struct": struct{ P, Q string }{secret, "q"}, "pointer": &struct{ P []string }{[]string{secret}},
				"raw": json.RawMessage(strconv.Quote("a" + plainSecret)), "text": url.UserPassword("u", secret),
				"url": &url.URL{Scheme: "redis", User: url.UserPassword("u", secret), Host: "h"},
				"go":  fmt.Sprintf("%#v", struct{ p string }{secret}), "pem": []error{quoting{secret}},
			}
			for name, value := range values {
				buf.Reset()
				logger.Info("connecting with "+secret, "v", value) //nolint:sloglint // the mistake is the subject
				if found := leaked(buf.String(), secret); found != "" {
					t.Errorf("%s %s: %q is in %s", format, name, found, buf.String())
				}
				if format == logging.FormatJSON {
					parseJSON(t, buf.String())
				}
			}
		}
	}
}

// leaked returns the form in which line holds the secret. A piece of it
// counts, too.
func leaked(line, secret string) string {
	piece := secret[:8]
	quoted := strconv.Quote(secret)
	for _, form := range []string{
		piece, url.QueryEscape(piece), url.PathEscape(piece), quoted[1:9],
		base64.StdEncoding.EncodeToString([]byte(secret))[:8],
	} {
		if strings.Contains(line, form) {
			return form
		}
	}
	return ""
}

func TestSetKeepsTheSecretsOfBefore(t *testing.T) {
	r := redactor("old-secret")
	r.Set([]string{"new-secret", "new-secret", ""})
	if got := r.Mask("old-secret new-secret"); got != "<secret> <secret>" {
		t.Errorf("after one change: %q", got)
	}
	r.Set([]string{"new-secret"}) // a reload that changes nothing
	if got := r.Mask("old-secret new-secret"); got != "<secret> <secret>" {
		t.Errorf("after setting the same: %q", got)
	}
	r.Set([]string{"newest-secret"})
	if got := r.Mask("old-secret new-secret newest-secret"); got != "old-secret <secret> <secret>" {
		t.Errorf("after two changes: %q", got)
	}
}

func TestSetDoesNotTouchItsArgument(t *testing.T) {
	secrets := []string{"zzzz", "abc", "aaaa"}
	redactor(secrets...)
	if strings.Join(secrets, " ") != "zzzz abc aaaa" {
		t.Errorf("became %v", secrets)
	}
}

func TestSetAndMaskConcurrently(t *testing.T) {
	r := redactor("always-secret")
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 100 {
			r.Set([]string{"always-secret", fmt.Sprintf("secret-%d", i)})
		}
	})
	for range 4 {
		wg.Go(func() {
			for range 500 {
				if got := r.Mask("an always-secret b"); got != "an <secret> b" {
					t.Errorf("got %q", got)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzMask(f *testing.F) {
	f.Add("hunter2", "hunter22", "a hunter2 b hunter22")
	f.Add("aaaa", "aaaaaaaa", "aaaaaaaaaaaa")
	f.Add("\x00\x00\x00\x00", "<sec", "\x00\x00\x00\x00\x00<secret>")
	f.Fuzz(func(t *testing.T, a, b, text string) {
		got := redactor(a, b).Mask(text)
		for _, secret := range []string{a, b} {
			if len(secret) < logging.MinSecretLength {
				continue
			}
			// What is left between the masks holds no secret.
			for rest := range strings.SplitSeq(got, logging.Mask) {
				if strings.Contains(rest, secret) {
					t.Errorf("%q and %q: %q became %q", a, b, text, got)
				}
			}
		}
		if len(a) < logging.MinSecretLength && len(b) < logging.MinSecretLength && got != text {
			t.Errorf("%q became %q without a secret", text, got)
		}
	})
}

func manySecrets(n int) []string {
	rng := rand.New(rand.NewPCG(3, 4))
	secrets := make([]string, n)
	for i := range secrets {
		secrets[i] = fmt.Sprintf("password-%016x%08x", rng.Uint64(), i)
	}
	return secrets
}

func BenchmarkMask(b *testing.B) {
	text := strings.Repeat("connection shop-eu went down: dial tcp 10.0.0.1:6379: connect: refused, password-1 ", 4)
	for _, n := range []int{0, 10, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r := redactor(manySecrets(n)...)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_ = r.Mask(text)
			}
		})
	}
}

func BenchmarkSet(b *testing.B) {
	secrets := manySecrets(10_000)
	for b.Loop() {
		redactor(secrets...)
	}
}

func BenchmarkLine(b *testing.B) {
	var buf bytes.Buffer
	logger := logging.New(&buf, logging.Options{Redactor: redactor(manySecrets(10_000)...)}).With("component", "collector")
	err := errors.New("dial tcp 10.0.0.1:6379: connect: connection refused")
	for b.Loop() {
		buf.Reset()
		logger.Info("Connection went down", "connection", "shop-eu", "reason", "refused", "err", err)
	}
}
