package collector

import (
	"context"
	"errors"
	"math"
	"strings"

	"github.com/redis/go-redis/v9"
)

const (
	famCommands familyID = clusterFamilyEnd + iota
	famCommandsDuration
	famCommandsRejected
	famCommandsFailed
	famErrors

	commandstatsFamilyEnd
)

// A server has some hundred commands and limits its kinds of errors itself from
// Redis 7.2 on; before, a script can make as many as it likes.
const (
	maxCommands   = 1024
	maxErrorKinds = 128
)

var commandstatsFamilies = [commandstatsFamilyEnd - clusterFamilyEnd]family{
	{"redis_commands_total", counter, "Calls of the command."},
	{"redis_commands_duration_seconds_total", counter, "Time that the server spent in the command in seconds."},
	{"redis_commands_rejected_calls_total", counter, "Calls of the command that were refused before it ran."},
	{"redis_commands_failed_calls_total", counter, "Calls of the command that failed while it ran."},
	{"redis_errors_total", counter, "Error replies by their first word."},
}

var commandstatsSection = section{
	name:    "commandstats",
	enabled: func(o *Options) bool { return o.Commandstats },
	enqueue: func(ctx context.Context, pipe redis.Pipeliner) func(*block) error {
		commands, kinds := pipe.Do(ctx, "info", "commandstats"), pipe.Do(ctx, "info", "errorstats")
		return func(b *block) error {
			text, err := commands.Text()
			kindsText, kindsErr := kinds.Text()
			return errors.Join(
				during("info commandstats", errors.Join(err, addCommandstats(b, text))),
				during("info errorstats", errors.Join(kindsErr, addErrorstats(b, kindsText))))
		}
	},
}

func addCommandstats(b *block, text string) error {
	stats, err := parseCommandstats(text)
	for i := range stats {
		b.add(famCommands, stats[i].label, stats[i].calls)
	}
	for i := range stats {
		b.add(famCommandsDuration, stats[i].label, stats[i].usec/1e6)
	}
	for i := range stats {
		b.add(famCommandsRejected, stats[i].label, stats[i].rejected)
	}
	for i := range stats {
		b.add(famCommandsFailed, stats[i].label, stats[i].failed)
	}
	return err
}

// commandstat is one line of INFO commandstats.
type commandstat struct {
	label                         string
	calls, usec, rejected, failed float64
}

// parseCommandstats reads lines such as
// `cmdstat_get:calls=800,usec=230,usec_per_call=0.29,rejected_calls=0,failed_calls=0`;
// the last two came with Redis 6.2.
func parseCommandstats(text string) (stats []commandstat, err error) {
	seen := map[string]bool{}
	for name, value := range infoFieldsOf(text) {
		name, ok := strings.CutPrefix(name, "cmdstat_")
		if !ok || name == "" {
			continue
		}
		command := label("cmd", clip(name))
		if len(stats) == maxCommands || seen[command] {
			err = errTooMany
			continue
		}
		seen[command] = true
		nan := math.NaN()
		s := commandstat{label: command, calls: nan, usec: nan, rejected: nan, failed: nan}
		for key, v := range pairs(value) {
			switch key {
			case "calls":
				s.calls = orUnknown(parseNumber(v))
			case "usec":
				s.usec = orUnknown(parseNumber(v))
			case "rejected_calls":
				s.rejected = orUnknown(parseNumber(v))
			case "failed_calls":
				s.failed = orUnknown(parseNumber(v))
			}
		}
		stats = append(stats, s)
	}
	return stats, err
}

// addErrorstats reads lines such as `errorstat_WRONGTYPE:count=1`.
func addErrorstats(b *block, text string) (err error) {
	seen := map[string]bool{}
	for name, value := range infoFieldsOf(text) {
		name, ok := strings.CutPrefix(name, "errorstat_")
		if !ok || name == "" {
			continue
		}
		kind := label("err", clip(name))
		if len(seen) == maxErrorKinds || seen[kind] {
			err = errTooMany
			continue
		}
		seen[kind] = true
		for key, v := range pairs(value) {
			if key == "count" {
				b.add(famErrors, kind, orUnknown(parseNumber(v)))
				break
			}
		}
	}
	return err
}
