package proc

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
)

// StartReason is why a worker could not be started, from a closed set.
type StartReason string

// The reasons, in StartReasons' order.
const (
	MissingCommand StartReason = "missing_command"
	NotExecutable  StartReason = "not_executable"
	SetuidCommand  StartReason = "setuid_command" // would undo user and death signal
	BadDirectory   StartReason = "bad_directory"
	BadUser        StartReason = "bad_user"
	BadLimit       StartReason = "bad_limit"
	NoResources    StartReason = "no_resources" // processes, memory, files: the machine's, not the Spec's fault
	OtherReason    StartReason = "other"
)

// StartReasons returns the closed set.
func StartReasons() []StartReason {
	return []StartReason{
		MissingCommand, NotExecutable, SetuidCommand, BadDirectory, BadUser, BadLimit, NoResources, OtherReason,
	}
}

// StartError says why a worker could not be started. Nothing of it is left when
// the error is reported.
type StartError struct {
	Reason StartReason
	Doing  string // what failed, with its object: "changing to directory /srv/shop"
	Err    error  // a syscall.Errno where the system refused
}

// Error says what failed and how.
func (e *StartError) Error() string {
	if e.Doing == "" {
		return e.Err.Error()
	}
	return e.Doing + ": " + e.Err.Error()
}

// Unwrap returns the system's own error.
func (e *StartError) Unwrap() error { return e.Err }

func refuse(reason StartReason, format string, arguments ...any) *StartError {
	return &StartError{Reason: reason, Err: fmt.Errorf(format, arguments...)}
}

// stage is a part of the work between fork and exec.
type stage string

const (
	stageFork        stage = "fork"
	stageSetup       stage = "setup"
	stageLimit       stage = "limit"
	stageNice        stage = "nice"
	stageUser        stage = "user"
	stageDirectory   stage = "directory"
	stageDeathSignal stage = "death signal"
	stageExec        stage = "exec"
)

// reasonOf sorts a refusal of the system.
func reasonOf(at stage, err error) StartReason {
	scarce := []syscall.Errno{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ENOSPC}
	if slices.ContainsFunc(scarce, func(e syscall.Errno) bool { return errors.Is(err, e) }) {
		return NoResources
	}
	switch at {
	case stageLimit, stageNice:
		return BadLimit
	case stageUser:
		return BadUser
	case stageDirectory:
		return BadDirectory
	case stageExec:
		return execReason(err)
	default:
		return OtherReason
	}
}

func execReason(err error) StartReason {
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
		return MissingCommand
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOEXEC), errors.Is(err, syscall.EISDIR):
		return NotExecutable
	default: // for example E2BIG
		return OtherReason
	}
}
