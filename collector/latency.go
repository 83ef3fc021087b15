package collector

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

const (
	famLatencySpikeLast familyID = commandstatsFamilyEnd + iota
	famLatencySpikeDuration
	famLatencyPercentiles

	latencyFamilyEnd
)

// Redis watches about twenty events; percentiles are three a command unless
// latency-tracking-info-percentiles says otherwise.
const (
	maxLatencyEvents = 64
	maxPercentiles   = 8
)

var latencyFamilies = [latencyFamilyEnd - commandstatsFamilyEnd]family{
	{"redis_latency_spike_last", gauge, "Unix time of the event's last latency spike; only where latency-monitor-threshold is set."},
	{"redis_latency_spike_duration_seconds", gauge, "Duration of the event's last latency spike in seconds."},
	{"redis_latency_percentiles_usec", gauge, "Percentiles of the command's latency since the server started in microseconds; Redis 7 and later."},
}

var latencySection = section{
	name:    "latency",
	enabled: func(o *Options) bool { return o.Latency },
	enqueue: func(ctx context.Context, pipe redis.Pipeliner) func(*block) error {
		latest, stats := pipe.Do(ctx, "latency", "latest"), pipe.Do(ctx, "info", "latencystats")
		return func(b *block) error {
			events, err := latest.Slice()
			text, textErr := stats.Text()
			return errors.Join(
				during("latency latest", errors.Join(err, addSpikes(b, events))),
				during("info latencystats", errors.Join(textErr, addPercentiles(b, text))))
		}
	},
}

func addSpikes(b *block, events []any) error {
	spikes, err := parseSpikes(events)
	for i := range spikes {
		b.add(famLatencySpikeLast, spikes[i].label, spikes[i].last)
	}
	for i := range spikes {
		b.add(famLatencySpikeDuration, spikes[i].label, spikes[i].seconds)
	}
	return err
}

type spike struct {
	label         string
	last, seconds float64
}

// parseSpikes reads LATENCY LATEST: of each event its name, Unix time, last and
// largest milliseconds.
func parseSpikes(events []any) (spikes []spike, err error) {
	seen := map[string]bool{}
	for _, event := range events {
		name, last, millis, ok := spikeFields(event)
		if !ok {
			err = errReplyForm
			continue
		}
		name = label("event_name", clip(name))
		if len(spikes) == maxLatencyEvents || seen[name] {
			err = errTooMany
			continue
		}
		seen[name] = true
		spikes = append(spikes, spike{name, float64(last), float64(millis) / 1000})
	}
	return spikes, err
}

func spikeFields(event any) (name string, last, millis int64, ok bool) {
	fields, _ := event.([]any)
	if len(fields) < 3 {
		return "", 0, 0, false
	}
	name, nameOK := fields[0].(string)
	last, lastOK := fields[1].(int64)
	millis, millisOK := fields[2].(int64)
	return name, last, millis, nameOK && lastOK && millisOK && name != ""
}

// addPercentiles reads lines such as
// `latency_percentiles_usec_get:p50=0.001,p99=1.003,p99.9=1.003`.
func addPercentiles(b *block, text string) (err error) {
	seen := map[string]bool{}
	for name, value := range infoFieldsOf(text) {
		name, ok := strings.CutPrefix(name, "latency_percentiles_usec_")
		if !ok || name == "" {
			continue
		}
		command := label("cmd", clip(name))
		if len(seen) == maxCommands || seen[command] {
			err = errTooMany
			continue
		}
		seen[command] = true
		if !addCommandPercentiles(b, command, value) {
			err = errTooMany
		}
	}
	return err
}

// addCommandPercentiles returns whether all of them were added.
func addCommandPercentiles(b *block, command, value string) bool {
	seen := make([]string, 0, maxPercentiles)
	for key, v := range pairs(value) {
		quantile, ok := strings.CutPrefix(key, "p")
		if !ok || math.IsNaN(parseNumber(quantile)) {
			continue
		}
		if len(seen) == maxPercentiles || slices.Contains(seen, quantile) {
			return false
		}
		seen = append(seen, quantile)
		b.add(famLatencyPercentiles, command+label("quantile", quantile), orUnknown(parseNumber(v)))
	}
	return true
}
