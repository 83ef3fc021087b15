package configs

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
)

// Duration is a time.Duration written as Prometheus writes it (1h30m, 7d) or
// as Go does (1.5s).
type Duration time.Duration

// ParseDuration reads a Duration.
func ParseDuration(text string) (Duration, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return Duration(d), nil
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("not a duration: %q (use for example 500ms, 30s, 1h30m, 7d)", text)
	}
	return Duration(d), nil
}

// Std returns d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Seconds returns d in seconds.
func (d Duration) Seconds() float64 { return time.Duration(d).Seconds() }

// String writes d so that ParseDuration reads it back.
func (d Duration) String() string {
	if d > 0 && time.Duration(d)%time.Millisecond == 0 {
		return model.Duration(d).String()
	}
	return time.Duration(d).String()
}

// MarshalYAML writes d as text.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// MarshalText writes d as text.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Bytes is a size, written 128MiB, 64KiB or as a plain number of bytes.
type Bytes int64

// ParseBytes reads a size. MB and MiB both mean 1024*1024, as in PHP's and
// Laravel's own limits.
func ParseBytes(text string) (Bytes, error) {
	bad := fmt.Errorf("not a size: %q (use for example 128MiB)", text)
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return 0, bad
	}
	if last := trimmed[len(trimmed)-1]; last >= '0' && last <= '9' {
		trimmed += "B"
	}
	n, err := units.ParseBase2Bytes(trimmed)
	if err != nil || n < 0 {
		return 0, bad
	}
	return Bytes(n), nil
}

// MiB returns b in whole mebibytes, rounded up.
func (b Bytes) MiB() int64 { return int64(math.Ceil(float64(b) / (1 << 20))) }

// String writes b so that ParseBytes reads it back.
func (b Bytes) String() string { return units.Base2Bytes(b).String() }

// MarshalYAML writes b as text.
func (b Bytes) MarshalYAML() (any, error) { return b.String(), nil }

// MarshalText writes b as text.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// Time is a date (2027-01-31, midnight UTC) or an RFC 3339 timestamp.
type Time struct{ time.Time }

// ParseTime reads a Time.
func ParseTime(text string) (Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return Time{t.UTC()}, nil
		}
	}
	return Time{}, fmt.Errorf("not a date: %q (use 2027-01-31 or 2027-01-31T12:00:00Z)", text)
}

// String writes t so that ParseTime reads it back.
func (t Time) String() string {
	switch {
	case t.IsZero():
		return ""
	case t.Hour()+t.Minute()+t.Second()+t.Nanosecond() == 0:
		return t.Format(time.DateOnly)
	default:
		return t.Format(time.RFC3339Nano)
	}
}

// MarshalYAML writes t as text.
func (t Time) MarshalYAML() (any, error) { return t.String(), nil }
