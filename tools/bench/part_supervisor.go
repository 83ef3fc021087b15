package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// runSupervisor has the supervisor and its peer run the same workers, one after
// the other in each round.
func runSupervisor(ctx context.Context, b *bench) error {
	y, err := newYard(ctx, b)
	if err != nil {
		return err
	}
	defer y.close()
	rivals := []*rival{y.ours(b), y.peer()}
	for _, r := range rivals {
		if err := r.measureIdle(ctx); err != nil {
			return fmt.Errorf("%s without workers: %w", r.name, err)
		}
	}
	err = y.rounds(ctx, rivals, b.pick(3, 1))
	y.report(ctx, rivals[0], rivals[1]) // also what there is when something failed
	return err
}

func (y *yard) rounds(ctx context.Context, rivals []*rival, n int) error {
	for i := range n {
		for _, r := range rivals {
			if err := errors.Join(r.stopSlow(ctx), r.round(ctx)); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			y.b.logger.Info("Measured a round", "of", r.name, "round", i+1)
		}
	}
	return nil
}

// round takes all figures of many workers.
func (r *rival) round(ctx context.Context) (err error) {
	began := time.Now()
	r.yard.execs.arm()
	if err := r.start(ctx, r.yard.programs(-1)); err != nil {
		return err
	}
	defer r.end()
	workers, err := r.await(ctx, r.yard.workers)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	r.startTimes = append(r.startTimes, r.yard.execs.latest().Sub(began).Seconds())
	if err := r.measureRest(ctx); err != nil {
		return err
	}
	for i, victim := range victims(workers, r.yard.kills) {
		if err := r.measureCrash(ctx, i, victim); err != nil {
			return fmt.Errorf("crash: %w", err)
		}
	}
	if err := r.measureReload(ctx); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	return nil
}

// measureIdle notes the memory of the program that has nothing to do.
func (r *rival) measureIdle(ctx context.Context) error {
	if err := r.start(ctx, nil); err != nil {
		return err
	}
	defer r.end()
	if err := wait(ctx, r.yard.settle); err != nil {
		return err
	}
	m, err := r.process.memory()
	r.idleMemory = m.resident
	return err
}

// measureRest notes what workers cost that only sleep.
func (r *rival) measureRest(ctx context.Context) error {
	if err := wait(ctx, r.yard.settle); err != nil {
		return err
	}
	used, err := cpuOf(func() error { return wait(ctx, r.yard.idle) }, r.process)
	if err != nil {
		return err
	}
	m, err := r.process.memory()
	if err != nil {
		return err
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", r.process.cmd.Process.Pid))
	if err != nil {
		return err
	}
	r.cpu = append(r.cpu, ms(used)*float64(time.Minute)/float64(r.yard.idle))
	r.growth = append(r.growth, mb(m.resident-r.idleMemory))
	r.threads = append(r.threads, float64(len(threads)))
	return nil
}

// victims chooses n workers among those of the beginning, far from each other.
// A replacement is none: a worker that crashes a second time is made to wait on
// purpose, by ours as by others.
func victims(workers []int, n int) []int {
	chosen := make([]int, min(n, len(workers)))
	for i := range chosen {
		chosen[i] = workers[i*len(workers)/len(chosen)]
	}
	return chosen
}

// measureCrash kills a worker and notes how long it takes until another one is
// executed. n spreads the kills over the seconds: a rival may look once a
// second.
func (r *rival) measureCrash(ctx context.Context, n, victim int) error {
	if err := wait(ctx, 100*time.Millisecond+time.Duration(n*37%100)*10*time.Millisecond); err != nil {
		return err
	}
	before, err := r.await(ctx, r.yard.workers)
	if err != nil {
		return err
	}
	r.yard.execs.arm()
	killed := time.Now()
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		return err
	}
	executed, err := r.next(ctx)
	if err != nil {
		return err
	}
	if _, err := r.replaced(ctx, before); err != nil {
		return err
	}
	r.crashes = append(r.crashes, ms(executed.Sub(killed)))
	return nil
}

// measureReload changes one worker's command.
func (r *rival) measureReload(ctx context.Context) error {
	before, err := r.await(ctx, r.yard.workers)
	if err != nil {
		return err
	}
	if err := r.configure(r.yard.programs(r.yard.workers / 2)); err != nil {
		return err
	}
	r.yard.execs.arm()
	began := time.Now()
	if err := r.reload(ctx); err != nil {
		return err
	}
	executed, err := r.next(ctx)
	if err != nil {
		return err
	}
	replacement, err := r.replaced(ctx, before)
	if err != nil {
		return err
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", replacement))
	if err != nil {
		return err
	}
	if want := r.yard.sleep + "\x00" + changedTime + "\x00"; string(command) != want {
		return fmt.Errorf("the new worker runs %q, want %q", command, want)
	}
	r.reloads = append(r.reloads, ms(executed.Sub(began)))
	return nil
}

// replaced waits until all workers run again and returns the new one. Where
// more than one is another one than before, that is an error.
func (r *rival) replaced(ctx context.Context, before []int) (int, error) {
	after, err := r.awaitOther(ctx, before)
	if err != nil {
		return 0, err
	}
	var fresh []int
	for _, pid := range after {
		if !slices.Contains(before, pid) {
			fresh = append(fresh, pid)
		}
	}
	if len(fresh) != 1 {
		return 0, fmt.Errorf("%d workers were replaced, want 1", len(fresh))
	}
	return fresh[0], nil
}

// stopSlow notes how long it takes until workers have left that need slowEnd.
func (r *rival) stopSlow(ctx context.Context) error {
	if err := r.start(ctx, r.yard.slowPrograms()); err != nil {
		return err
	}
	defer r.end()
	if _, err := r.await(ctx, r.yard.pools); err != nil {
		return fmt.Errorf("slow workers: %w", err)
	}
	// The peer takes whoever leaves within a second for one that did not start.
	if err := wait(ctx, 2*time.Second); err != nil {
		return err
	}
	began := time.Now()
	if err := r.stop(ctx); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	took := time.Since(began)
	if took < slowEnd {
		return fmt.Errorf("stopped after %s: workers were killed that need %s", took, slowEnd)
	}
	r.stops = append(r.stops, took.Seconds())
	return nil
}
