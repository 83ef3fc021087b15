// Package logging makes the one logger of a program: a *slog.Logger whose
// lines are written by go-kit/log's logfmt or JSON encoder, and out of which
// every secret that the configuration knows is masked.
//
// The package imports nothing else of this module, so that everything else may
// log.
package logging
