//go:build !linux

package proc

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// The Manager exists so that programs can be built which run workers only on
// Linux.

type stub struct{}

// RunStub does nothing.
func RunStub() {}

// Manager cannot be made on this system.
type Manager struct{}

// New fails.
func New(Options) (*Manager, error) {
	return nil, fmt.Errorf("workers run on Linux only, not on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// Start returns nil.
func (m *Manager) Start(Launch) *Child { return nil }

// Events returns a channel on which nothing comes.
func (m *Manager) Events() <-chan Event { return nil }

// Stats returns zeros.
func (m *Manager) Stats() Stats { return Stats{} }

// MemoryMaxError returns errors.ErrUnsupported.
func (m *Manager) MemoryMaxError() error { return errors.ErrUnsupported }

// Close does nothing.
func (m *Manager) Close(context.Context) error { return nil }

// Child does not exist on this system.
type Child struct{}

// ID returns 0.
func (c *Child) ID() uint64 { return 0 }

// Name returns "".
func (c *Child) Name() string { return "" }

// Spec returns nil.
func (c *Child) Spec() *Spec { return nil }

// PID returns 0.
func (c *Child) PID() int { return 0 }

// Dropped returns 0.
func (c *Child) Dropped() uint64 { return 0 }

// Signal returns ErrNotRunning.
func (c *Child) Signal(syscall.Signal) error { return ErrNotRunning }

// Stop does nothing.
func (c *Child) Stop(time.Duration) error { return nil }

// Catches returns errors.ErrUnsupported.
func (c *Child) Catches(syscall.Signal) (bool, error) { return false, errors.ErrUnsupported }

// Usage returns errors.ErrUnsupported.
func (c *Child) Usage() (Usage, error) { return Usage{}, errors.ErrUnsupported }

// Open returns errors.ErrUnsupported.
func (p Pipes) Open(*Identity) (Ends, error) { return Ends{}, errors.ErrUnsupported }

// DelegatedCgroup returns errors.ErrUnsupported.
func DelegatedCgroup() (string, error) { return "", errors.ErrUnsupported }

// WithFilesOf runs f, where that needs no other rights than the program's own.
func WithFilesOf(id *Identity, f func() error) error {
	if id != nil {
		return errors.ErrUnsupported
	}
	return f()
}

func resources() map[string]int { return nil }

func hasCapabilities(string) bool { return false }
