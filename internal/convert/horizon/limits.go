package horizon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// wait takes the wait objective from Horizon's waits. There is one for all
// queues of a configuration: the shortest.
func (s *supervisor) wait() {
	q := &s.q
	names := q.QueueNames
	if q.Balance == "off" {
		names = append([]string{strings.Join(names, ",")}, names...)
	}
	waits := s.c.e.Horizon.get("waits")
	var found []configs.Duration
	for i, name := range names {
		key := s.connection + ":" + name
		n := waits.get(key)
		if !n.given() {
			if q.Balance != "off" {
				found = append(found, defaultWait)
			}
			continue
		}
		s.c.waits[key] = true
		d, err := n.seconds()
		switch {
		case err != nil:
			s.c.warn("horizon.waits: %s: %v", key, err)
		case d == 0:
			s.c.warn("horizon.waits: %s is 0, never to warn, which max_wait cannot say; 1d is written", key)
			found = append(found, 24*3600*second)
		default:
			found = append(found, d)
		}
		if q.Balance == "off" && i == 0 {
			break // the list as a whole is what Horizon looks at
		}
	}
	q.MaxWait = defaultWait
	if len(found) > 0 {
		q.MaxWait = slices.Min(found)
		if q.MaxWait != slices.Max(found) {
			s.warn("its queues have different waits; max_wait is the shortest, %v: split the configuration to keep them apart", q.MaxWait)
		}
	}
}

func (c *converter) unusedWaits() {
	waits := c.e.Horizon.get("waits")
	if !waits.isArray() {
		return
	}
	for _, p := range waits.pairs {
		if !c.waits[p.key] {
			c.warn("horizon.waits: %s belongs to no supervisor and is left out", p.key)
		}
	}
}

// limits brings the options within what Queuefleet takes, and says so.
func (s *supervisor) limits() {
	q := &s.q
	if q.MaxProcesses < 1 {
		s.warn("maxProcesses is %d: Horizon does not start it, and the configuration is inactive", q.MaxProcesses)
		q.MaxProcesses, q.Active = 1, false
	}
	if q.MinProcesses < 0 {
		s.warn("minProcesses is %d; taken as 1", q.MinProcesses)
		q.MinProcesses = 1
	}
	if q.MinProcesses > q.MaxProcesses {
		s.warn("minProcesses (%d) is more than maxProcesses (%d), which is taken for both", q.MinProcesses, q.MaxProcesses)
		q.MinProcesses = q.MaxProcesses
	}
	if q.BalanceMaxShift < 1 {
		s.warn("balanceMaxShift is %d; taken as 1", q.BalanceMaxShift)
		q.BalanceMaxShift = 1
	}
	for key, n := range map[string]*int{"tries": &q.Tries, "maxJobs": &q.MaxJobs} {
		if *n < 0 {
			s.warn("%s is %d; taken as 0", key, *n)
			*n = 0
		}
	}
	if nice := min(19, max(-20, q.Nice)); nice != q.Nice {
		s.warn("nice is %d; taken as %d", q.Nice, nice)
		q.Nice = nice
	}
	s.timeout()
}

// timeout sees to it that a job ends before it is given to a second worker.
func (s *supervisor) timeout() {
	q := &s.q
	if q.Timeout == 0 {
		q.Timeout = max(second, q.RetryAfter-margin)
		s.warn("timeout is 0, so that a job may run for ever: %v is written, from retry_after", q.Timeout)
	}
	if q.Timeout > q.RetryAfter-margin {
		s.warn("timeout (%v) is not 10 s below retry_after (%v) of queue connection %s: jobs that take so long are run twice today; "+
			"retry_after is written as %v, and has to become that in the application", q.Timeout, q.RetryAfter, s.connection, q.Timeout+margin)
		q.RetryAfter = q.Timeout + margin
	}
}

// settle brings configurations that share a queue to the same wait, which they
// must have: the shortest.
func (c *converter) settle() {
	for changed := true; changed; {
		changed = false
		for i := range c.out.Queues {
			for j := range c.out.Queues {
				a, b := &c.out.Queues[i], &c.out.Queues[j]
				if a.MaxWait <= b.MaxWait || a.Connection != b.Connection || !share(a.QueueNames, b.QueueNames) {
					continue
				}
				c.warn("%s and %s share a queue and must have one max_wait: %v", a.Name, b.Name, b.MaxWait)
				a.MaxWait, changed = b.MaxWait, true
			}
		}
	}
	seen := map[string]bool{}
	for i := range c.out.Queues {
		q := &c.out.Queues[i]
		for name, n := q.Name, 2; seen[q.Name]; n++ {
			q.Name = fmt.Sprintf("%s-%d", name, n)
		}
		seen[q.Name] = true
	}
}

func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}

func unique(list []string) []string {
	var all []string
	for _, one := range list {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}
