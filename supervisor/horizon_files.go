package supervisor

import (
	"context"

	"github.com/queuefleet/queuefleet/internal/preset"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// put brings the files to the disk that a process reads beside its command.
// undo brings back what was there before; the running process has read that
// and does not look again.
func (p *presetPlanner) put(ctx context.Context, in preset.Input, spec *proc.Spec) (undo func() error, err error) {
	nothing := func() error { return nil }
	if in.Files == nil || p.observe {
		return nothing, nil
	}
	bringBack, err := in.Files.Put(ctx, p.run, spec)
	if err != nil {
		return nil, err
	}
	if bringBack == nil {
		return nothing, nil
	}
	p.log.Info("The files that Horizon reads were replaced", "pool", in.Queue.Name, "directory", in.Queue.Worker.Generate)
	for _, warning := range in.Files.Warnings {
		p.log.Warn("The files that Horizon reads cannot say everything", "pool", in.Queue.Name, "err", warning)
	}
	return func() error {
		p.log.Warn("The files that Horizon reads are brought back as they were", "pool", in.Queue.Name, "directory", in.Queue.Worker.Generate)
		return bringBack()
	}, nil
}
