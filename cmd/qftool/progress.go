package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far something is, on a terminal only: what is written
// into a file or a pipe is the result alone.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress begins with none of n done.
func (e *env) newProgress(n int, what string) *progress {
	if !isTerminal(e.stderr) {
		return &progress{}
	}
	return &progress{progressbar.NewOptions(n,
		progressbar.OptionSetWriter(e.stderr), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish(),
	)}
}

// done counts one. It may be called by several goroutines.
func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Add(1) // what cannot be drawn need not be
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
