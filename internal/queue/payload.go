package queue

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// fields are the values of a Laravel payload's top-level fields, as they stand
// in its JSON. Empty = not there, or not certain to be there.
type fields struct {
	uuid, id        string
	created, pushed string
	delay           string
}

// set takes value if key is one of the fields. JSON's last occurrence wins.
func (f *fields) set(key, value string) {
	switch key {
	case "uuid":
		f.uuid = value
	case "id":
		f.id = value
	case "createdAt":
		f.created = value
	case "pushedAt":
		f.pushed = value
	case "delay":
		f.delay = value
	}
}

// setMissing is set for a payload that is read from its end.
func (f *fields) setMissing(g fields) {
	for _, p := range [...]struct {
		to   *string
		from string
	}{{&f.uuid, g.uuid}, {&f.id, g.id}, {&f.created, g.created}, {&f.pushed, g.pushed}, {&f.delay, g.delay}} {
		if *p.to == "" {
			*p.to = p.from
		}
	}
}

// identity is what stays the same when a job is tried again; empty where the
// payload has nothing of the kind.
func (f *fields) identity() string {
	for _, value := range [...]string{f.uuid, f.id} {
		if value != "" && value != `""` && value != "null" {
			return value
		}
	}
	return ""
}

// readySince is when the job could first be taken, in unix seconds: when it was
// created (Laravel 12.11 and later) or pushed (Horizon), and what it was
// delayed by. False where the payload does not tell.
func (f *fields) readySince(now time.Time) (float64, bool) {
	t, ok := unixTime(f.created, now)
	if !ok {
		return unixTime(f.pushed, now)
	}
	if delay, err := strconv.ParseFloat(f.delay, 64); err == nil && delay > 0 {
		if later, ok := sane(t+delay, now); ok {
			return later, true
		}
	}
	return t, true
}

// unixTime reads a JSON number or a JSON string with a number.
func unixTime(value string, now time.Time) (float64, bool) {
	if len(value) > 1 && value[0] == '"' {
		value = value[1 : len(value)-1]
	}
	t, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0, false
	}
	return sane(t, now)
}

// sane refuses times that are no times: before 2001, or ten years ahead.
func sane(unix float64, now time.Time) (float64, bool) {
	const y2001, tenYears = 978307200, 10 * 365 * 86400
	ok := unix >= y2001 && unix <= float64(now.Unix()+tenYears)
	return unix, ok
}

// scanPayload reads the top-level fields of a JSON object without decoding
// what is nested in it. Fields of a text that is no complete object are not
// reported.
func scanPayload(s string) fields {
	var f fields
	if !f.forward(s) {
		return fields{}
	}
	return f
}

// scanElided reads a payload whose middle is missing. The part before the cut
// is read forward, the part behind it backward from its closing brace, so that
// every field found is certain to be a top-level one.
func scanElided(head, tail string) fields {
	var f, g fields
	f.forward(head)
	g.backward(tail)
	g.setMissing(f)
	return g
}

// forward reads members from the beginning, and reports whether the object is
// complete. Members before a break are kept.
func (f *fields) forward(s string) bool {
	i := space(s, 0)
	if i >= len(s) || s[i] != '{' {
		return false
	}
	i = space(s, i+1)
	if i < len(s) && s[i] == '}' {
		return space(s, i+1) == len(s)
	}
	for {
		key, end := text(s, i)
		if end < 0 {
			return false
		}
		i = space(s, end)
		if i >= len(s) || s[i] != ':' {
			return false
		}
		start := space(s, i+1)
		end = skip(s, start)
		if end < 0 || end >= len(s) {
			return false
		}
		f.set(key, s[start:end])
		i = space(s, end)
		switch {
		case i >= len(s):
			return false
		case s[i] == '}':
			return space(s, i+1) == len(s)
		case s[i] != ',':
			return false
		}
		i = space(s, i+1)
	}
}

// space returns the index of the first byte from i on that is not white space.
func space(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t') {
		i++
	}
	return i
}

// text reads the JSON string that begins at i and returns it with the index
// behind it, -1 where there is none.
func text(s string, i int) (string, int) {
	if i >= len(s) || s[i] != '"' {
		return "", -1
	}
	end := skipText(s, i)
	if end < 0 {
		return "", -1
	}
	raw := s[i+1 : end-1]
	if strings.IndexByte(raw, '\\') < 0 {
		return raw, end
	}
	var decoded string
	if json.Unmarshal([]byte(s[i:end]), &decoded) != nil {
		return "", -1
	}
	return decoded, end
}

// skipText returns the index behind the string that begins at i, -1 if it has
// no end.
func skipText(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// skip returns the index behind the value that begins at i, -1 if it has no
// end.
func skip(s string, i int) int {
	if i >= len(s) {
		return -1
	}
	switch s[i] {
	case '"':
		return skipText(s, i)
	case '{', '[':
		return skipNested(s, i)
	case ',', ':', '}', ']':
		return -1
	}
	for i < len(s) && s[i] != ',' && s[i] != '}' && s[i] != ']' && s[i] > ' ' {
		i++
	}
	return i
}

func skipNested(s string, i int) int {
	for depth := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if i = skipText(s, i) - 1; i < 0 {
				return -1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
