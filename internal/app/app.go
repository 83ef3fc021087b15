package app

import (
	"context"
	"errors"
)

// Run loads the configuration, serves until ctx ends and then stops
// everything. It returns nil after an orderly stop. Where the first
// configuration cannot be loaded, the error holds every mistake in it.
func Run(_ context.Context, _ Options) error {
	return errors.ErrUnsupported
}
