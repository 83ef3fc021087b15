package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/horizon"
	"github.com/queuefleet/queuefleet/internal/queue"
)

const horizonHelp = "Look after Laravel Horizon: what really lives, its end, and what it leaves behind."

// horizonPreset is the preset of workers that are a Horizon.
const horizonPreset = "horizon"

// horizonFlags say whose Horizon is meant and where its processes work.
type horizonFlags struct {
	env         *env
	application string
	directory   string
}

func (f *horizonFlags) declare(cmd *kingpin.CmdClause, e *env) {
	f.env = e
	cmd.Arg("application", "Slug of the application. Needed where several run Horizon.").StringVar(&f.application)
	cmd.Flag("directory", "Where the application lies. Default: worker.directory of its queue configurations.").PlaceHolder("DIR").StringVar(&f.directory)
}

// configureHorizon declares `horizon status`, `terminate`, `reload` and `orphans`.
func configureHorizon(app *kingpin.Application, e *env) {
	configureHorizonStatus(app, e)
	configureHorizonTerminate(app, e)
	configureHorizonReload(app, e)
	configureHorizonOrphans(app, e)
}

// horizonOf is one application's Horizon, as the configuration has it.
type horizonOf struct {
	cfg    *configs.Config
	app    *configs.Application
	queues []*configs.Queue // of the preset horizon
	places []horizon.Place
}

// open loads the configuration and finds the application.
func (f *horizonFlags) open() (*horizonOf, error) {
	cfg, err := f.env.loadConfig()
	if err != nil {
		return nil, err
	}
	h := &horizonOf{cfg: cfg}
	if h.app, err = f.choose(cfg); err != nil {
		return nil, err
	}
	for i := range cfg.Queues {
		if q := &cfg.Queues[i]; q.Application == h.app.Slug && runsHorizon(q) {
			h.queues = append(h.queues, q)
		}
	}
	for _, dir := range f.directories(h) {
		place, err := horizon.Locate(dir)
		if err != nil {
			return nil, err
		}
		h.places = append(h.places, place)
	}
	return h, nil
}

func runsHorizon(q *configs.Queue) bool { return q.Worker != nil && q.Worker.Preset == horizonPreset }

// choose returns the application that is meant.
func (f *horizonFlags) choose(cfg *configs.Config) (*configs.Application, error) {
	var slugs []string
	for i := range cfg.Applications {
		app := &cfg.Applications[i]
		has := slices.ContainsFunc(cfg.Queues, func(q configs.Queue) bool { return q.Application == app.Slug && runsHorizon(&q) })
		if app.InUse() && (has || app.Horizon != nil) {
			slugs = append(slugs, app.Slug)
		}
	}
	slug := f.application
	switch {
	case slug == "" && len(slugs) == 1:
		slug = slugs[0]
	case slug == "" && len(slugs) == 0:
		return nil, fmt.Errorf("no application runs Horizon: none has horizon, and no queue configuration the preset %s", horizonPreset)
	case slug == "":
		return nil, usageError(fmt.Sprintf("several applications run Horizon: say which one of %s", strings.Join(slugs, ", ")))
	case !slices.Contains(slugs, slug):
		if near := configs.Nearest(slug, slugs); near != "" {
			return nil, fmt.Errorf("no application %q runs Horizon; did you mean %q?", slug, near)
		}
		return nil, fmt.Errorf("no application %q runs Horizon", slug)
	}
	app, _ := cfg.Application(slug)
	return app, nil
}

// directories are where the application's Horizons work on this machine: those
// of its Horizons' queue configurations, or, where the last one has another
// preset by now, of all.
func (f *horizonFlags) directories(h *horizonOf) []string {
	if f.directory != "" {
		return []string{f.directory}
	}
	if dirs := workerDirectories(h.queues); len(dirs) > 0 {
		return dirs
	}
	var all []*configs.Queue
	for i := range h.cfg.Queues {
		if q := &h.cfg.Queues[i]; q.Application == h.app.Slug && q.Worker != nil {
			all = append(all, q)
		}
	}
	return workerDirectories(all)
}

func workerDirectories(queues []*configs.Queue) []string {
	var dirs []string
	for _, q := range queues {
		if dir := q.Worker.Directory; dir != "" && !slices.Contains(dirs, filepath.Clean(dir)) {
			dirs = append(dirs, filepath.Clean(dir))
		}
	}
	return dirs
}

// need refuses an application of which nobody says where it lies.
func (h *horizonOf) need() error {
	if len(h.places) == 0 {
		return usageError(fmt.Sprintf("where does application %s lie? Give --directory, or a queue configuration with worker.directory", h.app.Slug))
	}
	return nil
}

// directory is where commands are run for the application.
func (h *horizonOf) directory() string { return h.places[0].String() }

// look reads the process table.
func (h *horizonOf) look(context.Context) (horizon.Tree, error) {
	all, err := horizon.Scan()
	if err != nil {
		return horizon.Tree{}, err
	}
	t := horizon.Tree{Masters: []horizon.MasterTree{}, Orphans: []horizon.Process{}}
	seen := map[horizon.ID]bool{}
	for _, place := range h.places {
		one := all.Of(place)
		for _, m := range one.Masters {
			if !seen[m.ID] {
				t.Masters = append(t.Masters, m)
			}
			seen[m.ID] = true
		}
		for _, p := range one.Orphans {
			if !seen[p.ID] {
				t.Orphans = append(t.Orphans, p)
			}
			seen[p.ID] = true
		}
	}
	return t, nil
}

// prefixes are those that Horizon's keys can have, likeliest first.
func (h *horizonOf) prefixes() []string {
	switch prefix := h.app.Horizon.Prefix; {
	case prefix == "":
		return queue.HorizonPrefixes(h.app.Name, h.app.Slug)
	case strings.Contains(prefix, "{"):
		return []string{prefix}
	default:
		return []string{prefix, "{" + prefix + "}"} // on a Cluster
	}
}

// patience is how long a Horizon may take to end: what its slowest job may, and
// then some.
func (h *horizonOf) patience(asked time.Duration) time.Duration {
	const margin, unknown = 30 * time.Second, 5 * time.Minute
	if asked > 0 {
		return asked
	}
	longest := time.Duration(0)
	for _, q := range h.queues {
		longest = max(longest, q.Worker.StopTimeout.Std(), q.Timeout.Std())
	}
	if longest == 0 {
		return unknown
	}
	return longest + margin
}

// numbered lists processes for people.
func numbered(list []horizon.Process) string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = fmt.Sprint(list[i].PID)
	}
	return strings.Join(texts, ", ")
}
