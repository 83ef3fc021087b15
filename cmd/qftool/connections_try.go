package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/sync/errgroup"

	"github.com/queuefleet/queuefleet/collector"
	"github.com/queuefleet/queuefleet/configs"
)

// connectionsTest is `qftool connections test`. (The file is not called
// connections_test.go, which the Go tools would take for tests.)
type connectionsTest struct {
	env         *env
	names       []string
	timeout     time.Duration
	concurrency int
}

// configureConnectionsTest declares `connections test`.
func configureConnectionsTest(app *kingpin.Application, e *env) {
	c := &connectionsTest{env: e}
	cmd := group(app, "connections", connectionsHelp).Command("test", "Connect, authenticate, PING and read INFO, in parallel.")
	cmd.Flag("timeout", "How long one connection may take in all. Default: its own probe_timeout.").DurationVar(&c.timeout)
	cmd.Flag("concurrency", "How many connections are open at a time.").Default("1000").IntVar(&c.concurrency)
	cmd.Arg("name", "Names or globs; a name may be that of an inactive connection. Default: all active ones.").StringsVar(&c.names)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *connectionsTest) run(ctx context.Context) error {
	if c.concurrency < 1 {
		return usageError("--concurrency must be at least 1")
	}
	if c.timeout < 0 {
		return usageError("--timeout must not be negative")
	}
	cfg, err := c.env.loadConfig()
	if err != nil {
		return err
	}
	chosen, err := chooseConnections(cfg, c.names, (*configs.Connection).Probed)
	if err != nil {
		return err
	}
	results := c.test(ctx, cfg, chosen)
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	failed := 0
	for i := range results {
		if !results[i].OK {
			failed++
		}
	}
	if c.env.output == outputJSON {
		err = c.env.printJSON(results)
	} else {
		c.print(results, failed)
	}
	if err == nil && failed > 0 {
		err = errFound
	}
	return err
}

// At most brisk tests are at work at a time, or the tester's own load would be
// measured and make slow what is not. One that has waited for patience is not
// at work any more: the next may begin, so that servers which never answer do
// not hold up the rest.
const (
	brisk    = 32
	patience = 100 * time.Millisecond
)

// test tries all connections, at most c.concurrency at a time.
func (c *connectionsTest) test(ctx context.Context, cfg *configs.Config, chosen []*configs.Connection) []collector.TestResult {
	results := make([]collector.TestResult, len(chosen))
	var g errgroup.Group
	g.SetLimit(c.concurrency)
	slots := make(chan struct{}, brisk)
	bar := c.env.newProgress(len(chosen), "Testing")
	defer bar.end()
	for i, conn := range chosen {
		slots <- struct{}{}
		g.Go(func() error {
			release := sync.OnceFunc(func() { <-slots })
			defer release()
			defer time.AfterFunc(patience, release).Stop()
			ctx, cancel := context.WithTimeout(ctx, c.limit(cfg, conn))
			defer cancel()
			results[i] = collector.TestConnection(ctx, *conn)
			results[i].Error = c.env.redactor.Mask(results[i].Error)
			bar.done()
			return nil
		})
	}
	_ = g.Wait() // the functions return no errors
	return results
}

// limit is how long a connection may take.
func (c *connectionsTest) limit(cfg *configs.Config, conn *configs.Connection) time.Duration {
	const fallback = 2 * time.Second
	for _, d := range []time.Duration{c.timeout, conn.ProbeTimeout.Std(), cfg.Global.ProbeTimeout.Std()} {
		if d > 0 {
			return d
		}
	}
	return fallback
}

func (c *connectionsTest) print(results []collector.TestResult, failed int) {
	t := table{header: []string{"NAME", "ADDRESS", "STATE", "REASON", "CONNECT", "PING", "VERSION", "ROLE", "ERROR"}}
	for i := range results {
		r := &results[i]
		state := styled(green, "up")
		if !r.OK {
			state = styled(red, "down")
		}
		t.add(text(r.Name), text(r.Address), state, text(r.Reason), milliseconds(r.ConnectSeconds), milliseconds(r.PingSeconds),
			text(r.RedisVersion), text(r.Role), text(r.Error))
	}
	if len(results) > 0 {
		t.write(c.env.stdout, c.env)
	}
	fmt.Fprintf(c.env.stderr, "%s tested, %d failed\n", count(len(results), "connection"), failed)
}

// milliseconds is the cell of a duration given in seconds.
func milliseconds(seconds *float64) cell {
	if seconds == nil {
		return unknown()
	}
	return number("%.2fms", *seconds*1e3)
}
