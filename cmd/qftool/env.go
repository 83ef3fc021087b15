package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/queuefleet/queuefleet/internal/logging"
)

const (
	outputTable = "table"
	outputJSON  = "json"
)

// command is what a subcommand does once its flags are known.
type command func(ctx context.Context) error

// env is what every command shares: the streams and the global flags.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	program        string // as it was called
	commands       map[string]command

	configFile          string
	output              string
	colorFlag, colorSet bool
	color               bool

	redactor *logging.Redactor // knows the secrets of the configuration that was loaded
}

// usageError is a command line that kingpin accepts and the command does not.
type usageError string

func (e usageError) Error() string { return string(e) }

// exitCode prints err where nobody has told it yet and returns the exit code
// that goes with it.
func (e *env) exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(e.stderr, "qftool: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(e.stderr, "qftool: %v\n", err)
		return exitFailed
	}
}

// wantColor decides about colours: the flag, else a terminal without NO_COLOR.
func (e *env) wantColor() bool {
	if e.colorSet {
		return e.colorFlag
	}
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	return isTerminal(e.stdout)
}

// isTerminal reports whether stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printJSON writes v as indented JSON.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
