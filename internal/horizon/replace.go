package horizon

import (
	"context"
	"time"
)

// Hands carry out a Sequence.
type Hands struct {
	Look    func(context.Context) (Tree, error)
	Prepare func(context.Context) (changed bool, err error) // nil without Wish.Prepare
	Tell    func(context.Context, []Process) error
	Start   func(context.Context) error // nil without Wish.Start
	Report  func(Step)                  // told of each step; may be nil
}

const (
	firstPause = 20 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

// Carry carries out what is wished until the sequence has come to one of its
// ends, which the last step says; its error is that of the hands, or ctx's.
func Carry(ctx context.Context, w Wish, h Hands) (Step, error) {
	s := NewSequence(w)
	pause := firstPause
	for {
		tree, err := h.Look(ctx)
		if err != nil {
			return Step{Act: End, Stage: s.stage}, err
		}
		step := s.Next(time.Now(), &tree)
		if h.Report != nil {
			h.Report(step)
		}
		switch step.Act {
		case End:
			return step, nil
		case Prepare:
			changed, failure := h.Prepare(ctx)
			s.Prepared(changed, failure)
			err = failure
		case Tell:
			err = h.Tell(ctx, step.Masters)
			s.Told(err)
		case Start:
			err = h.Start(ctx)
		case Wait:
			select {
			case <-time.After(pause):
				pause = min(2*pause, lastPause)
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil {
			return Step{Act: End, Stage: s.stage}, err
		}
	}
}
