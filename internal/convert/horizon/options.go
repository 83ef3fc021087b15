package horizon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// supervisor is one that is being converted.
type supervisor struct {
	c          *converter
	name       string
	q          configs.Queue
	connection string // queue connection
}

func (s *supervisor) warn(format string, args ...any) {
	s.c.warn("supervisor "+s.name+": "+format, args...)
}

// camel is a key in Horizon's own spelling.
func camel(key string) string {
	parts := strings.Split(strings.ReplaceAll(key, "-", "_"), "_")
	for i, part := range parts[1:] {
		if part != "" {
			parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}

func (s *supervisor) option(key string, n *node) {
	if !n.given() && key != "balance" {
		return // as if it were not there
	}
	q := &s.q
	numbers := map[string]*int{
		"minProcesses": &q.MinProcesses, "maxProcesses": &q.MaxProcesses, "processes": &q.MaxProcesses, "balanceMaxShift": &q.BalanceMaxShift,
		"tries": &q.Tries, "maxTries": &q.Tries, "maxJobs": &q.MaxJobs, "nice": &q.Nice,
	}
	times := map[string]*configs.Duration{
		"balanceCooldown": &q.BalanceCooldown, "timeout": &q.Timeout, "sleep": &q.Sleep, "rest": &q.Rest, "maxTime": &q.MaxTime, "backoff": &q.Backoff,
	}
	var err error
	switch {
	case key == "connection":
		s.connection = n.str()
	case key == "queue":
		q.QueueNames = unique(n.words())
	case key == "balance":
		s.balance(n)
	case key == "autoScalingStrategy":
		s.strategy(n)
	case key == "memory":
		var mib int
		if mib, err = n.integer(); err == nil && mib < 1 {
			err = fmt.Errorf("%d is no limit of memory", mib)
		}
		if err == nil {
			q.Memory = configs.Bytes(mib) << 20
		}
	case key == "backoff" && len(n.words()) > 1:
		s.warn("backoff is a list (%s); there is one backoff: the first", strings.Join(n.words(), ", "))
		q.Backoff, err = (&node{kind: "string", text: n.words()[0]}).seconds()
	case numbers[key] != nil:
		var number int
		if number, err = n.integer(); err == nil {
			*numbers[key] = number
		}
	case times[key] != nil:
		var d configs.Duration
		if n.isArray() && len(n.words()) == 1 {
			n = n.pairs[0].value
		}
		if d, err = n.seconds(); err == nil {
			*times[key] = d
		}
	default:
		s.other(key, n)
	}
	if err != nil {
		s.warn("%s: %v; its default is taken", key, err)
	}
}

// balance reads a word that Horizon takes for off when it does not know it.
func (s *supervisor) balance(n *node) {
	switch n.str() {
	case "auto", "simple":
		s.q.Balance = n.str()
	case "", "off", "false", "0", "null", "none", "no":
		s.q.Balance = "off"
	default:
		s.q.Balance = "off"
		s.warn("balance is %s, which Horizon takes for off: did you mean auto or simple?", n.show())
	}
}

func (s *supervisor) strategy(n *node) {
	switch n.str() {
	case "time", "size":
		s.q.AutoScalingStrategy = n.str()
	default:
		s.warn("autoScalingStrategy is %s, and there are time and size; time is taken", n.show())
	}
}

// other tells of options that are not carried over.
func (s *supervisor) other(key string, n *node) {
	switch key {
	case "force":
		if n.truthy() {
			s.warn("force is left out: workers stop in maintenance mode; add --force to worker.command for the preset laravel")
		}
	case "directory", "workersName", "parentId", "name":
		s.warn("%s (%s) is left out", key, n.show())
	default:
		s.warn("there is no option %q in Horizon: it does nothing there, and is left out", key)
	}
}

// literal refuses names that would be patterns here.
func (s *supervisor) literal() {
	s.q.QueueNames = slices.DeleteFunc(s.q.QueueNames, func(name string) bool {
		if configs.IsPattern(name) {
			s.warn("the queue %q is left out: here the name would be a pattern", name)
		}
		return configs.IsPattern(name)
	})
}
