package supervisor

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllocate(t *testing.T) {
	nan := Unknown()
	for _, c := range []struct {
		name   string
		places int
		claims []Claim
		want   []int
	}{
		{"nobody asks", 10, nil, []int{}},
		{"no places", 0, []Claim{{Need: 3, Weight: 1}}, []int{0}},
		{"fewer than none", -3, []Claim{{Floor: 3}}, []int{0}},
		{"enough for all", 10, []Claim{{Need: 3, Weight: 1}, {Need: 4, Weight: 9}}, []int{3, 4}},
		{"by load", 10, []Claim{{Need: 99, Weight: 900}, {Need: 99, Weight: 100}}, []int{9, 1}},
		{"one each before a second", 3, []Claim{{Need: 9, Weight: 1e6}, {Need: 9, Weight: 1}, {Need: 9, Weight: 1}}, []int{1, 1, 1}},
		{"oldest first", 2, []Claim{{Need: 1, Weight: 9, Age: 5}, {Need: 1, Weight: 1, Age: 7}, {Need: 1, Weight: 1, Age: 6}}, []int{0, 1, 1}},
		{"unknown age is youngest", 1, []Claim{{Need: 1, Weight: 9, Age: nan}, {Need: 1, Weight: 1, Age: 0}}, []int{0, 1}},
		{"equal: in their order", 2, []Claim{{Need: 1, Age: nan}, {Need: 1, Age: nan}, {Need: 1, Age: nan}}, []int{1, 1, 0}},
		{"floors before needs", 4, []Claim{{Need: 9, Weight: 1e9, Age: 99}, {Floor: 3}}, []int{1, 3}},
		{"floors that do not fit grow evenly, oldest first", 4, []Claim{{Floor: 2}, {Floor: 2}, {Floor: 2, Age: 1}}, []int{1, 1, 2}},
		{"busy before needs", 4, []Claim{{Need: 9, Weight: 9, Age: 99}, {Keep: 3}}, []int{1, 3}},
		{"needs before what is only held", 4, []Claim{{Need: 3, Weight: 1}, {Hold: 4}}, []int{3, 1}},
		{"weightless needs are served", 3, []Claim{{Need: 2}, {Need: 2}}, []int{2, 1}},
	} {
		if diff := cmp.Diff(c.want, Allocate(c.places, c.claims)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// randomClaims are small, so that ties and shortages are frequent.
func randomClaims(r *rand.Rand) []Claim {
	claims := make([]Claim, r.IntN(12))
	for i := range claims {
		c := Claim{Need: r.IntN(6), Weight: float64(r.IntN(4)) * 10, Age: Number(r.IntN(5))}
		if r.IntN(3) == 0 {
			c.Floor, c.Keep, c.Hold = r.IntN(3), r.IntN(4), r.IntN(7)
		}
		if r.IntN(5) == 0 {
			c.Age = Unknown()
		}
		claims[i] = c
	}
	return claims
}

func TestAllocateProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	starved := 0
	for range 2000 {
		claims, places := randomClaims(r), r.IntN(25)
		got := Allocate(places, claims)
		sum := 0
		for i, n := range got {
			sum += n
			if c := claims[i]; n < 0 || n > max(c.Floor, c.Keep, c.Need, c.Hold) {
				t.Fatalf("claim %d gets %d of %+v", i, n, c)
			}
		}
		if sum > places {
			t.Fatalf("%d places, but %v", places, got)
		}
		if !slices.Equal(got, Allocate(places, claims)) {
			t.Fatal("the same claims got another answer")
		}
		for i, n := range Allocate(places+1, claims) {
			if n < got[i] {
				t.Fatalf("one place more leaves claim %d with %d instead of %d: %+v", i, n, got[i], claims)
			}
		}
		starved += checkStarvation(t, claims, got)
		checkMonotone(t, r, places, claims, got)
	}
	if starved == 0 {
		t.Error("no case was short of places: the test shows nothing")
	}
}

// checkStarvation: whoever goes without waits no longer than anybody who was
// given a worker only because of a need.
func checkStarvation(t *testing.T, claims []Claim, got []int) (starved int) {
	t.Helper()
	for i, c := range claims {
		if got[i] > 0 || c.Need == 0 {
			continue
		}
		starved++
		for j, other := range claims {
			if got[j] > 0 && other.Floor == 0 && other.Keep == 0 && other.Age < c.Age {
				t.Fatalf("claim %d waits %v s without a worker, claim %d has %d after %v s", i, c.Age, j, got[j], other.Age)
			}
		}
	}
	return starved
}

// checkMonotone: who waits longer, has more load or needs more never gets less for it.
func checkMonotone(t *testing.T, r *rand.Rand, places int, claims []Claim, got []int) {
	t.Helper()
	if len(claims) == 0 {
		return
	}
	i := r.IntN(len(claims))
	for what, raise := range map[string]func(*Claim){
		"age":    func(c *Claim) { c.Age = max(c.Age, 0) + 3 },
		"weight": func(c *Claim) { c.Weight += 15 },
		"need":   func(c *Claim) { c.Need++ },
		"floor":  func(c *Claim) { c.Floor++ },
	} {
		more := slices.Clone(claims)
		if !more[i].Age.Known() {
			more[i].Age = -1
		}
		raise(&more[i])
		if n := Allocate(places, more)[i]; n < got[i] {
			t.Fatalf("more %s leaves claim %d with %d instead of %d: %+v", what, i, n, got[i], claims)
		}
	}
}

func TestStartable(t *testing.T) {
	b := Bounds{Max: 5, MaxSurge: 1}
	for _, c := range []struct {
		name  string
		rules Rules
		subs  []Occupancy
		want  []int
	}{
		{"nothing is missing", RulesMended, []Occupancy{{Desired: 2, Active: 2}, {Desired: 1, Active: 3}}, []int{0, 0}},
		{"all fit", RulesMended, []Occupancy{{Desired: 2}, {Desired: 3, Active: 1}}, []int{2, 2}},
		{"stopping ones hold places", RulesMended, []Occupancy{{Desired: 3, Stopping: 4}, {Desired: 2}}, []int{1, 1}},
		{"the oldest first", RulesMended, []Occupancy{{Desired: 3, Stopping: 5, Age: 1}, {Desired: 2, Age: 2}}, []int{0, 1}},
		{"too many already", RulesMended, []Occupancy{{Desired: 3, Active: 1, Stopping: 9}}, []int{0}},
		{"Horizon does not count", RulesHorizon, []Occupancy{{Desired: 3, Active: 1, Stopping: 9}}, []int{2}},
	} {
		if diff := cmp.Diff(c.want, Startable(c.rules, b, c.subs)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func BenchmarkAllocate(b *testing.B) {
	claims := make([]Claim, 1000)
	for i := range claims {
		claims[i] = Claim{Need: 500, Weight: float64(i * 37 % 1000), Age: Number(i * 91 % 600)}
	}
	for b.Loop() {
		Allocate(500, claims)
	}
}
