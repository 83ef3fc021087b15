package preset

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// laravelParser reads what queue:work tells of its jobs, in any of the forms
// that its versions have had: lines of JSON, the wide lines since 9.21, and
// the lines before that. A worker does one job at a time.
//
// Jobs may write anything in between, also without a newline at its end. They
// may run other jobs on the spot, which are told of in the same way, and are no
// jobs of a queue.
type laravelParser struct {
	now     func() time.Time
	current *running
	inner   []string // classes of the jobs that run within the current one
	skip    bool     // the line goes on that was too long
}

// running is a job that has begun.
type running struct {
	event JobEvent
	since time.Time
}

func newLaravelParser() Parser { return &laravelParser{now: time.Now} }

// Line implements Parser.
func (p *laravelParser) Line(l proc.Line) []JobEvent {
	piece := p.skip || l.More
	p.skip = l.More
	if piece {
		return nil // too long to be one of ours; what is long is a job's own text
	}
	text := strings.TrimRight(plain(l.Text), " \t")
	if text == "" {
		return nil
	}
	switch text[len(text)-1] {
	case '}':
		return p.json(text)
	case 'G', 'E', 'L':
		if events := p.wide(text); events != nil {
			return events
		}
	}
	return p.old(text)
}

// End implements Parser.
func (p *laravelParser) End(clean bool) []JobEvent {
	if p.current == nil {
		return nil
	}
	kind := JobLost
	if clean && p.current.event.Silent {
		kind = JobReleased
	}
	return p.finish(JobEvent{Kind: kind, Duration: Unknown, At: p.now()})
}

// begin notes a job's beginning, and what has become of the one before: until
// 9.20 nothing is written when a job is released since it failed.
func (p *laravelParser) begin(e JobEvent, silentRelease bool) []JobEvent {
	var events []JobEvent
	if p.current != nil && p.current.event.Silent {
		events = p.finish(JobEvent{Kind: JobReleased, Duration: Unknown, At: e.At})
	}
	e.Kind, e.Duration, e.Wait, e.Silent = JobStarted, Unknown, Unknown, silentRelease
	p.inner = nil
	p.current = &running{event: e, since: p.now()}
	return append(events, e)
}

// finish completes an event about the end of a job by what was told at its
// beginning. A job that has none is not counted: one that fails without an
// exception is told of as failed and as done.
func (p *laravelParser) finish(e JobEvent) []JobEvent {
	begun := p.current
	if begun == nil || (e.ID != "" && begun.event.ID != "" && e.ID != begun.event.ID) {
		return nil
	}
	p.current, p.inner = nil, nil
	e.Wait = Unknown
	if e.Job == "" {
		e.Job = begun.event.Job
	}
	if e.ID == "" {
		e.ID = begun.event.ID
	}
	if e.Queue == "" {
		e.Queue, e.Connection = begun.event.Queue, begun.event.Connection
	}
	// The silence lasts until the next job begins: it tells nothing.
	if e.Duration == Unknown && e.Kind != JobReleased {
		e.Duration = max(0, p.now().Sub(begun.since))
	}
	return []JobEvent{e}
}

// jsonLine is a line of queue:work --json.
type jsonLine struct {
	ID         looseText `json:"id"`
	UUID       looseText `json:"uuid"`
	Connection looseText `json:"connection"`
	Queue      looseText `json:"queue"`
	Job        looseText `json:"job"`
	Status     string    `json:"status"`
	Result     looseText `json:"result"`
	Timestamp  string    `json:"timestamp"`
	Duration   *float64  `json:"duration"` // seconds
}

// looseText is a text, and empty where something else stands in its place.
type looseText string

// UnmarshalJSON never fails.
func (t *looseText) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = looseText(short(s))
	}
	return nil
}

func (p *laravelParser) json(text string) []JobEvent {
	at := strings.Index(text, `{"level":`)
	if at < 0 {
		return nil
	}
	var l jsonLine
	if json.Unmarshal([]byte(text[at:]), &l) != nil || l.Job == "" || l.Connection == "sync" {
		return nil
	}
	e := JobEvent{
		Queue: string(l.Queue), Connection: string(l.Connection), Job: string(l.Job), ID: string(l.ID),
		Duration: Unknown, At: p.at(l.Timestamp),
	}
	if e.ID == "" {
		e.ID = string(l.UUID)
	}
	const longest = 1e9 // seconds; more is nonsense
	if d := l.Duration; d != nil && *d >= 0 && *d < longest {
		e.Duration = time.Duration(*d * float64(time.Second))
	}
	switch l.Status {
	case "starting":
		return p.begin(e, false)
	case "success":
		e.Kind = JobProcessed
		if l.Result == "released" {
			e.Kind = JobReleased // by itself
		}
	case "released_after_exception":
		e.Kind = JobReleased
	case "failed":
		e.Kind = JobFailed
	default:
		return nil
	}
	return p.finish(e)
}

// at is a line's own time, or the present where it tells none.
func (p *laravelParser) at(timestamp string) time.Time {
	if t, err := time.Parse(time.RFC3339, timestamp); err == nil {
		return t
	}
	return p.now()
}

var (
	// wideLine: time, class with what -v adds, dots, how long it ran, state.
	wideLine = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (\S.*?) (\.*) (?:(\d[\d.,]*ms|(?:\d+[a-z]+ )*\d+[a-z]+) )?(RUNNING|DONE|FAIL)$`)
	// oldLine: time, id, state, class.
	oldLine = regexp.MustCompile(`\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]\[([^\]]*)\] (Processing|Processed|Failed): +(\S.*)$`)
	jobID   = regexp.MustCompile(`^(?:[A-Za-z0-9]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
)

func (p *laravelParser) wide(text string) []JobEvent {
	m := wideLine.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	e := JobEvent{Duration: milliseconds(m[3]), At: p.now()}
	e.Job, e.ID, e.Connection, e.Queue = verbose(m[1])
	switch m[4] {
	case "RUNNING":
		if p.current != nil && len(p.inner) < maxInner {
			p.inner = append(p.inner, e.Job)
			return nil
		}
		return p.begin(e, false)
	case "DONE":
		e.Kind = JobProcessed
	default:
		e.Kind = JobFailed // or released: only the colour would tell
	}
	if last := len(p.inner) - 1; last >= 0 && p.inner[last] == e.Job {
		p.inner = p.inner[:last]
		return nil
	}
	return p.finish(e)
}

// maxInner bounds jobs within jobs. Beyond it an end has been overlooked.
const maxInner = 16

// verbose takes apart what -v adds to a class: the id and, in newer versions,
// connection and queue. A class may have spaces in it, as that of a closure.
func verbose(text string) (class, id, connection, queue string) {
	words := strings.Split(text, " ")
	for i, word := range words {
		if i == 0 || !jobID.MatchString(word) {
			continue
		}
		if len(words) == i+3 {
			connection, queue = short(words[i+1]), short(words[i+2])
		}
		return short(strings.Join(words[:i], " ")), word, connection, queue
	}
	return short(text), "", "", ""
}

// milliseconds reads a run time that is exact. Longer ones are rounded to
// words: our own clock is better.
func milliseconds(text string) time.Duration {
	digits, ok := strings.CutSuffix(strings.ReplaceAll(text, ",", ""), "ms")
	if !ok {
		return Unknown
	}
	ms, err := strconv.ParseFloat(digits, 64)
	if err != nil || ms < 0 || ms > 1e12 {
		return Unknown
	}
	return time.Duration(ms * float64(time.Millisecond))
}

func (p *laravelParser) old(text string) []JobEvent {
	m := oldLine.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	e := JobEvent{ID: short(m[1]), Job: short(m[3]), Duration: Unknown, At: p.now()}
	if e.ID == "" {
		return nil // run on the spot
	}
	switch m[2] {
	case "Processing":
		return p.begin(e, true)
	case "Processed":
		e.Kind = JobProcessed
	default:
		e.Kind = JobFailed
	}
	return p.finish(e)
}

// short bounds a name that an application gives.
func short(text string) string {
	const most = 200
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "")
	}
	return text
}
