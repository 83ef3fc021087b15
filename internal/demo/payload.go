package demo

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// form is what a payload says about its own age, which depends on the
// application's Laravel version.
type form int

const (
	formOlder   form = iota // before 12.11: nothing
	formNewer               // since 12.11: createdAt
	formHorizon             // any version with Horizon: pushedAt
)

// payload is a job as Laravel writes it into a queue.
type payload struct {
	UUID          string      `json:"uuid"`
	DisplayName   string      `json:"displayName"`
	Job           string      `json:"job"`
	MaxTries      *int        `json:"maxTries"`
	MaxExceptions *int        `json:"maxExceptions"`
	FailOnTimeout bool        `json:"failOnTimeout"`
	Backoff       *string     `json:"backoff"`
	Timeout       *int        `json:"timeout"`
	RetryUntil    *int64      `json:"retryUntil"`
	Data          payloadData `json:"data"`
	CreatedAt     *int64      `json:"createdAt,omitempty"`
	Type          string      `json:"type,omitempty"`
	Tags          []string    `json:"tags,omitempty"`
	PushedAt      string      `json:"pushedAt,omitempty"`
	ID            string      `json:"id"`
	Attempts      int         `json:"attempts"`
}

type payloadData struct {
	CommandName string `json:"commandName"`
	Command     string `json:"command"`
}

// maker makes payloads. The same seed makes the same jobs.
type maker struct {
	rand   *rand.Rand
	number int
}

func newMaker(seed uint64) *maker {
	return &maker{rand: rand.New(rand.NewPCG(seed, 0))}
}

// make returns a job of class, made at the given time, and its id.
func (m *maker) make(class string, f form, at time.Time) (id, text string) {
	m.number++
	uuid := m.uuid()
	p := payload{
		UUID: uuid, DisplayName: class, Job: `Illuminate\Queue\CallQueuedHandler@call`, ID: m.hex(16),
		Data: payloadData{CommandName: class, Command: fmt.Sprintf(`O:%d:"%s":1:{s:2:"id";i:%d;}`, len(class), class, m.number)},
	}
	switch f {
	case formNewer:
		p.CreatedAt = new(at.Unix())
	case formHorizon:
		p.ID, p.Type = uuid, "job"
		p.Tags = []string{class + ":" + strconv.Itoa(m.number)}
		p.PushedAt = strconv.FormatFloat(float64(at.UnixMicro())/1e6, 'f', 4, 64)
	case formOlder:
	}
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of plain fields
	}
	return uuid, string(raw)
}

func (m *maker) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.rand.Uint32())
	}
	return hex.EncodeToString(b)
}

func (m *maker) uuid() string {
	h := m.hex(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// raiseAttempts returns text with one attempt more, which is what Laravel does
// when a worker takes the job.
func raiseAttempts(text string) string {
	const key = `"attempts":`
	at := strings.LastIndex(text, key)
	if at < 0 {
		return text
	}
	rest := text[at+len(key):]
	end := strings.IndexAny(rest, ",}")
	n, err := strconv.Atoi(rest[:max(end, 0)])
	if err != nil {
		return text
	}
	return text[:at+len(key)] + strconv.Itoa(n+1) + rest[end:]
}
