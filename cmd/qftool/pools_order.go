package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// pollEvery is how often --wait looks.
const pollEvery = 200 * time.Millisecond

// orderReport is one order as -o json prints it.
type orderReport struct {
	Supervisor string `json:"supervisor"`
	Pool       string `json:"pool"`
	Action     string `json:"action"`
	OK         bool   `json:"ok"`
	Error      string `json:"error,omitempty"`
}

// order gives the order to each pool, and waits where that is asked for. One
// that fails does not keep the others from it.
func (c *poolsCommand) order(ctx context.Context, pools []*poolView) error {
	reports := make([]orderReport, 0, len(pools))
	var given []*poolView
	failed := false
	for _, p := range pools {
		var answer struct{}
		err := p.supervisor.call(ctx, http.MethodPost, "/api/v1/pools/"+url.PathEscape(p.Name)+"/"+c.action+c.parameters(), &answer)
		report := orderReport{Supervisor: p.supervisor.name, Pool: p.Name, Action: c.action, OK: err == nil}
		if err != nil {
			failed, report.Error = true, err.Error()
			fmt.Fprintf(c.env.stderr, "qftool: pool %s: %s\n", printable(p.Name), printable(err.Error()))
		} else {
			given = append(given, p)
		}
		reports = append(reports, report)
	}
	var err error
	if c.wait {
		err = c.await(ctx, given)
	}
	if c.env.output == outputJSON {
		err = errors.Join(err, c.env.printJSON(reports))
	} else {
		done := map[string]string{"pause": "paused", "continue": "continued", "restart": "restarted", "scale": "scaled"}
		fmt.Fprintf(c.env.stderr, "%s %s\n", count(len(given), "pool"), done[c.action])
	}
	if err == nil && failed {
		err = errFound
	}
	return err
}

func (c *poolsCommand) parameters() string {
	if c.action != "scale" {
		return ""
	}
	params := url.Values{"processes": {c.processes}}
	if c.processes != "auto" {
		params.Set("for", c.duration.String())
	}
	return "?" + params.Encode()
}

// await waits until the workers of all pools have followed.
func (c *poolsCommand) await(ctx context.Context, pools []*poolView) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	again := time.NewTicker(pollEvery)
	defer again.Stop()
	for _, before := range pools {
		for {
			var now poolDetails
			err := before.supervisor.call(ctx, http.MethodGet, "/api/v1/pools/"+url.PathEscape(before.Name), &now)
			if ctx.Err() == nil && err != nil {
				return err
			}
			if err == nil && now.CannotStart != nil && c.action != "pause" {
				return fmt.Errorf("pool %s cannot start workers: %s", before.Name, now.remark())
			}
			if err == nil && c.followed(before, &now) {
				break
			}
			select {
			case <-again.C:
			case <-ctx.Done():
				return fmt.Errorf("pool %s: its workers have not followed within %v", before.Name, c.timeout)
			}
		}
	}
	return nil
}

// poolDetails is a pool with its workers.
type poolDetails struct {
	poolView
	workers []workerView
}

// UnmarshalJSON reads both halves.
func (p *poolDetails) UnmarshalJSON(text []byte) error {
	if err := p.poolView.UnmarshalJSON(text); err != nil {
		return err
	}
	var rest struct {
		List []workerView `json:"worker_list"`
	}
	err := unmarshal(text, &rest)
	p.workers = rest.List
	return err
}

// followed reports whether the workers are as the order wants them.
func (c *poolsCommand) followed(before *poolView, now *poolDetails) bool {
	atRest := !now.Preparing && now.Counts.Starting == 0 && now.Counts.Stopping == 0
	switch c.action {
	case "pause":
		for _, w := range now.workers {
			if w.State != "backoff" && !w.Paused {
				return false
			}
		}
		return now.Paused
	case "continue":
		return !now.Paused && atRest && now.Counts.Running == now.Desired
	case "restart":
		return now.Generation > before.Generation && now.Outdated == 0 && atRest && now.Counts.Running == now.Desired
	default:
		n, err := strconv.Atoi(c.processes)
		return atRest && now.Counts.Running == now.Desired && (err != nil || now.Desired == n)
	}
}
