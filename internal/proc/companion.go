package proc

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// Companion is a program that is to run beside this one for as long as it
// does, and is nobody's worker: a Prometheus for the demo.
type Companion struct {
	Path   string   // the executable, absolute; see LookPath
	Args   []string // argv, with argv[0]
	Dir    string   // working directory
	Env    []string // all of it; nothing is inherited
	Output *os.File // both of its streams; nil = nowhere
}

// companionGrace is how long a companion may take to end.
const companionGrace = 10 * time.Second

// Run runs the companion until ctx ends, and then ends it. It returns nil once
// it is gone for that reason and an error where it ended by itself. A Manager
// of the same process must not adopt.
func (c Companion) Run(ctx context.Context) error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer func() { _ = null.Close() }()
	output := c.Output
	if output == nil {
		output = null
	}
	ended := make(chan error, 1)
	started := make(chan *os.Process, 1)
	go func() {
		// The kernel's signal for orphans comes when the starting thread ends, so
		// that one stays here, waiting.
		runtime.LockOSThread()
		process, err := os.StartProcess(c.Path, c.Args, &os.ProcAttr{
			Dir: c.Dir, Env: c.Env, Files: []*os.File{null, output, output}, Sys: companionAttributes(),
		})
		started <- process
		if err != nil {
			ended <- err
			return
		}
		state, err := process.Wait()
		if err == nil {
			err = fmt.Errorf("%s has ended: %s", c.Path, state)
		}
		ended <- err
	}()
	process := <-started
	if process == nil {
		return <-ended
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	_ = process.Signal(syscall.SIGTERM) // gone already: then Wait has returned
	timer := time.NewTimer(companionGrace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		_ = process.Kill()
		<-ended
	}
	return nil
}
