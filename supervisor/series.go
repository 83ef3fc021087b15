package supervisor

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// emitter sends metrics with labels in common. What they have in common is made
// once: a thousand pools have some 80,000 series.
type emitter struct {
	out   chan<- prometheus.Metric
	names []string         // of the labels in common
	shape string           // the names as one text
	base  []*dto.LabelPair // sorted by name
	descs map[[2]string]*prometheus.Desc
	extra map[[2]string]*dto.LabelPair
}

func newEmitter(out chan<- prometheus.Metric) *emitter {
	return &emitter{out: out, descs: map[[2]string]*prometheus.Desc{}, extra: map[[2]string]*dto.LabelPair{}}
}

// use sets the labels of all metrics from now on.
func (e *emitter) use(labels [][2]string) {
	e.names, e.base = make([]string, 0, len(labels)), make([]*dto.LabelPair, 0, len(labels))
	for _, l := range labels {
		value := strings.ToValidUTF8(l[1], "\uFFFD")
		e.names, e.base = append(e.names, l[0]), append(e.base, &dto.LabelPair{Name: &l[0], Value: &value})
	}
	slices.SortFunc(e.base, byName)
	e.shape = strings.Join(e.names, ",")
}

func byName(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) }

// describe returns the description of a metric and the labels of one of its
// series: those in common and more.
func (e *emitter) describe(name, help string, more []string) (*prometheus.Desc, []*dto.LabelPair) {
	key := [2]string{name, e.shape}
	desc := e.descs[key]
	if desc == nil {
		names := slices.Clone(e.names)
		for pair := range slices.Chunk(more, 2) {
			names = append(names, pair[0])
		}
		desc = prometheus.NewDesc(namespace+name, help, names, nil)
		e.descs[key] = desc
	}
	if len(more) == 0 {
		return desc, e.base
	}
	pairs := make([]*dto.LabelPair, len(e.base), len(e.base)+len(more)/2)
	copy(pairs, e.base)
	for pair := range slices.Chunk(more, 2) {
		pairs = append(pairs, e.pair(pair[0], strings.ToValidUTF8(pair[1], "\uFFFD")))
	}
	slices.SortFunc(pairs, byName)
	return desc, pairs
}

// pair returns the same pair for the same label: most are out of closed sets.
func (e *emitter) pair(name, value string) *dto.LabelPair {
	key := [2]string{name, value}
	p := e.extra[key]
	if p == nil {
		p = &dto.LabelPair{Name: &name, Value: &value}
		e.extra[key] = p
	}
	return p
}

// series is one metric with its value, whose labels others may share.
type series struct {
	desc      *prometheus.Desc
	pairs     []*dto.LabelPair
	kind      prometheus.ValueType
	value     float64
	histogram *Histogram // instead of a value
}

// Desc implements prometheus.Metric.
func (s *series) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *series) Write(out *dto.Metric) error {
	out.Label = s.pairs
	switch {
	case s.histogram != nil:
		out.Histogram = s.histogram.proto()
	case s.kind == prometheus.CounterValue:
		out.Counter = &dto.Counter{Value: &s.value}
	default:
		out.Gauge = &dto.Gauge{Value: &s.value}
	}
	return nil
}

// proto returns h as Prometheus wants it: by upper bound, each with those below
// it.
func (h *Histogram) proto() *dto.Histogram {
	buckets, sums := make([]dto.Bucket, len(h.Bounds)), make([]uint64, len(h.Bounds))
	p := &dto.Histogram{SampleCount: &h.Count, SampleSum: &h.Sum, Bucket: make([]*dto.Bucket, len(h.Bounds))}
	sum := uint64(0)
	for i := range h.Bounds {
		sum += h.Counts[i]
		sums[i] = sum
		buckets[i].UpperBound, buckets[i].CumulativeCount = &h.Bounds[i], &sums[i]
		p.Bucket[i] = &buckets[i]
	}
	return p
}
