package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/queuefleet/queuefleet/supervisor"
)

// pausesName is the file in the state directory.
const pausesName = "paused.json"

// pauses is a supervisor whose pauses outlive it.
type pauses struct {
	*supervisor.Supervisor
	dir    string // empty: they do not
	logger *slog.Logger
	mu     sync.Mutex // for the file
}

// Control carries out an order as the supervisor does, and writes down which
// pools are paused after it.
func (p *pauses) Control(ctx context.Context, c supervisor.Command) (supervisor.Result, error) {
	result, err := p.Supervisor.Control(ctx, c)
	if err == nil && p.dir != "" && (c.Action == supervisor.ActionPause || c.Action == supervisor.ActionContinue) {
		if err := p.save(); err != nil {
			p.logger.Error("Pauses were not written down, so a restart ends them", "dir", p.dir, "err", err)
		}
	}
	return result, err
}

func (p *pauses) save() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{}
	for _, pool := range p.State().Pools {
		if pool.Paused {
			names = append(names, pool.Name)
		}
	}
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	// Written whole beside it and moved, so that a crash leaves the old one.
	path := filepath.Join(p.dir, pausesName)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// restore pauses the pools that were paused, and waits for the end of ctx.
func (p *pauses) restore(ctx context.Context) error {
	if err := p.load(ctx); err != nil {
		p.logger.Error("Pauses of before were not restored", "dir", p.dir, "err", err)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (p *pauses) load(ctx context.Context) error {
	if p.dir == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(p.dir, pausesName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var names []string
	if err == nil {
		err = json.Unmarshal(text, &names)
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		_, err := p.Supervisor.Control(ctx, supervisor.Command{Action: supervisor.ActionPause, Pools: []string{name}, By: "state directory"})
		var unknown supervisor.ErrUnknownPool
		if err != nil && !errors.As(err, &unknown) { // the configuration may have lost it
			return err
		}
	}
	return nil
}
