package horizontest

import (
	"os"
	"strings"
)

// child is a process that a stand-in has started, by way of a shell as Horizon
// does it.
type child struct {
	args    []string
	process *os.Process
	ended   chan struct{}
}

func begin(args ...string) *child {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	words := append([]string{self, "artisan"}, args...)
	for i, w := range words {
		words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	process, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "exec " + strings.Join(words, " ")},
		&os.ProcAttr{Env: os.Environ(), Files: []*os.File{nil, os.Stdout, os.Stderr}})
	if err != nil {
		panic(err)
	}
	c := &child{args: args, process: process, ended: make(chan struct{})}
	go func() {
		_, _ = process.Wait()
		close(c.ended)
	}()
	return c
}

func (c *child) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}
