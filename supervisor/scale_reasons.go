package supervisor

import (
	"fmt"
	"strconv"
	"strings"
)

// Direction is where a decision moves a sub-pool.
type Direction string

// Up and Down are the values of the label direction; Stay is no event.
const (
	Up   Direction = "up"
	Down Direction = "down"
	Stay Direction = "stay"
)

// Directions lists the values of the label direction.
func Directions() []Direction { return []Direction{Up, Down} }

// Reason is why a sub-pool is to have the workers it is to have.
type Reason string

// Reasons that move a sub-pool.
const (
	ReasonStart  Reason = "start"  // the pool begins
	ReasonDemand Reason = "demand" // jobs wait
	ReasonIdle   Reason = "idle"   // fewer jobs than workers
	ReasonShare  Reason = "share"  // the maximum is short and another sub-pool is due the place
	ReasonSplit  Reason = "split"  // balance simple: an even part of the maximum
	ReasonMin    Reason = "min"    // below the minimum
	ReasonMax    Reason = "max"    // the sum was above the maximum
	ReasonManual Reason = "manual" // an operator's order
	ReasonQuirk  Reason = "quirk"  // Horizon's arithmetic moves against the demand, because it counts stopping workers as active ones
)

// Reasons that leave it.
const (
	ReasonSteady      Reason = "steady"      // it has what it should have, or a limit holds it
	ReasonCooldown    Reason = "cooldown"    // Horizon's rules: not their time yet; what the last run said of limits still holds
	ReasonSource      Reason = "source"      // the source did not answer
	ReasonPaused      Reason = "paused"      //
	ReasonUnsupported Reason = "unsupported" // no rule book for this configuration
)

// EventReasons lists the values of the label reason of scale_events_total.
func EventReasons() []Reason {
	return []Reason{
		ReasonStart, ReasonDemand, ReasonIdle, ReasonShare, ReasonSplit,
		ReasonMin, ReasonMax, ReasonManual, ReasonQuirk,
	}
}

// LimitedBy is what keeps a sub-pool from the number of workers it needs. The
// minimum is not among them: every pool at rest would be limited for ever.
type LimitedBy string

// The values of the label reason of scale_limited.
const (
	LimitMax      LimitedBy = "max"      // max_processes is shared out
	LimitShift    LimitedBy = "shift"    // balance_max_shift allows a part of the step
	LimitCooldown LimitedBy = "cooldown" // the shift of this balance_cooldown is used up, or a shrink waits for one without need
	LimitStopping LimitedBy = "stopping" // workers that are leaving still hold places
	LimitBusy     LimitedBy = "busy"     // workers without waiting jobs finish the ones they have
	LimitSource   LimitedBy = "source"   // the source did not answer
	LimitPaused   LimitedBy = "paused"   //
	LimitManual   LimitedBy = "manual"   // an operator's order holds
)

// Limits lists all of them, in the order in which decisions name them.
func Limits() []LimitedBy {
	return []LimitedBy{
		LimitMax, LimitShift, LimitCooldown, LimitStopping,
		LimitBusy, LimitSource, LimitPaused, LimitManual,
	}
}

// sentences says each reason so that it can follow a "because".
var sentences = map[Reason]string{
	ReasonStart:       "the pool starts",
	ReasonDemand:      "jobs wait",
	ReasonIdle:        "there are fewer jobs than workers",
	ReasonShare:       "the maximum is short and another queue is due the place",
	ReasonSplit:       "this is its even part of the maximum",
	ReasonMin:         "that is the minimum",
	ReasonMax:         "the pool has more than its maximum",
	ReasonManual:      "an operator ordered it",
	ReasonQuirk:       "Horizon counts workers that are leaving as if they stayed",
	ReasonSteady:      "nothing has to change now",
	ReasonCooldown:    "the cooldown has not passed",
	ReasonSource:      "the source did not answer",
	ReasonPaused:      "the pool is paused",
	ReasonUnsupported: "there are no rules for this balance",
}

// Sentence tells the decision to a person, with the figures it was made from.
func (d SubDecision) Sentence() string {
	var b strings.Builder
	if d.Direction == Stay {
		fmt.Fprintf(&b, "%s stays at %d", d.Name, d.Desired)
	} else {
		fmt.Fprintf(&b, "%s goes from %d to %d", d.Name, d.Wanted, d.Desired)
	}
	fmt.Fprintf(&b, " because %s: %s", sentences[d.Reason], d.Figures)
	if len(d.LimitedBy) > 0 {
		limits := make([]string, len(d.LimitedBy))
		for i, l := range d.LimitedBy {
			limits[i] = string(l)
		}
		fmt.Fprintf(&b, "; limited by %s", strings.Join(limits, ", "))
	}
	return b.String()
}

// String lists what is known of the figures.
func (f Figures) String() string {
	parts := []string{}
	add := func(n Number, what string) {
		if n.Known() {
			parts = append(parts, strconv.FormatFloat(float64(n), 'f', -1, 64)+" "+what)
		}
	}
	add(f.Ready, "ready")
	add(f.DelayedOverdue, "delayed and overdue")
	add(f.ReservedExpired, "with an expired reservation")
	if f.Busy >= 0 {
		parts = append(parts, fmt.Sprintf("%d busy", f.Busy))
	}
	if f.Stopping > 0 {
		parts = append(parts, fmt.Sprintf("%d stopping", f.Stopping))
	}
	if f.OldestAge.Known() {
		parts = append(parts, fmt.Sprintf("oldest job %.1f s", float64(f.OldestAge)))
	}
	if f.Share.Known() {
		parts = append(parts, fmt.Sprintf("share %.2f", float64(f.Share)))
	}
	return strings.Join(append(parts, fmt.Sprintf("needs %d, target %d", f.Need, f.Target)), ", ")
}
