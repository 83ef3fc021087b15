package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// yard is what the rivals share.
type yard struct {
	b       *bench
	dir     string
	sleep   string // a sleep of our own: whoever executes this one is a worker
	slow    string // a script that needs slowEnd to leave
	redis   *server
	execs   *execs
	workers int
	pools   int // of slow workers
	kills   int // a round
	settle  time.Duration
	idle    time.Duration
}

// slowEnd is how long a slow worker needs for its job.
const slowEnd = 3 * time.Second

// slowScript does its job to the end when it is told to leave. What it waits
// for meanwhile is our own sleep, by which it is seen to be ready.
const slowScript = `#!/bin/sh
trap 'kill $!; /bin/sleep %d; exit 0' TERM
%s 100000 &
wait
`

func newYard(ctx context.Context, b *bench) (*yard, error) {
	y := &yard{
		b: b, dir: b.dir, workers: b.pick(1000, 50), pools: b.pick(50, 5), kills: b.pick(34, 5),
		settle: 5 * time.Second, idle: 20 * time.Second,
	}
	if b.quick {
		y.settle, y.idle = 2*time.Second, 3*time.Second
	}
	y.sleep, y.slow = filepath.Join(b.dir, "sleep"), filepath.Join(b.dir, "slow.sh")
	if err := copyProgram("/bin/sleep", y.sleep); err != nil {
		return nil, err
	}
	script := fmt.Sprintf(slowScript, int(slowEnd.Seconds()), y.sleep)
	if err := os.WriteFile(y.slow, []byte(script), 0o755); err != nil {
		return nil, err
	}
	var err error
	if y.redis, err = startServer(ctx, b); err != nil {
		return nil, err
	}
	if y.execs, err = watchExecs(y.sleep); err != nil {
		y.redis.stop()
		return nil, err
	}
	return y, nil
}

func (y *yard) close() {
	y.execs.close()
	y.redis.stop()
}

// copyProgram copies the file behind links.
func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// programs are the workers of the usual configuration, one a pool. The changed
// one, if any, sleeps another time.
func (y *yard) programs(changed int) [][]string {
	list := make([][]string, y.workers)
	for i := range list {
		list[i] = []string{y.sleep, "100000"}
	}
	if changed >= 0 {
		list[changed][1] = changedTime
	}
	return list
}

const changedTime = "100001"

func (y *yard) slowPrograms() [][]string {
	list := make([][]string, y.pools)
	for i := range list {
		list[i] = []string{"/bin/sh", y.slow}
	}
	return list
}

// running returns the processes that execute our own sleep.
func (y *yard) running() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// Processes come and go, and those of others are not to be looked into.
		if exe, err := os.Readlink(filepath.Join("/proc", entry.Name(), "exe")); err == nil && exe == y.sleep {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}
