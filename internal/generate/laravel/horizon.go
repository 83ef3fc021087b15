package laravel

import (
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// inHorizon reports whether Horizon works q: because its worker is Horizon, or
// because nothing else works it and the application runs Horizon.
func (p *Plan) inHorizon(q *configs.Queue) bool {
	if q.Worker != nil {
		return q.Worker.Preset == "horizon"
	}
	return p.app.Horizon != nil
}

// horizonTable is what is merged into config/horizon.php.
//
// It has whole sets of options under each environment and an empty list of
// defaults: Horizon merges lists by index, runs every supervisor of its
// defaults in every environment, and takes those of its own published file
// where there are none. The last environment matches whatever the others do
// not: Horizon would start without a word and run nothing.
func (p *Plan) horizonTable() table {
	var t table
	if h := p.app.Horizon; h != nil {
		if c := p.find(h.Connection); c != nil {
			t = append(t, field{"use", c.redis, "connection " + h.Connection})
		}
		if h.Prefix != "" {
			t = append(t, field{key: "prefix", value: h.Prefix})
		}
	}
	var supervisors, waits table
	seen := map[string]bool{}
	for _, q := range p.queues {
		if !p.inHorizon(q.config) || len(q.names) == 0 {
			continue
		}
		supervisors = append(supervisors, field{key: q.config.Name, value: p.supervisor(q)})
		for _, name := range waitNames(q) {
			key := q.name + ":" + name
			if !seen[key] {
				seen[key] = true
				waits = append(waits, field{key: key, value: wholeSeconds(q.config.MaxWait)})
			}
		}
	}
	environments := table{{key: "*", value: supervisors}}
	if p.Environment != "*" {
		environments = append(table{{key: p.Environment, value: supervisors}}, environments...)
	}
	return append(t, field{key: "waits", value: waits}, field{key: "defaults", value: table{}}, field{key: "environments", value: environments})
}

// waitNames are the queues as Horizon's waits know them: where one pool works
// them all, they are one.
func waitNames(q *queue) []string {
	if q.config.Balance == "off" {
		return []string{strings.Join(q.names, ",")}
	}
	return q.names
}

// supervisor has every option that Horizon knows, by the names that it has had
// since its version 5.
func (p *Plan) supervisor(q *queue) table {
	c := q.config
	var balance value = c.Balance
	if c.Balance == "off" {
		balance = false // as Horizon's own file has it
	}
	names := list{}
	for _, name := range q.names {
		names = append(names, name)
	}
	return table{
		{key: "connection", value: q.name},
		{key: "queue", value: names},
		{key: "balance", value: balance},
		{key: "autoScalingStrategy", value: c.AutoScalingStrategy},
		{key: "minProcesses", value: max(1, c.MinProcesses)},
		{key: "maxProcesses", value: c.MaxProcesses},
		{key: "balanceMaxShift", value: c.BalanceMaxShift},
		{key: "balanceCooldown", value: wholeSeconds(c.BalanceCooldown)},
		{key: "tries", value: c.Tries},
		{key: "timeout", value: wholeSeconds(c.Timeout)},
		{key: "memory", value: int(c.Memory.MiB())},
		{key: "backoff", value: wholeSeconds(c.Backoff)},
		{key: "sleep", value: pause(c.Sleep)},
		{key: "rest", value: pause(c.Rest)},
		{key: "maxJobs", value: c.MaxJobs},
		{key: "maxTime", value: wholeSeconds(c.MaxTime)},
		{key: "nice", value: c.Nice},
	}
}

// checkHorizon warns of what Horizon cannot do or does otherwise.
func (p *Plan) checkHorizon() {
	for _, q := range p.queues {
		c := q.config
		if c.Worker == nil && p.app.Horizon == nil {
			p.warn("queue configuration %s: nothing that is configured here works it: it has no worker, and the application no horizon", c.Name)
		}
		if !p.inHorizon(c) {
			continue
		}
		if len(q.names) == 0 {
			p.warn("queue configuration %s is left out of horizon.php: it has nothing but patterns", c.Name)
			continue
		}
		if c.MinProcesses < 1 {
			p.warn("queue configuration %s: min_processes is 0 and becomes 1: Horizon has no less", c.Name)
		}
		if c.MaxSurge > 0 {
			p.warn("queue configuration %s: Horizon has no max_surge", c.Name)
		}
		if !slices.Equal(c.Hosts, []string{"*"}) {
			p.warn("queue configuration %s: Horizon has no hosts: it runs on each machine where Horizon is started", c.Name)
		}
		p.checkFractions(c)
	}
}

// checkFractions warns of times that Horizon has in whole seconds only.
func (p *Plan) checkFractions(c *configs.Queue) {
	for _, one := range []struct {
		key string
		d   configs.Duration
	}{
		{"retry_after", c.RetryAfter}, {"max_wait", c.MaxWait}, {"balance_cooldown", c.BalanceCooldown},
		{"timeout", c.Timeout}, {"backoff", c.Backoff}, {"max_time", c.MaxTime},
	} {
		if rounded := wholeSeconds(one.d); one.d.Seconds() != float64(rounded) {
			p.warn("queue configuration %s: %s of %v becomes %d s: Laravel has whole seconds", c.Name, one.key, one.d, rounded)
		}
	}
	for _, one := range []struct {
		key string
		d   configs.Duration
	}{{"sleep", c.Sleep}, {"rest", c.Rest}} {
		if n, ok := pause(one.d).(int); ok && one.d.Seconds() != float64(n) {
			p.warn("queue configuration %s: %s of %v becomes %d s: Laravel has fractions of less than a second only", c.Name, one.key, one.d, n)
		}
	}
}
