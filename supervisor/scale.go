// Package supervisor keeps the worker processes of every queue configuration
// right. What it decides, it decides by pure functions over an Observation;
// the scale*.go files hold the decisions about how many workers run.
package supervisor

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Rules names the rule book by which a pool is scaled.
type Rules string

// The values of scaling_rules.
const (
	RulesMended     Rules = "mended"       // Horizon's balances without their harms
	RulesHorizon    Rules = "horizon"      // Horizon from 2025 on, to the letter
	RulesHorizon529 Rules = "horizon-5.29" // Horizon 5.29.1, to the letter
)

// Balance names how a pool shares its workers among its queues.
type Balance string

// The values of balance.
const (
	BalanceAuto   Balance = "auto"   // by load
	BalanceSimple Balance = "simple" // evenly
	BalanceOff    Balance = "off"    // one sub-pool works all names in their order
)

// Strategy names what counts as load under auto.
type Strategy string

// The values of auto_scaling_strategy.
const (
	StrategyTime Strategy = "time" // jobs times their mean run time
	StrategySize Strategy = "size" // jobs
)

// Number is a figure that may not be known: NaN then, null in JSON.
type Number float64

// Unknown is the Number of what is not known.
func Unknown() Number { return Number(math.NaN()) }

// Known reports whether n is a figure.
func (n Number) Known() bool { return !math.IsNaN(float64(n)) }

// MarshalJSON writes what JSON has no number for as null.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// Bounds are the limits a pool is configured with.
type Bounds struct {
	Min      int           `json:"min_processes"` // per sub-pool; a discovered one has 0
	Max      int           `json:"max_processes"` // over all sub-pools
	MaxSurge int           `json:"max_surge"`     // processes beyond Max while workers are replaced
	Shift    int           `json:"balance_max_shift"`
	Cooldown time.Duration `json:"balance_cooldown_nanoseconds"`
}

// Override is an operator's order: Processes workers in the whole pool, until Until.
type Override struct {
	Processes int       `json:"processes"`
	Until     time.Time `json:"until"`
}

// QueueLoad is what is known of one queue.
type QueueLoad struct {
	Name            string `json:"queue"`
	Ready           Number `json:"ready"`              // waiting jobs; not known: the source did not answer for this queue
	DelayedOverdue  Number `json:"delayed_overdue"`    // due, but nobody has moved them to the ready list
	ReservedExpired Number `json:"reserved_expired"`   // taken by a worker that died
	RuntimeMS       Number `json:"runtime_ms"`         // mean run time of a job in milliseconds: Horizon's own unit, so that its shares come out to the last bit
	OldestAge       Number `json:"oldest_age_seconds"` // of the oldest waiting job, or the known lower bound of it
}

// SubPool is the part of a pool that works one queue, or all of them under BalanceOff.
type SubPool struct {
	Name       string      `json:"sub_pool"`
	Queues     []QueueLoad `json:"queues"`
	Discovered bool        `json:"discovered"`    // found by a pattern: its minimum is 0
	Answered   bool        `json:"source_up"`     // the figures of Queues were read
	Wanted     int         `json:"wanted"`        // what the last decision desired
	Starting   int         `json:"starting"`      // booting, or waiting for their back-off to end
	Running    int         `json:"running"`       // able to take a job
	Stopping   int         `json:"stopping"`      // told to leave, and survivors of an earlier supervisor
	Busy       int         `json:"busy"`          // jobs being worked: by worker output, or the unexpired reservations; -1: not known
	Pace       Pace        `json:"pace,omitzero"` // from the last decision
}

// Observation is everything that a decision depends on. The caller fills it
// anew for every decision; nothing in it is changed.
type Observation struct {
	Now       time.Time `json:"now"`
	Rules     Rules     `json:"scaling_rules"`
	Balance   Balance   `json:"balance"`
	Strategy  Strategy  `json:"auto_scaling_strategy"`
	Bounds    Bounds    `json:"bounds"`
	SubPools  []SubPool `json:"sub_pools"` // in the configuration's order
	Paused    bool      `json:"paused"`
	Override  *Override `json:"override,omitempty"`
	LastScale time.Time `json:"last_scale,omitzero"` // Decision.LastScale of the last decision
	RaisedMax int       `json:"raised_max,omitzero"` // Decision.Max of Start; only Horizon's rules look at it
}

// Figures are the numbers behind a SubDecision.
type Figures struct {
	Ready           Number `json:"ready"`
	DelayedOverdue  Number `json:"delayed_overdue"`
	ReservedExpired Number `json:"reserved_expired"`
	Busy            int    `json:"busy"`               // -1: not known
	Stopping        int    `json:"stopping"`           //
	OldestAge       Number `json:"oldest_age_seconds"` //
	Load            Number `json:"load"`               // job milliseconds, or jobs by size: what max is shared by
	Share           Number `json:"share"`              // Horizon's rules: workers before rounding and limits
	Need            int    `json:"need"`               // workers that would find something to do, at most max
	Target          int    `json:"target"`             // where the sub-pool is heading within max
}

// SubDecision says how many workers a sub-pool is to have, and why.
type SubDecision struct {
	Name      string      `json:"sub_pool"`
	Wanted    int         `json:"wanted"`  // before
	Desired   int         `json:"desired"` // from now on; starting and running workers, without stopping ones
	Direction Direction   `json:"direction"`
	Reason    Reason      `json:"reason"`
	LimitedBy []LimitedBy `json:"limited_by,omitempty"` // why it is not Figures.Need, in the order of Limits
	Figures   Figures     `json:"figures"`
	Pace      Pace        `json:"-"` // to be handed back in SubPool.Pace
}

// Decision is the answer to an Observation.
type Decision struct {
	SubPools  []SubDecision `json:"sub_pools"` // in the observation's order
	Desired   int           `json:"desired"`   // sum over the sub-pools
	Max       int           `json:"max"`       // the max_processes that was applied
	LastScale time.Time     `json:"last_scale,omitzero"`
}

// Limited reports whether any sub-pool is limited by that.
func (d Decision) Limited(by LimitedBy) bool {
	return slices.ContainsFunc(d.SubPools, func(s SubDecision) bool { return slices.Contains(s.LimitedBy, by) })
}

// rulebook is one way to scale a pool: how it starts, and how it goes on.
type rulebook struct {
	start, decide func(*Observation) Decision
}

// rulebooks is the table of all of them.
var rulebooks = map[Balance]map[Rules]rulebook{
	BalanceAuto: {
		RulesMended:     {startMended(claimByNeed, atFloor), decideMended(claimByNeed)},
		RulesHorizon:    {startHorizon(middle), decideHorizon(wantShare)},
		RulesHorizon529: {startHorizon(highest), decideHorizon(wantShare)},
	},
	BalanceSimple: {
		RulesMended:     {startMended(claimEvenly, atTarget), decideMended(claimEvenly)},
		RulesHorizon:    {startHorizon(middle), decideHorizon(wantEven)},
		RulesHorizon529: {startHorizon(highest), decideHorizon(wantEven)},
	},
	BalanceOff: {
		RulesMended:     {startMended(claimByNeed, atFloor), decideMended(claimByNeed)},
		RulesHorizon:    {startHorizon(middle), decideHorizon(wantSize)},
		RulesHorizon529: {startHorizon(highest), decideHorizon(wantShare)},
	},
}

// CheckScaling reports what of a pool's scaling configuration has no rule book.
func CheckScaling(balance Balance, rules Rules, strategy Strategy) error {
	books, ok := rulebooks[balance]
	if !ok {
		return fmt.Errorf("balance %q is not one of %q", balance, slices.Sorted(maps.Keys(rulebooks)))
	}
	if _, ok := books[rules]; !ok {
		return fmt.Errorf("scaling_rules %q is not one of %q for balance %s", rules, slices.Sorted(maps.Keys(books)), balance)
	}
	if strategy != StrategyTime && strategy != StrategySize {
		return fmt.Errorf("auto_scaling_strategy %q is not one of %q", strategy, []Strategy{StrategySize, StrategyTime})
	}
	return nil
}

// Start decides with how many workers a pool begins. The wanted counts of the
// observation are not looked at. Horizon's rules may raise the pool's maximum
// for as long as it runs: the caller hands Decision.Max back as RaisedMax.
func Start(o Observation) Decision {
	book, ok := rulebooks[o.Balance][o.Rules]
	if !ok {
		return hold(&o, ReasonUnsupported)
	}
	return book.start(&o)
}

// Decide says how many workers each sub-pool is to have from now on. It may be
// called as often as there is something new to see; cooldowns are its own
// affair. A combination that CheckScaling refuses changes nothing.
func Decide(o Observation) Decision {
	book, ok := rulebooks[o.Balance][o.Rules]
	switch {
	case !ok:
		return hold(&o, ReasonUnsupported)
	case !o.Paused && o.overridden():
		return decideOverride(&o)
	}
	return book.decide(&o)
}

func (o *Observation) overridden() bool {
	return o.Override != nil && o.Now.Before(o.Override.Until)
}

// min is the least number of workers of sub-pool i.
func (o *Observation) min(i int) int {
	if o.SubPools[i].Discovered {
		return 0
	}
	return max(0, o.Bounds.Min)
}

// hold leaves every sub-pool as it is.
func hold(o *Observation, why Reason, limits ...LimitedBy) Decision {
	d := Decision{SubPools: make([]SubDecision, len(o.SubPools)), Max: o.Bounds.Max, LastScale: o.LastScale}
	for i, load := range measure(o) {
		d.SubPools[i] = o.sub(i, load)
		d.SubPools[i].settle(o.SubPools[i].Wanted, why)
		d.SubPools[i].LimitedBy = limits
		d.Desired += o.SubPools[i].Wanted
	}
	return d
}

// sub is the decision about sub-pool i before anything is decided.
func (o *Observation) sub(i int, l load) SubDecision {
	s := &o.SubPools[i]
	return SubDecision{
		Name: s.Name, Wanted: s.Wanted, Desired: s.Wanted, Direction: Stay, Reason: ReasonSteady, Pace: s.Pace,
		Figures: Figures{
			Ready: l.ready, DelayedOverdue: l.overdue, ReservedExpired: l.expired, OldestAge: l.age,
			Busy: s.Busy, Stopping: s.Stopping, Load: Number(l.weight), Share: Unknown(),
		},
	}
}

// settle fixes the outcome.
func (d *SubDecision) settle(desired int, why Reason) {
	d.Desired, d.Reason, d.Direction = desired, why, Stay
	switch {
	case desired > d.Wanted:
		d.Direction = Up
	case desired < d.Wanted:
		d.Direction = Down
	}
}
