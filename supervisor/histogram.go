package supervisor

import "slices"

// Histogram counts observations in buckets. Its zero value has none and drops
// what it is given.
type Histogram struct {
	Bounds []float64 // upper bounds, ascending; shared, never written
	Counts []uint64  // by bound, not cumulative; what exceeds the last is in Count only
	Count  uint64
	Sum    float64
}

func newHistogram(bounds []float64) Histogram {
	return Histogram{Bounds: bounds, Counts: make([]uint64, len(bounds))}
}

func (h *Histogram) observe(v float64) {
	if i, _ := slices.BinarySearch(h.Bounds, v); i < len(h.Bounds) {
		h.Counts[i]++
	}
	h.Count++
	h.Sum += v
}

// clone copies h, so that the copy may be shown while h goes on.
func (h *Histogram) clone() Histogram {
	c := *h
	c.Counts = slices.Clone(h.Counts)
	return c
}
