package drill

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// appear is how long a fault may take until all of its alerts fire. Waits
	// are divided by haste, thresholds that are ages are not.
	appear = 3 * time.Minute
	// settle is how long nothing else may fire after that.
	settle = 15 * time.Second
	// vanish is how long alerts may take to resolve.
	vanish = 4 * time.Minute
)

// TestDrill goes through a calm day and a bad one.
func TestDrill(t *testing.T) {
	f := startFleet(t)
	f.calm()
	for _, fault := range faults() {
		t.Run(fault.name, func(t *testing.T) { f.suffer(t, fault) })
	}
	f.restful(t)
}

// calm waits for a quiet fleet and then wants data in every panel.
func (f *fleet) calm() {
	f.t.Helper()
	if !await(appear, func() bool { return len(f.firing(f.t)) == 0 && len(f.pending(f.t)) == 0 }) {
		f.t.Errorf("on a calm day these fire: %v, and these are about to: %v", keys(f.firing(f.t)), keys(f.pending(f.t)))
	}
	time.Sleep(2 * settle) // the first samples of the recordings of recordings
	f.wantData()
	if fires := f.firing(f.t); len(fires) > 0 {
		f.t.Errorf("on a calm day these fire: %v", keys(fires))
	}
}

// wantData asks every question of every dashboard, about all and about one
// application and connection after the other: each must be answered for one.
func (f *fleet) wantData() {
	f.t.Helper()
	allowed := mayBeEmpty(f.t)
	empty := f.empty(map[string]string{})
	for _, one := range []map[string]string{
		oneOfEach,
		{"application": "legacy", "connection": "store", "queue": "legacy"},
		{"connection": "replica"},
	} {
		less := f.empty(one)
		maps.DeleteFunc(empty, func(name string, _ bool) bool { return !less[name] })
	}
	for _, name := range keys(empty) {
		if !strings.Contains(name, annotation) && !allows(allowed, name) {
			f.t.Errorf("no data: %s", name)
		}
	}
}

// allows reports whether a question is on the list: itself or its panel.
func allows(list map[string]string, name string) bool {
	panel := name[:strings.LastIndex(name, " / ")]
	return list[name] != "" || list[panel] != ""
}

// suffer breaks one thing, compares what fires and what is told with what was
// written down, mends it and waits for the end.
func (f *fleet) suffer(t *testing.T, fault fault) {
	f.hooks.forget()
	fault.do(t, f)
	fires, told := set(fault.fires), set(fault.told)
	if !await(appear, func() bool { return covers(f.firing(t), fires) && covers(f.hooks.with("firing"), told) }) {
		t.Errorf("of %v only %v fire; of %v only %v were told", fault.fires, keys(f.firing(t)), fault.told, keys(f.hooks.with("firing")))
	}
	time.Sleep(settle)
	for _, extra := range beyond(f.firing(t), fires, fault.may) {
		t.Errorf("fires as well: %s", extra)
	}
	for _, extra := range beyond(f.hooks.with("firing"), told, fault.mayTell) {
		t.Errorf("told as well: %s", extra)
	}
	fault.undo(t, f)
	if !await(vanish, func() bool { return len(f.firing(t)) == 0 }) {
		t.Errorf("after mending these still fire: %v", keys(f.firing(t)))
	}
	if !await(vanish, func() bool { return len(f.hooks.with("firing")) == 0 }) {
		t.Errorf("never told to be over: %v", keys(f.hooks.with("firing")))
	}
}

// restful wants a fleet that is as calm after the bad day as before.
func (f *fleet) restful(t *testing.T) {
	t.Helper()
	if fires := f.firing(t); len(fires) > 0 {
		t.Errorf("at the end of the day these fire: %v", keys(fires))
	}
}

// firing are the alerts that fire now, without the watchdog, which always does,
// and without the slow burns of the error budget: their windows of days remember
// the whole drill. The rule tests are about those.
func (f *fleet) firing(t testing.TB) map[string]bool { return f.alerts(t, "firing") }

func (f *fleet) pending(t testing.TB) map[string]bool { return f.alerts(t, "pending") }

func (f *fleet) alerts(t testing.TB, state string) map[string]bool {
	t.Helper()
	var got struct {
		Data struct {
			Alerts []struct {
				Labels map[string]string
				State  string
			}
		}
	}
	getJSON(t, "http://"+f.prometheus.addr+"/api/v1/alerts", &got)
	found := map[string]bool{}
	for _, a := range got.Data.Alerts {
		if a.State == state && !remembers(a.Labels) {
			found[title(a.Labels)] = true
		}
	}
	return found
}

// remembers reports whether an alert is the watchdog or one whose window of
// hours or days holds more than one fault.
func remembers(labels map[string]string) bool {
	return labels["alertname"] == "QueuefleetWatchdog" || slices.Contains([]string{"1d", "3d", "6h"}, labels["long"])
}

// covers reports whether all of want are in got.
func covers(got, want map[string]bool) bool {
	for name := range want {
		if !got[name] {
			return false
		}
	}
	return true
}

// beyond are those of got that are neither wanted nor begin like one of may.
func beyond(got, wanted map[string]bool, may []string) []string {
	var extra []string
	for name := range got {
		_, alert, toldOf := strings.Cut(name, " ")
		if !toldOf {
			alert = name
		}
		if !wanted[name] && !slices.ContainsFunc(may, func(m string) bool { return strings.HasPrefix(alert, m) }) {
			extra = append(extra, name)
		}
	}
	slices.Sort(extra)
	return extra
}

func set(names []string) map[string]bool {
	s := map[string]bool{}
	for _, n := range names {
		s[n] = true
	}
	return s
}

func keys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
