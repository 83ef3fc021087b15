package main

import (
	"context"
	"fmt"
	"slices"
)

// compared is a figure of both rivals.
type compared struct {
	what, unit string
	target     *target // for ours
	ours, peer []float64
}

func (y *yard) report(ctx context.Context, ours, peer *rival) {
	r := y.b.report
	r.add("supervisor: memory without workers", "MB", nil, mb(ours.idleMemory))
	r.add("peer: memory without workers", "MB", nil, mb(peer.idleMemory))
	n := count(y.workers) + " workers"
	for _, c := range []compared{
		{"start of " + n, "s", atMost(1.5), ours.startTimes, peer.startTimes},
		{"growth of memory by " + n, "MB", atMost(25), ours.growth, peer.growth},
		{"threads with " + n, "", atMost(20), ours.threads, peer.threads},
		{"CPU a minute, " + n + " that sleep", "ms", atMost(200), ours.cpu, peer.cpu},
		{"crash to replacement executed", "ms", atMost(5), ours.crashes, peer.crashes},
		{"crash to replacement executed, p99", "ms", atMost(10), p99(ours.crashes), p99(peer.crashes)},
		{"reload of one changed among " + n + ", until the new one is executed", "ms", atMost(50), ours.reloads, peer.reloads},
		{fmt.Sprintf("stop of %d pools whose workers need %s", y.pools, slowEnd), "s", atMost(3.5), ours.stops, peer.stops},
	} {
		if len(c.ours) > 0 {
			r.add("supervisor: "+c.what, c.unit, c.target, c.ours...)
		}
		if len(c.peer) > 0 {
			r.add("peer: "+c.what, c.unit, nil, c.peer...)
		}
		if n := min(len(c.ours), len(c.peer)); n > 0 && slices.Min(c.ours) > 0 {
			r.add("peer / supervisor: "+c.what, "×", nil, ratios(c.peer[:n], c.ours[:n])...)
		}
	}
	r.remark("supervisor: %s", versionOf(ctx, y.b.supervisor, "--version"))
	r.remark("its peer: Debian's supervisor, supervisord %s, with one program for each worker; it is told to reload and to stop by its own supervisorctl, whose start is included",
		versionOf(ctx, "supervisord", "--version"))
	r.remark("supervisor: %d crashes of each, one at a time, each of another worker; in every reload all %s other workers were seen to stay",
		len(ours.crashes), count(y.workers-1))
}

func p99(values []float64) []float64 {
	if len(values) == 0 {
		return nil
	}
	return []float64{quantile(values, 0.99)}
}
