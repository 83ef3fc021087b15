package collector

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/internal/queue"
)

// fill turns the replies of a trip into the result's series. A connection that
// is down keeps only what is known without an answer: none of its figures and
// none of its queues' figures stay behind.
func (t *trip) fill(r *result) {
	p := t.probe
	ok := outcomes{}
	b := block{labels: r.spec.labels, samples: make([]sample, 0, sampleCapacity(p.last.Load()))}
	b.add(famUp, "", truth(r.up))
	b.add(famConnectionInfo, r.spec.info, 1)
	b.add(famProbeDuration, "", r.duration.Seconds())
	if r.up {
		r.ping = t.client.RoundTrip()
		if r.ping > 0 {
			b.add(famPingDuration, "", r.ping.Seconds())
		}
	}
	p.tally.add(&b)
	if expiry, known := t.client.CertificateExpiry(); known {
		b.add(famCertificateExpiry, "", unixSeconds(expiry))
	}
	b.add(famCredentialsExpiry, "", unixSeconds(r.spec.connection.CredentialsExpireAt.Time))
	var nodes []block
	if r.up {
		nodes = t.fillNodes(&b, r, ok)
	}
	blocks := t.fillKeys(r, ok)
	r.blocks = slices.Concat([]block{b}, nodes, blocks, []block{t.fillCollectors(r, ok)})
}

// sampleCapacity is how many samples the last result had: the next has about
// as many.
func sampleCapacity(last *result) int {
	const first = 96
	if last == nil || len(last.blocks) == 0 {
		return first
	}
	return max(len(last.blocks[0].samples), 32)
}

// fillNodes adds what the servers say of themselves: to the connection's own
// block, or in a cluster to a block for each node, which it returns.
func (t *trip) fillNodes(b *block, r *result, ok outcomes) []block {
	var blocks []block
	for _, n := range t.nodes {
		if n.err != nil {
			ok.note("info", false)
			continue
		}
		if n.labels == r.spec.labels {
			n.fill(b, t, ok)
		} else {
			own := block{labels: n.labels}
			n.fill(&own, t, ok)
			blocks = append(blocks, own)
		}
		if r.version == "" {
			r.version, r.role = n.info.version, n.info.role
		}
	}
	return blocks
}

// fillKeys reads the queues, pause flags and Horizon's keys. It is called for
// a connection that is down as well: its queues then say that they could not
// be read.
func (t *trip) fillKeys(r *result, ok outcomes) []block {
	var blocks []block
	if len(t.probe.queues) > 0 {
		ok.note("queues", r.up)
		blocks = t.fillQueues(r, ok)
		blocks = append(blocks, t.fillUsed(r)...)
		t.noteDetections()
	}
	t.fillPauses(r, ok)
	if len(r.spec.horizons) > 0 {
		ok.note("horizon", r.up)
		blocks = append(blocks, t.fillHorizons(r, ok)...)
	}
	return blocks
}

func (t *trip) fillQueues(r *result, ok outcomes) []block {
	p := t.probe
	r.queues = make([]queueResult, 0, len(p.queues))
	blocks := make([]block, 0, len(p.queues))
	p.reader.Results(t.now, func(_ *queue.Target, reading *queue.Reading) {
		q := queueResult{spec: p.queues[len(r.queues)], reading: *reading}
		if !r.up {
			q.reading = queue.Unreadable(r.err)
		}
		if q.reading.Err != nil || q.reading.Partial != nil {
			ok.note("queues", false)
		}
		if q.spec.pattern != "" && q.reading.Err == nil {
			p.discovery.scanner.Seen(q.spec.target.Application, q.spec.target.Queue, q.jobs(), t.now)
		}
		r.queues = append(r.queues, q)
		blocks = append(blocks, q.block())
	})
	return blocks
}

// fillUsed remembers when each application last had a job on the connection.
func (t *trip) fillUsed(r *result) []block {
	p := t.probe
	labels := map[string]string{}
	for i := range r.queues {
		q := &r.queues[i]
		labels[q.spec.target.Application] = q.spec.target.Connection
		if q.jobs() > 0 {
			p.used[q.spec.target.Application] = t.now
		}
	}
	var blocks []block
	for application, conn := range labels {
		if at, ok := p.used[application]; ok {
			b := block{labels: identity("application", application, "connection", conn)}
			b.add(famApplicationConnectionLastUsed, "", unixSeconds(at))
			blocks = append(blocks, b)
		}
	}
	slices.SortFunc(blocks, func(a, b block) int { return strings.Compare(a.labels, b.labels) })
	return blocks
}

// noteDetections logs once where an application's queues were found under more
// than one key prefix: the figures are of one of them.
func (t *trip) noteDetections() {
	for _, d := range t.probe.reader.Detections() {
		if d.Ambiguous && !t.probe.ambiguous[d.Application] {
			t.probe.ambiguous[d.Application] = true
			t.collector.logger.Warn("jobs stand under more than one key prefix; set key_prefix to choose",
				"application", d.Application, "connection", d.Connection, "in_use", d.Prefix)
		}
	}
}

func (t *trip) fillPauses(r *result, ok outcomes) {
	if len(t.probe.paused) == 0 {
		return
	}
	ok.note("pauses", r.up)
	i := 0
	t.probe.pauses.Results(func(_ *queue.PauseTarget, paused float64, err error) {
		if !r.up || err != nil {
			ok.note("pauses", false)
			paused = math.NaN()
		}
		t.probe.paused[i].pause.set(paused, t.now)
		i++
	})
}

// fillCollectors says which collectors read all of their figures. It has a
// block of its own, since its families stand before INFO's.
func (t *trip) fillCollectors(r *result, ok outcomes) block {
	b := block{labels: r.spec.labels, samples: make([]sample, 0, 2*len(ok))}
	names := slices.Sorted(maps.Keys(ok))
	for _, name := range names {
		b.add(famCollectorSuccess, label("collector", name), truth(ok[name]))
	}
	for _, name := range names {
		if ok[name] {
			t.probe.succeeded[name] = r.at
		}
		b.add(famCollectorLastSuccess, label("collector", name), unixSeconds(t.probe.succeeded[name]))
	}
	return b
}
