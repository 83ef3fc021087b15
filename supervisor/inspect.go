package supervisor

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/preset"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// Flaw is what keeps a pool from starting workers.
type Flaw struct {
	Queue string // name of the queue configuration
	Key   string // within it, such as worker.command
	Text  string
	Here  bool // it holds on this machine and for this user; elsewhere all may be well
}

// Inspect looks for what would keep pools from their workers, without starting
// anything. It looks at this machine for the pools that the supervisor of that
// name runs; without a name it looks at no machine, but at all pools.
func Inspect(cfg *configs.Config, name string) []Flaw {
	find := newPresetPlanner(preset.Find, nil, nil).traits
	if name != "" {
		var flaws []Flaw
		for _, d := range define(cfg, name, find) {
			flaws = append(flaws, inspect(d, true)...)
		}
		return flaws
	}
	everywhere := *cfg
	everywhere.Queues = slices.Clone(cfg.Queues)
	for i := range everywhere.Queues {
		everywhere.Queues[i].Hosts = []string{"*"}
	}
	var flaws []Flaw
	for _, d := range define(&everywhere, "any", find) {
		flaws = append(flaws, inspect(d, false)...)
	}
	return flaws
}

func inspect(d *definition, here bool) []Flaw {
	kind, ok := preset.Find(d.queue.Worker.Preset)
	if !ok {
		return []Flaw{{d.name, "worker.preset", "there is no such preset", false}}
	}
	in := d.input()
	if kind.Check != nil {
		if err := kind.Check(in.Queue, in.Connection); err != nil {
			return flawsOf(d.name, err, false)
		}
	}
	if !here {
		return nil
	}
	var err error
	if kind.Lay != nil {
		if in.Files, err = kind.Lay(in); err != nil {
			return flawsOf(d.name, err, true)
		}
	}
	if !filepath.IsAbs(in.Queue.Worker.Directory) {
		return nil // it depends on where the supervisor is started
	}
	spec, err := kind.Build(in)
	if err == nil {
		err = proc.Check(&spec)
	}
	return flawsOf(d.name, err, true)
}

// flawsOf takes joined errors apart.
func flawsOf(queue string, err error, here bool) []Flaw {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var flaws []Flaw
		for _, e := range many.Unwrap() {
			flaws = append(flaws, flawsOf(queue, e, here)...)
		}
		return flaws
	}
	reason, text := preset.Explain(err)
	key := keyOf(reason)
	if e, ok := errors.AsType[*preset.Error](err); ok {
		key = cmp.Or(keyIn(e.Text), key)
	}
	return []Flaw{{queue, key, strings.TrimPrefix(text, key+": "), here}}
}

// keyIn is the key that a message begins with, if any.
func keyIn(text string) string {
	rest, ok := strings.CutPrefix(text, "worker.")
	if !ok {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
	if end < 0 {
		end = len(rest)
	}
	return "worker." + rest[:end]
}

// keyOf is the key that a reason is about.
func keyOf(reason string) string {
	switch proc.StartReason(reason) {
	case proc.MissingCommand, proc.NotExecutable, proc.SetuidCommand:
		return "worker.command"
	case proc.BadDirectory:
		return "worker.directory"
	case proc.BadUser:
		return "worker.user"
	case proc.BadLimit:
		return "worker.rlimits"
	default:
		return "worker"
	}
}
