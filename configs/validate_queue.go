package configs

import (
	"slices"
	"strings"
	"unicode"
)

var (
	balances     = []string{"auto", "simple", "off"}
	scalingRules = []string{"mended", "horizon", "horizon-5.29"}
	strategies   = []string{"time", "size"}
	frameworks   = []string{"laravel"}
)

func checkQueue(o origin, q *Queue) {
	if q.Name != "" {
		o.checkName("name", q.Name)
	}
	checkQueueNames(o, q)
	o.oneOf("framework", q.Framework, frameworks)
	o.patterns("hosts", q.Hosts)
	if len(q.Hosts) == 0 {
		o.fail("hosts", "must not be empty; set active: false to run it nowhere")
	}
	o.atLeast("max_discovered", q.MaxDiscovered, 1)
	o.positive("queue_ttl", q.QueueTTL)
	checkScaling(o, q)
	checkObjective(o, q)
	checkWorkerLimits(o, q)
	if q.Worker != nil {
		checkWorker(o, q)
	}
}

func checkQueueNames(o origin, q *Queue) {
	if len(q.QueueNames) == 0 {
		o.fail("queue_names", "is missing")
	}
	first := make(map[string]int, len(q.QueueNames))
	for i, name := range q.QueueNames {
		key := indexed("queue_names", i)
		at, twice := first[name]
		switch {
		case name == "":
			o.fail(key, "is empty")
		case strings.Contains(name, ",") || strings.ContainsFunc(name, unicode.IsControl):
			o.fail(key, "must hold neither commas nor control characters")
		case twice:
			o.fail(key, "%q is already in queue_names[%d]", name, at)
		case IsPattern(name) && badPattern(name):
			o.fail(key, "is no valid pattern (* ? [a-z] and \\ to escape)")
		case IsPattern(name) && q.Balance == "off" && q.Worker != nil:
			o.fail(key, "is a pattern; balance: off has one pool for all names and takes no patterns")
		}
		if !twice {
			first[name] = i
		}
	}
}

func checkScaling(o origin, q *Queue) {
	if q.Balance == "slo" {
		o.fail("balance", "slo is not available yet; use auto, simple or off")
	} else {
		o.oneOf("balance", q.Balance, balances)
	}
	o.oneOf("scaling_rules", q.ScalingRules, scalingRules)
	o.oneOf("auto_scaling_strategy", q.AutoScalingStrategy, strategies)
	o.atLeast("min_processes", q.MinProcesses, 0)
	o.atLeast("max_processes", q.MaxProcesses, 1)
	o.atLeast("max_surge", q.MaxSurge, 0)
	o.atLeast("balance_max_shift", q.BalanceMaxShift, 1)
	o.notNegative("balance_cooldown", q.BalanceCooldown)
	if q.MinProcesses > q.MaxProcesses && q.MaxProcesses >= 1 {
		key := "min_processes"
		if !o.own(key) {
			key = "max_processes"
		}
		o.fail(key, "min_processes (%d) is more than max_processes (%d)", q.MinProcesses, q.MaxProcesses)
	}
}

func checkObjective(o origin, q *Queue) {
	o.positive("max_wait", q.MaxWait)
	if !(q.Objective > 0 && q.Objective < 1) {
		o.fail("objective", "must lie between 0 and 1, both excluded, for example 0.99")
	}
}

// checkWorkerLimits also holds retry_after against timeout: a job that is
// still running when its reservation ends is given to a second worker.
func checkWorkerLimits(o origin, q *Queue) {
	o.atLeast("tries", q.Tries, 0)
	o.positive("timeout", q.Timeout)
	o.positive("retry_after", q.RetryAfter)
	o.notNegative("backoff", q.Backoff)
	o.notNegative("sleep", q.Sleep)
	o.notNegative("rest", q.Rest)
	o.notNegative("max_time", q.MaxTime)
	o.atLeast("max_jobs", q.MaxJobs, 0)
	if q.Memory < 1<<20 {
		o.fail("memory", "must be 1MiB or more")
	}
	if q.Nice < -20 || q.Nice > 19 {
		o.fail("nice", "must be from -20 to 19")
	}
	if q.Timeout <= 0 || q.RetryAfter <= 0 || q.Timeout <= q.RetryAfter-stopMargin {
		return
	}
	if q.Worker == nil && q.Timeout == defaultQueue().Timeout {
		return // watched only, and nobody has said how long a job may take
	}
	key := slices.IndexFunc([]string{"timeout", "retry_after"}, o.own)
	o.fail([]string{"retry_after", "timeout", "retry_after"}[key+1],
		"timeout (%v) and 10s must not exceed retry_after (%v), or a job that still runs is given to a second worker", q.Timeout, q.RetryAfter)
}
