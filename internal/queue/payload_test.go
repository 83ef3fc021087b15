package queue

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// at is the time of all tests of this package.
var at = time.Unix(1_732_645_700, 0)

func TestScanPayload(t *testing.T) {
	for _, c := range []struct {
		name, payload string
		want          fields
	}{
		{"fresh", `{"uuid":"u-1","data":{"command":"O:3"},"createdAt":1732645678,"id":"i-1","attempts":0,"delay":null}`,
			fields{uuid: `"u-1"`, id: `"i-1"`, created: "1732645678", delay: "null"}},
		{"spaces", " { \"uuid\" :\t\"u\" , \"createdAt\" : 1.5e9 }\n", fields{uuid: `"u"`, created: "1.5e9"}},
		{"nested times are data", `{"data":{"createdAt":1,"uuid":"x","list":[{"pushedAt":"2"}]},"id":"i"}`, fields{id: `"i"`}},
		{"times in a string are text", `{"data":"\",\"createdAt\":1732645678,\"x\":\"","id":"i"}`, fields{id: `"i"`}},
		{"a string that ends in a backslash", `{"data":"\\","createdAt":1732645678}`, fields{created: "1732645678"}},
		{"horizon", `{"pushedAt":"1732645678.1234","id":"i","tags":["a","}"]}`, fields{pushed: `"1732645678.1234"`, id: `"i"`}},
		{"the last one of two counts", `{"createdAt":1,"createdAt":2}`, fields{created: "2"}},
		{"a key written with an escape", `{"created\u0041t":7}`, fields{created: "7"}},
		{"empty", `{}`, fields{}},
		{"not an object", `["createdAt",1]`, fields{}},
		{"cut off", `{"createdAt":1732645678,"data":"abc`, fields{}},
		{"cut off between members", `{"createdAt":1732645678,`, fields{}},
		{"something behind it", `{"createdAt":1732645678}{`, fields{}},
		{"no JSON", "\x00\x01createdAt", fields{}},
		{"nothing", "", fields{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := scanPayload(c.payload); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestReadySince(t *testing.T) {
	for _, c := range []struct {
		name string
		f    fields
		want float64 // 0 = not known
	}{
		{"created", fields{created: "1732645678"}, 1732645678},
		{"created, float", fields{created: "1732645678.25"}, 1732645678.25},
		{"created, text", fields{created: `"1732645678"`}, 1732645678},
		{"created and delayed", fields{created: "1732645600", delay: "60"}, 1732645660},
		{"created and not delayed", fields{created: "1732645600", delay: "null"}, 1732645600},
		{"a delay out of this world", fields{created: "1732645600", delay: "1e300"}, 1732645600},
		{"pushed", fields{pushed: `"1732645678.1234"`}, 1732645678.1234},
		{"both", fields{created: "1732645600", pushed: `"1732645678.1234"`}, 1732645600},
		{"milliseconds are not guessed at", fields{created: "1732645678000"}, 0},
		{"zero", fields{created: "0"}, 0},
		{"not a number", fields{created: `"NaN"`}, 0},
		{"infinite", fields{created: `"Inf"`}, 0},
		{"a date", fields{created: `"2024-11-26"`}, 0},
		{"a lone quote", fields{created: `"`}, 0},
		{"nothing", fields{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.f.readySince(at)
			if ok != (c.want != 0) || ok && got != c.want {
				t.Errorf("got %v, %v, want %v", got, ok, c.want)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	for _, c := range []struct {
		f    fields
		want string
	}{
		{fields{uuid: `"u"`, id: `"i"`}, `"u"`},
		{fields{uuid: "null", id: `"i"`}, `"i"`},
		{fields{uuid: `""`, id: `7`}, `7`},
		{fields{}, ""},
	} {
		if got := c.f.identity(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.f, got, c.want)
		}
	}
}

func TestScanElided(t *testing.T) {
	body := strings.Repeat("x", 50)
	for _, c := range []struct {
		name, head, tail string
		want             fields
	}{
		{"fresh", `{"uuid":"u","data":{"command":"` + body, body + `"},"createdAt":1732645678,"delay":null,"id":"i"}`,
			fields{uuid: `"u"`, created: "1732645678", delay: "null", id: `"i"`}},
		{"re-encoded", `{"createdAt":1732645678,"data":{"command":"` + body, body + `"},"uuid":"u"}`,
			fields{uuid: `"u"`, created: "1732645678"}},
		{"the time is in the middle", `{"data":{"command":"` + body, body + `"},"uuid":"u"}`, fields{uuid: `"u"`}},
		{"a number at the cut of the head", `{"createdAt":17326`, body + `"}`, fields{}},
		{"a number at the cut of the tail", `{"data":1`, `45678,"id":"i"}`, fields{id: `"i"`}},
		{"a time in a string of the tail", `{"data":"`, `\"createdAt\":1732645678,\"a\":\"b","id":"i"}`, fields{id: `"i"`}},
		{"a key at the cut of the tail", `{"data":"`, `createdAt":1732645678}`, fields{}},
		{"a quote at the cut of the tail", `{"data":"`, `"createdAt":1732645678}`, fields{}},
		{"nested in the tail", `{"data":"`, `"},"b":{"createdAt":1},"id":"i"}`, fields{id: `"i"`}},
		{"no object at the end", `{"data":"`, `"createdAt":1732645678`, fields{}},
		{"nothing", "", "", fields{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := scanElided(c.head, c.tail); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// decoded is what encoding/json makes of a payload.
func decoded(t *testing.T, payload string) (fields, bool) {
	t.Helper()
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(payload), &object) != nil || object == nil {
		return fields{}, false
	}
	var f fields
	for key, value := range object {
		f.set(key, string(value))
	}
	return f, true
}

// Whatever is valid JSON is read as encoding/json reads it, whole, and with any
// middle missing without inventing anything.
func FuzzScanPayload(f *testing.F) {
	for _, seed := range []string{
		`{"uuid":"u","displayName":"App\\Jobs\\Raw","data":{"command":"O:1:\"A\":0:{}","createdAt":3},"createdAt":1732645678,"pushedAt":"1.5","id":"i","attempts":0,"delay":null}`,
		`{"a":"\\","createdAt":1}`, `{"a":[{"b":"]}\""}],"delay": -1.5e+3 , "id":true}`, `{"uuid":"a","uuid":"b"}`, `{"\u0069d":1}`, "{}", "[]", `{"a`,
	} {
		f.Add(seed, 10, 10)
	}
	f.Fuzz(func(t *testing.T, payload string, a, b int) {
		got := scanPayload(payload)
		got.readySince(at)
		want, ok := decoded(t, payload)
		if !ok {
			return
		}
		if got != want {
			t.Fatalf("%q: got %+v, want %+v", payload, got, want)
		}
		head, tail := cut(payload, a), payload[len(payload)-len(cut(payload, b)):]
		if len(head)+len(tail) > len(payload) {
			return
		}
		elided := scanElided(head, tail)
		for _, pair := range [][2]string{{elided.uuid, want.uuid}, {elided.id, want.id}, {elided.created, want.created}, {elided.pushed, want.pushed}, {elided.delay, want.delay}} {
			if pair[0] != "" && pair[0] != pair[1] && !strings.Contains(payload[len(head):len(payload)-len(tail)], ":") {
				t.Fatalf("%q without the middle: got %q, want %q", payload, pair[0], pair[1])
			}
		}
	})
}

// cut returns the first n bytes of s, for any n.
func cut(s string, n int) string {
	if n < 0 {
		return ""
	}
	return s[:min(n, len(s))]
}
