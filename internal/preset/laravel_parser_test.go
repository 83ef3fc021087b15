package preset

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// read has a parser read text, with a second between lines.
func read(text string, clean bool) []JobEvent {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	p := &laravelParser{now: func() time.Time { return now }}
	var events []JobEvent
	for line := range strings.Lines(text) {
		events = append(events, p.Line(proc.Line{Stream: "output", Text: strings.TrimSuffix(line, "\n")})...)
		now = now.Add(time.Second)
	}
	return append(events, p.End(clean)...)
}

// told is a JobEvent without its time, for short tables.
type told struct {
	Kind           EventKind
	Job, ID, Queue string
	Duration       time.Duration
}

func tell(events []JobEvent) []told {
	var all []told
	for _, e := range events {
		all = append(all, told{e.Kind, e.Job, e.ID, e.Queue, e.Duration})
	}
	return all
}

const (
	work = `App\Jobs\Work`
	idA  = "pJ0gVdCVsD5sVyjEGkw3bjhWeLkjRUWA"
	idB  = "c799d1a2-0c33-4f9e-9a53-000000000001"
)

func TestLaravelOutput(t *testing.T) {
	started := func(id, queue string) told { return told{JobStarted, work, id, queue, Unknown} }
	cases := map[string]struct {
		text  string
		clean bool
		want  []told
	}{
		"8.x": {
			text: "[2026-11-26 12:00:00][" + idA + "] Processing: App\\Jobs\\Work\n" +
				"hello from the job\n" +
				"[2026-11-26 12:00:01][" + idA + "] Processed:  App\\Jobs\\Work\n" +
				"[2026-11-26 12:00:01][" + idB + "] Processing: App\\Jobs\\Work\n" +
				"[2026-11-26 12:00:01][" + idB + "] Failed:     App\\Jobs\\Work\n",
			want: []told{
				started(idA, ""), {JobProcessed, work, idA, "", 2 * time.Second},
				started(idB, ""), {JobFailed, work, idB, "", time.Second},
			},
		},
		"8.x, released since it failed, which is not told": {
			text: "[2026-11-26 12:00:00][" + idA + "] Processing: App\\Jobs\\Work\n" +
				"[2026-11-26 12:00:05][" + idB + "] Processing: App\\Jobs\\Work\n",
			clean: true,
			want: []told{
				started(idA, ""), {JobReleased, work, idA, "", Unknown},
				started(idB, ""), {JobReleased, work, idB, "", Unknown},
			},
		},
		"8.x, killed": {
			text: "[2026-11-26 12:00:00][" + idA + "] Processing: App\\Jobs\\Work\n",
			want: []told{started(idA, ""), {JobLost, work, idA, "", time.Second}},
		},
		"8.x, a job runs another on the spot and fails without an exception": {
			text: "[2026-11-26 12:00:00][" + idA + "] Processing: App\\Jobs\\Work\n" +
				"[2026-11-26 12:00:00][] Processing: App\\Jobs\\Inner\n" +
				"[2026-11-26 12:00:00][] Processed:  App\\Jobs\\Inner\n" +
				"[2026-11-26 12:00:01][" + idA + "] Failed:     App\\Jobs\\Work\n" +
				"[2026-11-26 12:00:01][" + idA + "] Processed:  App\\Jobs\\Work\n",
			want: []told{started(idA, ""), {JobFailed, work, idA, "", 3 * time.Second}},
		},
		"8.x in colours": {
			text: "\x1b[33m[2026-11-26 12:00:00][" + idA + "] Processing:\x1b[39m App\\Jobs\\Work\n" +
				"\uFFFD[32m[2026-11-26 12:00:01][" + idA + "] Processed: \uFFFD[39m App\\Jobs\\Work\n",
			want: []told{started(idA, ""), {JobProcessed, work, idA, "", time.Second}},
		},
		"9.21": {
			text: "\n   INFO  Processing jobs from the [default] queue.  \n\n" +
				"  2026-11-26 12:00:00 App\\Jobs\\Work ............................... RUNNING\n" +
				"no newline at the end  2026-11-26 12:00:00 App\\Jobs\\Work .......................... 1,012.34ms DONE\n" +
				"  2026-11-26 12:00:01 Closure (web.php:12) ..................... RUNNING\n" +
				"  2026-11-26 12:00:03 Closure (web.php:12) ................ 1s 200ms FAIL\n" +
				"  2026-11-26 12:00:03 App\\Jobs\\AVeryLongNameThatLeavesNoRoomForDotsAtAllOnTheLine  RUNNING\n",
			want: []told{
				started("", ""), {JobProcessed, work, "", "", 1012340 * time.Microsecond},
				{JobStarted, "Closure (web.php:12)", "", "", Unknown}, {JobFailed, "Closure (web.php:12)", "", "", time.Second},
				{JobStarted, `App\Jobs\AVeryLongNameThatLeavesNoRoomForDotsAtAllOnTheLine`, "", "", Unknown},
				{JobLost, `App\Jobs\AVeryLongNameThatLeavesNoRoomForDotsAtAllOnTheLine`, "", "", time.Second},
			},
		},
		"11 with -v": {
			text: "  2026-11-26 12:00:00 App\\Jobs\\Work " + idB + " redis high ... RUNNING\n" +
				"  2026-11-26 12:00:00 App\\Jobs\\Work " + idB + " redis high ... 5.10ms DONE\n",
			want: []told{started(idB, "high"), {JobProcessed, work, idB, "high", 5100 * time.Microsecond}},
		},
		"9.21 with -v": {
			text: "  2026-11-26 12:00:00 App\\Jobs\\Work " + idA + " ... RUNNING\n" +
				"  2026-11-26 12:00:00 App\\Jobs\\Work " + idA + " ... 5.10ms DONE\n",
			want: []told{started(idA, ""), {JobProcessed, work, idA, "", 5100 * time.Microsecond}},
		},
		"9.21, a job runs another on the spot and fails without an exception": {
			text: "  2026-11-26 12:00:00 App\\Jobs\\Work ... RUNNING\n" +
				"  2026-11-26 12:00:00 App\\Jobs\\Inner ... RUNNING\n" +
				"  2026-11-26 12:00:00 App\\Jobs\\Inner ... 1.00ms DONE\n" +
				"  2026-11-26 12:00:00 App\\Jobs\\Work ... 7.00ms FAIL\n" +
				"  2026-11-26 12:00:00 App\\Jobs\\Work ... 8.00ms DONE\n",
			want: []told{started("", ""), {JobFailed, work, "", "", 7 * time.Millisecond}},
		},
		"JSON": {
			text: `{"level":"info","id":"` + idB + `","uuid":"u","connection":"redis","queue":"default","job":"App\\Jobs\\Work","status":"starting","attempts":1,"timestamp":"2026-11-21T23:27:19.947510+00:00"}` + "\n" +
				`{"level":"info","id":"","connection":"sync","queue":"sync","job":"App\\Jobs\\Inner","status":"starting"}` + "\n" +
				`text {"level":"info","id":"` + idB + `","connection":"redis","queue":"default","job":"App\\Jobs\\Work","status":"success","result":"deleted","attempts":1,"timestamp":"2026-11-21T23:27:19.958798+00:00","duration":0.011288}` + "\n" +
				`{"level":"info","id":7,"connection":"redis","queue":"low","job":"App\\Jobs\\Work","status":"starting"}` + "\n" +
				`{"level":"warning","id":7,"connection":"redis","queue":"low","job":"App\\Jobs\\Work","status":"released_after_exception","result":"released","attempts":1,"duration":0.5}` + "\n" +
				`{"level":"info","id":"x","connection":"redis","queue":"low","job":"App\\Jobs\\Work","status":"starting"}` + "\n" +
				`{"level":"warning","id":"x","connection":"redis","queue":"low","job":"App\\Jobs\\Work","status":"failed","result":"deleted","attempts":2,"exception":"RuntimeException","message":"asked to fail 0","duration":1}` + "\n" +
				`{"level":"warning","queue":"low","status":"paused","timestamp":"2026-11-21T23:27:19.958798+00:00"}` + "\n" +
				`{"level":"info","id":"y","connection":"redis","queue":"low","job":"App\\Jobs\\Work","status":"starting"}` + "\n",
			clean: true,
			want: []told{
				started(idB, "default"), {JobProcessed, work, idB, "default", 11288 * time.Microsecond},
				started("", "low"), {JobReleased, work, "", "low", 500 * time.Millisecond},
				started("x", "low"), {JobFailed, work, "x", "low", time.Second},
				started("y", "low"), {JobLost, work, "y", "low", time.Second},
			},
		},
		"nothing of a worker": {
			text: "DONE\n{}\n{\"level\":\"info\"}\n{\"level\":[}\n" +
				"2026-11-26 DONE\n[2026-11-26 12:00:00][x] Processed:  App\\Jobs\\Work\n  2026-11-26 12:00:00 App\\Jobs\\Work ... 8.00ms DONE\n",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, tell(read(c.text, c.clean))); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestLaravelOutputTime(t *testing.T) {
	events := read(`{"level":"info","id":"a","connection":"redis","queue":"q","job":"J","status":"starting","timestamp":"2026-11-21T23:27:19.947510+00:00"}`, false)
	if len(events) != 2 || !events[0].At.Equal(time.Date(2026, 11, 21, 23, 27, 19, 947510000, time.UTC)) ||
		events[0].Connection != "redis" || events[0].Wait != Unknown || events[1].Wait != Unknown {
		t.Errorf("events are %+v", events)
	}
}

// Pieces of a line that is too long are nobody's, whatever they look like.
func TestLaravelOutputInPieces(t *testing.T) {
	p := newLaravelParser()
	line := "[2026-11-26 12:00:00][" + idA + "] Processing: App\\Jobs\\Work"
	for _, l := range []proc.Line{{Text: line, More: true}, {Text: line, More: true}, {Text: line}} {
		if events := p.Line(l); events != nil {
			t.Errorf("a piece tells %v", events)
		}
	}
	if events := p.Line(proc.Line{Text: line}); len(events) != 1 {
		t.Errorf("the next line tells %v", events)
	}
}

func FuzzLaravelOutput(f *testing.F) {
	for _, text := range []string{
		"[2026-11-26 12:00:00][" + idA + "] Processing: A\n[2026-11-26 12:00:00][" + idA + "] Processed:  A\n",
		"  2026-11-26 12:00:00 A " + idA + " redis high ... RUNNING\n  2026-11-26 12:00:00 A ... 1.5ms FAIL\n",
		`{"level":"info","id":1,"job":"A","queue":"q","status":"starting"}` + "\n" + `{"level":"info","job":"A","status":"failed","duration":1e99}`,
		"\x1b[33m\uFFFD[", "2026-11-26 12:00:00 A ... 9,9,9.9.9ms DONE",
	} {
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, clean bool) {
		begun := 0
		for _, e := range read(text, clean) {
			switch e.Kind {
			case JobStarted:
				begun++
			case JobProcessed, JobReleased, JobFailed, JobLost:
				begun--
			default:
				t.Fatalf("kind %q", e.Kind)
			}
			if begun < 0 {
				t.Fatal("a job ends that has not begun")
			}
			if e.Wait != Unknown || (e.Duration < 0 && e.Duration != Unknown) || e.At.IsZero() || e.Job == "" || len(e.Job)+len(e.Queue)+len(e.ID) > 700 {
				t.Fatalf("%+v", e)
			}
		}
	})
}
