package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// referrers lists who names the entry, for messages.
func referrers(list []configs.Reference) string {
	var b strings.Builder
	for _, r := range list {
		deleted := ""
		if r.Deleted {
			deleted = " (deleted)"
		}
		fmt.Fprintf(&b, "\n  %s:%d: %s %s%s: %s", r.File, r.Line, r.Kind, r.Name, deleted, r.Key)
	}
	return b.String()
}

func (c *entryCommand) remove(d *configs.Editor, when string) ([]change, error) {
	e, ok := d.Find(c.kind, c.name)
	if ok {
		if _, deleted := state(e); !deleted.IsZero() {
			return nil, fmt.Errorf("the %s %q was removed on %s already; purge takes it out of the file", c.kind, c.name, deleted)
		}
	}
	refs := slices.DeleteFunc(d.References(c.kind, c.name), func(r configs.Reference) bool { return r.Deleted })
	if len(refs) > 0 && !c.cascade {
		return nil, fmt.Errorf("the %s %q is in use; --cascade removes the queue configurations as well, applications keep naming it:%s", c.kind, c.name, referrers(refs))
	}
	mark := []configs.Setting{{Key: "deleted_at", Value: when}}
	changes, err := c.set(d, mark)
	if err != nil {
		return nil, err
	}
	for _, r := range refs {
		if r.Kind != configs.QueueEntry {
			continue
		}
		if err := d.Set(r.Kind, r.Name, mark); err != nil {
			return nil, err
		}
		changes = append(changes, change{Action: c.action, Kind: r.Kind, Name: r.Name, Keys: keysOf(mark)})
	}
	return changes, nil
}

func (c *entryCommand) restore(d *configs.Editor) ([]change, error) {
	e, ok := d.Find(c.kind, c.name)
	if !ok {
		return c.set(d, nil) // which says so
	}
	_, deleted := state(e)
	if deleted.IsZero() {
		return nil, fmt.Errorf("the %s %q is not deleted", c.kind, c.name)
	}
	mark := []configs.Setting{{Key: "deleted_at", Unset: true}}
	refs := d.References(c.kind, c.name)
	changes, err := c.set(d, mark)
	if err != nil {
		return nil, err
	}
	for _, r := range refs {
		if _, when := state(r.Entry); c.cascade && r.Kind == configs.QueueEntry && when.Equal(deleted.Time) {
			if err := d.Set(r.Kind, r.Name, mark); err != nil {
				return nil, err
			}
			changes = append(changes, change{Action: c.action, Kind: r.Kind, Name: r.Name, Keys: keysOf(mark)})
		}
	}
	return changes, nil
}

func (c *entryCommand) purge(d *configs.Editor) ([]change, error) {
	e, ok := d.Find(c.kind, c.name)
	if ok {
		if _, deleted := state(e); deleted.IsZero() {
			return nil, fmt.Errorf("the %s %q is not deleted: remove it first", c.kind, c.name)
		}
	}
	refs := d.References(c.kind, c.name)
	inUse := slices.ContainsFunc(refs, func(r configs.Reference) bool { return r.Kind == configs.QueueEntry && !r.Deleted })
	switch {
	case len(refs) > 0 && !c.cascade:
		return nil, fmt.Errorf("the %s %q is still named; --cascade purges queue configurations that are deleted as well, and takes it from its applications:%s", c.kind, c.name, referrers(refs))
	case inUse:
		return nil, fmt.Errorf("the %s %q is still in use by queue configurations that are not deleted; remove them first:%s", c.kind, c.name, referrers(refs))
	}
	changes, err := c.release(d, refs)
	if err != nil {
		return nil, err
	}
	if err := d.Purge(c.kind, c.name); err != nil {
		return nil, err
	}
	return append(changes, change{Action: c.action, Kind: c.kind, Name: c.name, File: e.File}), nil
}

// release takes the entry from all who name it.
func (c *entryCommand) release(d *configs.Editor, refs []configs.Reference) ([]change, error) {
	var changes []change
	for _, r := range refs {
		done := change{Action: c.action, Kind: r.Kind, Name: r.Name, File: r.File}
		var err error
		top, _, _ := strings.Cut(r.Key, ".")
		switch {
		case r.Kind == configs.QueueEntry:
			err = d.Purge(r.Kind, r.Name)
		case strings.HasPrefix(r.Key, "connections["):
			done.Action, done.Keys = "detach", []string{"connections[" + c.name + "]"}
			err = d.Detach(r.Name, c.name)
		default:
			done.Action, done.Keys = "set", []string{top}
			err = d.Set(r.Kind, r.Name, []configs.Setting{{Key: top, Unset: true}})
		}
		if err != nil {
			return nil, err
		}
		changes = append(changes, done)
	}
	return changes, nil
}
