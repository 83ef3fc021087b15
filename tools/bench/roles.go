package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// roleVariable tells a process of this program that it is one of the helpers
// below. They have processes of their own so that their CPU time and memory are
// measured like the exporter's, or not counted as the exporter's.
const roleVariable = "QUEUEFLEET_BENCH_ROLE"

const (
	roleFleet = "fleet" // answers for thousands of Redis servers
	roleFloor = "floor" // the least that a probe can cost
	roleApply = "apply" // loads and applies configurations
)

func startRole(role string, env ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(role, append(env, roleVariable+"="+role), self)
}

// play does what a helper has to until stdin ends.
func play(role string, stdin io.Reader, stdout, stderr io.Writer) int {
	raiseFileLimit()
	var err error
	switch role {
	case roleFleet:
		err = redistest.ServeFleet(stdin, stdout)
	case roleFloor:
		err = serveFloor(stdin, stdout)
	case roleApply:
		err = serveApply(stdin, stdout)
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	return exitOK
}

// floorWorkers is how many connections the floor asks at the same time.
const floorWorkers = 16

// serveFloor dials the addresses in its first line of input. For each line after
// it, a number of rounds, it sends PING and INFO to each of them in one write
// and reads past the answers.
func serveFloor(stdin io.Reader, stdout io.Writer) error {
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		return lines.Err()
	}
	var conns []*redisConn
	for addr := range strings.FieldsSeq(lines.Text()) {
		c, err := dialRedis(addr)
		if err != nil {
			return err
		}
		defer c.Close()
		conns = append(conns, c)
	}
	if _, err := fmt.Fprintln(stdout, "ready"); err != nil {
		return err
	}
	for lines.Scan() {
		rounds, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		for range rounds {
			if err := floorRound(conns); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(stdout, "done"); err != nil {
			return err
		}
	}
	return lines.Err()
}

func floorRound(conns []*redisConn) error {
	request := appendCommand(appendCommand(nil, "PING"), "INFO")
	work := make(chan *redisConn)
	failed := make(chan error, floorWorkers)
	var running sync.WaitGroup
	for range floorWorkers {
		running.Go(func() {
			for c := range work {
				if err := floorProbe(c, request); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	var err error
send:
	for _, c := range conns {
		select {
		case work <- c:
		case err = <-failed:
			break send
		}
	}
	close(work)
	running.Wait()
	select {
	case err = <-failed:
	default:
	}
	return err
}

func floorProbe(c *redisConn, request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	if err := c.skip(); err != nil {
		return err
	}
	return c.skip()
}
