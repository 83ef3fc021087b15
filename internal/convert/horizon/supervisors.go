package horizon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

const second = configs.Duration(time.Second)

// What Laravel and Horizon take where nothing is said.
const (
	defaultRetryAfter = 60 * second
	defaultWait       = 60 * second
	margin            = 10 * second // what retry_after must leave beyond a job's timeout
)

// supervisors are those of the environment, a queue configuration each.
func (c *converter) supervisors() {
	set := c.e.Sets.get(*c.e.Chosen)
	if !set.isArray() || len(set.pairs) == 0 {
		c.warn("the environment %s of horizon.php has no supervisors", *c.e.Chosen)
		return
	}
	for _, p := range set.pairs {
		if !p.value.isArray() {
			c.warn("horizon: the supervisor %s is %s and left out", p.key, p.value.show())
			continue
		}
		c.supervisor(p.key, p.value)
	}
}

// supervisor converts one of them.
func (c *converter) supervisor(name string, n *node) {
	s := &supervisor{c: c, name: name, q: horizonDefaults(c.named(name), c.out.Slug)}
	for _, p := range n.pairs {
		s.option(camel(p.key), p.value)
	}
	q := &s.q
	queue := c.e.Queue.get(s.connection)
	switch {
	case s.connection == "":
		s.warn("has no connection and is left out")
		return
	case !queue.isArray():
		s.warn("uses the queue connection %q, which does not exist, and is left out", s.connection)
		return
	case queue.get("driver").str() != "redis":
		s.warn("uses the queue connection %q with the driver %s and is left out", s.connection, queue.get("driver").show())
		return
	}
	redis := queue.get("connection").str()
	if redis == "" {
		redis = "default"
	}
	if q.Connection = c.redis[redis]; q.Connection == "" {
		s.warn("uses the Redis connection %q, which does not exist or was left out, and is left out, too", redis)
		return
	}
	c.queueConnection(s.connection, queue, q)
	if len(q.QueueNames) == 0 {
		q.QueueNames = queue.get("queue").words()
	}
	if len(q.QueueNames) == 0 {
		q.QueueNames = []string{"default"}
	}
	s.literal()
	if prefix := c.prefixOfRedis(redis); prefix == "" {
		q.KeyPrefix = &prefix
	}
	s.wait()
	s.limits()
	if !c.o.NoWorkers {
		q.Worker = configs.NewWorker("horizon")
		q.Worker.QueueConnection, q.Worker.Directory, q.Worker.User = s.connection, c.o.Directory, c.o.User
	}
	c.out.Queues = append(c.out.Queues, *q)
}

// horizonDefaults are the options of a supervisor that gives none.
func horizonDefaults(name, slug string) configs.Queue {
	q := configs.NewQueue(name, slug, "")
	q.Balance, q.MaxProcesses, q.Tries, q.MaxJobs, q.MaxTime = "off", 1, 0, 0, 0
	return q
}

// queueConnection reads what a queue connection says of its jobs.
func (c *converter) queueConnection(name string, n *node, q *configs.Queue) {
	q.RetryAfter = defaultRetryAfter
	if retry := n.get("retry_after"); retry.given() {
		d, err := retry.seconds()
		if err != nil || d <= 0 {
			c.warn("queue.connections.%s.retry_after is %s; taken as %v", name, retry.show(), defaultRetryAfter)
		} else {
			q.RetryAfter = d
		}
	}
	var left []string
	for _, key := range []string{"block_for", "after_commit", "migration_batch_size"} {
		if v := n.get(key); v.truthy() && v.str() != "-1" {
			left = append(left, key)
		}
	}
	if len(left) > 0 {
		c.warn("queue.connections.%s: left to the application's own configuration: %s", name, strings.Join(left, ", "))
	}
}

func (c *converter) prefixOfRedis(name string) string {
	n := c.e.Redis.get(name)
	if !n.isArray() {
		n = c.e.Redis.get("clusters", name)
	}
	return c.prefixOf(n)
}

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
		if s.c.waits == nil {
			s.c.waits = map[string]bool{}
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
