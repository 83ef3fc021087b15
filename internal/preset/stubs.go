package preset

import (
	"context"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
)

func checkLaravel(q *configs.Queue, c *configs.Connection) error { return nil }
func checkExec(q *configs.Queue, c *configs.Connection) error    { return nil }
func buildLaravel(in Input) (proc.Spec, error)                   { return proc.Spec{}, misconfigured("not yet") }
func buildHorizon(in Input) (proc.Spec, error)                   { return proc.Spec{}, misconfigured("not yet") }
func buildExec(in Input) (proc.Spec, error)                      { return proc.Spec{}, misconfigured("not yet") }
func probeLaravel(ctx context.Context, run Runner, in Input) (Version, error) {
	return Version{}, nil
}
func proveLaravel(ctx context.Context, run Runner, in Input) error { return nil }
func newLaravelParser() Parser                                     { return nil }
