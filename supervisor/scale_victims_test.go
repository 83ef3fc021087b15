package supervisor

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVictims(t *testing.T) {
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	for _, c := range []struct {
		name    string
		workers []Candidate
		n       int
		want    []int
	}{
		{"nobody", nil, 3, []int{}},
		{"none asked for", []Candidate{{Started: at(1)}}, 0, []int{}},
		{"fewer than none", []Candidate{{Started: at(1)}}, -1, []int{}},
		{"idle, then unclear", []Candidate{{Activity: Unclear, Started: at(1)}, {Activity: Idle, Started: at(9)}}, 2, []int{1, 0}},
		{"busy never", []Candidate{{Activity: Busy, Started: at(1)}, {Activity: Busy, Started: at(2)}, {Started: at(3)}}, 3, []int{2}},
		{"older generation first", []Candidate{{Generation: 2, Started: at(1)}, {Generation: 1, Started: at(5)}}, 1, []int{1}},
		{"but not before an idle one", []Candidate{{Activity: Unclear, Generation: 1}, {Generation: 2}}, 1, []int{1}},
		{"booting before ready", []Candidate{{Started: at(1)}, {Booting: true, Started: at(9)}}, 1, []int{1}},
		{"the old generation before a booting new one", []Candidate{{Generation: 2, Booting: true}, {Generation: 1}}, 1, []int{1}},
		{"then the oldest", []Candidate{{Started: at(5)}, {Started: at(2)}, {Started: at(3)}}, 2, []int{1, 2}},
		{"equal: in their order", []Candidate{{}, {}, {}}, 2, []int{0, 1}},
	} {
		if diff := cmp.Diff(c.want, Victims(c.workers, c.n)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestVictimsProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		workers := make([]Candidate, r.IntN(10))
		free := 0
		for i := range workers {
			workers[i] = Candidate{Activity(r.IntN(3)), r.IntN(4) == 0, r.IntN(3), epoch.Add(time.Duration(r.IntN(5)) * time.Second)}
			if workers[i].Activity != Busy {
				free++
			}
		}
		n := r.IntN(12)
		got := Victims(workers, n)
		if len(got) != min(n, free) {
			t.Fatalf("%d of %d free ones asked, %d chosen", n, free, len(got))
		}
		chosen := map[int]bool{}
		for _, i := range got {
			if chosen[i] || workers[i].Activity == Busy {
				t.Fatalf("chose %v of %+v", got, workers)
			}
			chosen[i] = true
		}
		for i, w := range workers {
			if w.Activity == Idle && !chosen[i] && len(got) > 0 && workers[got[len(got)-1]].Activity == Unclear {
				t.Fatalf("idle worker %d stays, an unclear one leaves: %v of %+v", i, got, workers)
			}
		}
	}
}
