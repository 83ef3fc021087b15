package main

import (
	"context"
	"path"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/generate/platform"
	"github.com/queuefleet/queuefleet/internal/mixin"
)

// generateAlertmanager is `qftool generate alertmanager`.
type generateAlertmanager struct {
	out     delivery
	options mixin.Options
}

// configureGenerateAlertmanager declares `generate alertmanager`.
func configureGenerateAlertmanager(app *kingpin.Application, e *env) {
	c := &generateAlertmanager{out: delivery{env: e}}
	cmd := group(app, "generate", generateHelp).Command("alertmanager", "Generate Alertmanager's configuration and templates out of the mixin: routes by team, inhibition, times.")
	c.out.flags(cmd)
	mixinFlags(cmd, &c.options)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *generateAlertmanager) run(context.Context) error {
	rendered, err := mixin.Render(c.options)
	if err != nil {
		return mixinError(err)
	}
	var files []platform.File
	for _, f := range rendered {
		if path.Base(path.Dir(f.Path)) == "alertmanager" {
			files = append(files, platform.NewFile(path.Base(f.Path), f.Text))
		}
	}
	return c.out.deliver(files)
}
