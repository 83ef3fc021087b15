package main

import (
	"fmt"
	"strings"
)

// fakes is a process that stands in for any number of Redis servers.
type fakes struct {
	*process
	addr string // answers
	hung string // accepts, never answers
}

func startFakes() (*fakes, error) {
	p, err := startRole(roleFleet)
	if err != nil {
		return nil, err
	}
	line, err := p.line()
	if err != nil {
		p.stop()
		return nil, err
	}
	f := &fakes{process: p}
	f.addr, f.hung, _ = strings.Cut(line, " ")
	return f, nil
}

// accepted returns how many sockets were accepted so far.
func (f *fakes) accepted() (int, error) {
	line, err := f.ask("count")
	if err != nil {
		return 0, err
	}
	sockets, commands := 0, 0
	if _, err := fmt.Sscan(line, &sockets, &commands); err != nil {
		return 0, fmt.Errorf("fleet: %q: %w", line, err)
	}
	return sockets, nil
}
