package proc

import "time"

// Rate bounds what of one worker's output is passed on to Forward. What
// exceeds it is dropped and counted.
type Rate struct {
	Lines int // a second
	Bytes int // a second
}

// burst is for how long a worker may save up what it does not use.
const burst = 2 // seconds

// limiter is two token buckets that are taken from together.
type limiter struct {
	rate         Rate
	lines, bytes float64
	at           time.Time
}

func newLimiter(rate Rate, now time.Time) limiter {
	return limiter{rate: rate, lines: float64(burst * rate.Lines), bytes: float64(burst * rate.Bytes), at: now}
}

func (l *limiter) allow(size int, now time.Time) bool {
	seconds := now.Sub(l.at).Seconds()
	l.at = now
	l.lines = min(float64(burst*l.rate.Lines), l.lines+seconds*float64(l.rate.Lines))
	l.bytes = min(float64(burst*l.rate.Bytes), l.bytes+seconds*float64(l.rate.Bytes))
	if l.lines < 1 || l.bytes < float64(size) {
		return false
	}
	l.lines--
	l.bytes -= float64(size)
	return true
}
