package supervisor

import (
	"math"
	"time"
)

const (
	// healthyAfter is how long a worker has to live for its end to be no longer
	// the failure of a start.
	healthyAfter = 10 * time.Second
	// firstBackoff comes before the second attempt in a row; the first is made at
	// once.
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = time.Minute
	// quickEnd is how fast an orderly end is suspicious: a slot whose workers keep
	// ending that fast is filled once in this time.
	quickEnd = time.Second
	// intensityWindow is the time in which ends in a row are counted per pool.
	intensityWindow = 10 * time.Second
)

// backoff is how long a slot waits after that many failures in a row. random is
// within [0, 1).
func backoff(failures int, random float64) time.Duration {
	if failures <= 1 {
		return 0
	}
	wait := min(float64(firstBackoff)*math.Pow(2, float64(min(failures, 32)-2)), float64(lastBackoff))
	return time.Duration(wait * (0.8 + 0.4*random))
}

// StartRate bounds how many workers are started, over all pools: machines have
// been brought down by hundreds that boot at once.
type StartRate struct {
	PerSecond float64 // 0 = 50; less than 0 = unlimited
	Burst     int     // 0 = 50
}

// startLimiter is a token bucket.
type startLimiter struct {
	rate   StartRate
	tokens float64
	at     time.Time
}

func newStartLimiter(rate StartRate, now time.Time) startLimiter {
	if rate.PerSecond == 0 {
		rate.PerSecond = 50
	}
	if rate.Burst <= 0 {
		rate.Burst = 50
	}
	return startLimiter{rate: rate, tokens: float64(rate.Burst), at: now}
}

// available is how many workers may be started now.
func (l *startLimiter) available(now time.Time) int {
	if l.rate.PerSecond < 0 {
		return math.MaxInt32
	}
	if passed := now.Sub(l.at).Seconds(); passed > 0 {
		l.tokens = min(float64(l.rate.Burst), l.tokens+passed*l.rate.PerSecond)
	}
	l.at = now
	return int(l.tokens + 1e-9)
}

func (l *startLimiter) take() {
	if l.rate.PerSecond > 0 {
		l.tokens--
	}
}

// next is when the next worker may be started.
func (l *startLimiter) next(now time.Time) time.Time {
	missing := max(0, 1-l.tokens)
	return now.Add(time.Duration(math.Ceil(missing / l.rate.PerSecond * float64(time.Second))))
}

// intensity counts a pool's failed starts. Beyond a limit that grows with the
// pool it is throttled: one worker is tried at a time until one stays.
type intensity struct {
	since     time.Time
	count     int
	throttled bool
}

// failed notes a failure and reports whether it is the one that throttles.
func (i *intensity) failed(now time.Time, desired int) bool {
	if now.Sub(i.since) >= intensityWindow || now.Before(i.since) {
		i.since, i.count = now, 0
	}
	i.count++
	if i.throttled || i.count <= 10+2*desired {
		return false
	}
	i.throttled = true
	return true
}
