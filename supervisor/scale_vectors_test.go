package supervisor

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// vectorFile is testdata/horizon-autoscale-vectors.json: what Horizon's own
// classes did when they were run.
type vectorFile struct {
	About   json.RawMessage `json:"about"`
	Live    json.RawMessage `json:"live_observations"`
	Initial []struct {
		Max      int   `json:"max"`
		Queues   int   `json:"queues"`
		Each     []int `json:"start_each"`
		MaxAfter int   `json:"max_after_start"`
	} `json:"initial"`
	Vectors []vector `json:"vectors"`
}

type vector struct {
	ID               int           `json:"id"`
	Note             string        `json:"note"`
	Balance          Balance       `json:"balance"`
	Strategy         Strategy      `json:"strategy"`
	Min              int           `json:"min"`
	Max              int           `json:"max"`
	Shift            int           `json:"shift"`
	Queues           []vectorQueue `json:"queues"`
	CurrentTotal     int           `json:"current_total"`     // balance off
	TerminatingTotal int           `json:"terminating_total"` // balance off
	Steps            int           `json:"steps"`
	Horizon529       vectorRun     `json:"horizon_5_29_1"`
	HorizonNewer     vectorRun     `json:"horizon_newer"`
}

type vectorQueue struct {
	Name        string  `json:"name"`
	Size        float64 `json:"size"`
	RuntimeMS   float64 `json:"runtime_ms"`
	Current     int     `json:"current"`
	Terminating int     `json:"terminating"`
}

type vectorRun struct {
	DesiredRaw       map[string]float64 `json:"desired_raw"`
	AfterActive      map[string]int     `json:"after_active"`
	AfterTerminating map[string]int     `json:"after_terminating"`
	SequenceActive   []map[string]int   `json:"sequence_active"`
	ReallyRun        bool               `json:"really_run"`
}

func readVectors(t testing.TB) vectorFile {
	t.Helper()
	file, err := os.Open("testdata/horizon-autoscale-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	// A key that is not looked at would be an expectation that is not checked.
	decoder.DisallowUnknownFields()
	var vectors vectorFile
	if err := decoder.Decode(&vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// epoch is when tests begin.
var epoch = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// observe turns a vector into the observation before its first step.
func (v *vector) observe(rules Rules) Observation {
	o := Observation{
		Now: epoch, Rules: rules, Balance: v.Balance, Strategy: v.Strategy,
		Bounds: Bounds{Min: v.Min, Max: v.Max, Shift: v.Shift, Cooldown: 3 * time.Second},
	}
	var off SubPool
	var names []string
	for _, q := range v.Queues {
		load := QueueLoad{
			Name: q.Name, Ready: Number(q.Size), RuntimeMS: Number(q.RuntimeMS),
			DelayedOverdue: Unknown(), ReservedExpired: Unknown(), OldestAge: Unknown(),
		}
		o.SubPools = append(o.SubPools, SubPool{
			Name: q.Name, Queues: []QueueLoad{load}, Answered: true, Busy: -1,
			Wanted: q.Current, Running: q.Current, Stopping: q.Terminating,
		})
		off.Queues = append(off.Queues, load)
		names = append(names, q.Name)
	}
	if v.Balance == BalanceOff {
		off.Name, off.Answered, off.Busy = strings.Join(names, ","), true, -1
		off.Wanted, off.Running, off.Stopping = v.CurrentTotal, v.CurrentTotal, v.TerminatingTotal
		o.SubPools = []SubPool{off}
	}
	return o
}

// step carries a decision out: workers told to leave keep running until the
// next step is over, new ones run at once.
func step(o *Observation, d Decision, stopping bool) {
	o.LastScale = d.LastScale
	for i := range o.SubPools {
		s, to := &o.SubPools[i], d.SubPools[i]
		s.Stopping = 0
		if stopping {
			s.Stopping = max(0, s.Wanted-to.Desired)
		}
		s.Wanted, s.Running, s.Pace = to.Desired, to.Desired, to.Pace
	}
	o.Now = o.Now.Add(o.Bounds.Cooldown)
}

func TestHorizonVectors(t *testing.T) {
	file := readVectors(t)
	if got := len(file.Vectors); got != 35 {
		t.Fatalf("the file has %d vectors, want 35", got)
	}
	ran := 0
	for _, v := range file.Vectors {
		for rules, want := range map[Rules]vectorRun{RulesHorizon529: v.Horizon529, RulesHorizon: v.HorizonNewer} {
			ran++
			t.Run(fmt.Sprintf("%d/%s", v.ID, rules), func(t *testing.T) { checkVector(t, v.observe(rules), v, want) })
		}
	}
	if ran != 2*len(file.Vectors) {
		t.Errorf("ran %d of %d columns", ran, 2*len(file.Vectors))
	}
}

func checkVector(t *testing.T, o Observation, v vector, want vectorRun) {
	if !want.ReallyRun || v.Steps < 1 || len(want.SequenceActive) != v.Steps || len(want.DesiredRaw) != len(o.SubPools) {
		t.Fatalf("incomplete vector: %d steps, %d in the sequence, %d raw", v.Steps, len(want.SequenceActive), len(want.DesiredRaw))
	}
	for n, active := range want.SequenceActive {
		d := Decide(o)
		got, leaving := map[string]int{}, map[string]int{}
		for i, s := range d.SubPools {
			got[s.Name] = s.Desired
			leaving[s.Name] = o.SubPools[i].Stopping + max(0, s.Wanted-s.Desired)
			if n == 0 && math.Abs(float64(s.Figures.Share)-want.DesiredRaw[s.Name]) > 1e-5 {
				t.Errorf("%s wants %v before rounding, Horizon %v", s.Name, s.Figures.Share, want.DesiredRaw[s.Name])
			}
		}
		if diff := cmp.Diff(active, got); diff != "" {
			t.Errorf("step %d of %q (-Horizon +ours):\n%s", n+1, v.Note, diff)
		}
		if n == 0 {
			if diff := cmp.Diff(want.AfterActive, got); diff != "" {
				t.Errorf("after the first step (-Horizon +ours):\n%s", diff)
			}
			if diff := cmp.Diff(want.AfterTerminating, leaving); diff != "" {
				t.Errorf("terminating after the first step (-Horizon +ours):\n%s", diff)
			}
		}
		// Workers that were terminating vanish before the next step; so do the
		// new ones, by the file's account.
		step(&o, d, false)
	}
}

func TestHorizonStarts(t *testing.T) {
	file := readVectors(t)
	if got := len(file.Initial); got != 7 {
		t.Fatalf("the file has %d starts, want 7", got)
	}
	start := func(rules Rules, least, most, queues int) ([]int, int) {
		o := Observation{Now: epoch, Rules: rules, Balance: BalanceAuto, Bounds: Bounds{Min: least, Max: most, Shift: 1}}
		o.SubPools = make([]SubPool, queues)
		d := Start(o)
		each := make([]int, queues)
		for i, s := range d.SubPools {
			each[i] = s.Desired
		}
		return each, d.Max
	}
	for _, v := range file.Initial {
		each, top := start(RulesHorizon529, 1, v.Max, v.Queues)
		if diff := cmp.Diff(v.Each, each); diff != "" || top != v.MaxAfter {
			t.Errorf("5.29.1, max %d, %d queues: max %d, want %d (-Horizon +ours):\n%s", v.Max, v.Queues, top, v.MaxAfter, diff)
		}
	}
	// Since 2025 the total is the middle between the bounds; the file gives
	// that rule in words.
	for _, c := range []struct {
		min, max, queues int
		each             []int
		top              int
	}{
		{1, 10, 1, []int{5}, 10},
		{1, 10, 2, []int{2, 2}, 10},
		{1, 10, 3, []int{1, 1, 1}, 10},
		{4, 10, 3, []int{2, 2, 2}, 10},
		{1, 3, 4, []int{0, 0, 0, 0}, 4},
		{1, 1, 2, []int{0, 0}, 2},
		{1, 10, 7, []int{0, 0, 0, 0, 0, 0, 0}, 10},
		{1, 0, 2, []int{0, 0}, 2},
	} {
		each, top := start(RulesHorizon, c.min, c.max, c.queues)
		if diff := cmp.Diff(c.each, each); diff != "" || top != c.top {
			t.Errorf("newer, %d to %d, %d queues: max %d, want %d (-Horizon +ours):\n%s", c.min, c.max, c.queues, top, c.top, diff)
		}
	}
}

// Horizon looks for workers of its own that an earlier supervisor left behind.
func TestHorizonStartCountsSurvivors(t *testing.T) {
	o := Observation{Now: epoch, Rules: RulesHorizon529, Balance: BalanceAuto, Bounds: Bounds{Min: 1, Max: 10}}
	o.SubPools = []SubPool{{Name: "a", Stopping: 3}, {Name: "b", Stopping: 1}}
	d := Start(o)
	if got := []int{d.SubPools[0].Desired, d.SubPools[1].Desired}; got[0] != 3 || got[1] != 3 {
		t.Errorf("with 4 survivors of 10: started %v, want [3 3]", got)
	}
}
