package preset

import (
	"context"
	"fmt"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// probeLaravel asks artisan for the version of the framework. An application
// that does not boot would not do so as a worker either.
func probeLaravel(ctx context.Context, run Runner, in Input) (Version, error) {
	s, err := artisanSpec(in, "--version")
	if err != nil {
		return Version{}, err
	}
	a, err := ask(ctx, run, in.Queue.Name+" (version)", s)
	if err != nil {
		return Version{}, err
	}
	if a.failed() {
		return Version{}, &Error{ReasonProbeFailed, fmt.Sprintf("the application does not start: %s: %s", a.status(), a.text())}
	}
	for _, line := range a.lines {
		if v, ok := parseVersion(line); ok {
			return v, nil
		}
	}
	return Version{}, nil
}

// artisanSpec is the Spec of a worker with another command of artisan.
func artisanSpec(in Input, args ...string) (proc.Spec, error) {
	build := buildLaravel
	if in.Queue.Worker.Preset == horizonName {
		build = buildHorizon
	}
	s, err := build(in)
	if err != nil {
		return proc.Spec{}, err
	}
	s.Args = append(artisan(in.Queue.Worker), args...)
	return s, nil
}
