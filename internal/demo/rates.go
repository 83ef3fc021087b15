package demo

import "math"

// rate is a number of jobs per second, and crew a number of workers, at t
// seconds of the demo's own time.
type (
	rate func(t float64) float64
	crew func(t float64) int
)

// steady is the same rate all the time.
func steady(perSecond float64) rate {
	return func(float64) float64 { return perSecond }
}

// wave swings between 0 and twice the mean within each period.
func wave(mean, period float64) rate {
	return func(t float64) float64 { return mean * (1 - math.Cos(2*math.Pi*t/period)) }
}

// bursts adds size jobs within the first two seconds of each period to base.
func bursts(base, size, period float64) rate {
	const length = 2
	return func(t float64) float64 {
		if math.Mod(t, period) < length {
			return base + size/length
		}
		return base
	}
}

// from holds r back until the given second.
func from(second float64, r rate) rate {
	return func(t float64) float64 {
		if t < second {
			return 0
		}
		return r(t)
	}
}

// always is the same number of workers all the time.
func always(n int) crew {
	return func(float64) int { return n }
}

// shifts works for on seconds with n workers, then for off seconds with none.
func shifts(n int, on, off float64) crew {
	return func(t float64) int {
		if math.Mod(t, on+off) < on {
			return n
		}
		return 0
	}
}

// paused tells whether a queue that is paused for length seconds at the end of
// each period is paused. A zero period never pauses.
func paused(t, period, length float64) bool {
	return period > 0 && math.Mod(t, period) >= period-length
}
