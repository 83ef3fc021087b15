package horizon

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// How long Horizon itself believes a record.
const (
	masterFresh     = 14 * time.Second
	supervisorFresh = 29 * time.Second
	// maxRecords bounds what is read of a list that somebody else writes.
	maxRecords = 2000
)

// Record is what a master or a supervisor says of itself in Redis.
type Record struct {
	Name        string         `json:"name"`
	Master      string         `json:"master,omitempty"` // of a supervisor
	PID         int            `json:"pid"`              // on its own host; 0 = not told
	Status      string         `json:"status"`           // running or paused
	Environment string         `json:"environment,omitempty"`
	Processes   map[string]int `json:"processes,omitempty"` // of a supervisor: workers by CONNECTION:QUEUES
	SeenAt      time.Time      `json:"seen_at"`
	Fresh       bool           `json:"fresh"` // Horizon itself would still believe it
}

// Workers is the number of workers that a supervisor says it has.
func (r *Record) Workers() int {
	n := 0
	for _, workers := range r.Processes {
		n += workers
	}
	return n
}

// Records is what an application's Horizons say of themselves, on all hosts.
type Records struct {
	Prefix      string   `json:"prefix"` // of the keys
	Masters     []Record `json:"masters"`
	Supervisors []Record `json:"supervisors"`
}

// Fresh reports whether a master's record is there that Horizon itself believes.
func (r *Records) Fresh() bool {
	return slices.ContainsFunc(r.Masters, func(m Record) bool { return m.Fresh })
}

// ErrTooMany says that more records are listed than can be true.
var ErrTooMany = errors.New("more than " + strconv.Itoa(maxRecords) + " masters or supervisors are listed")

// ReadRecords reads the records under the first of the prefixes that has any.
// Without any it returns none, under the first prefix. now is this machine's
// time, as Horizon compares it.
func ReadRecords(ctx context.Context, client redis.UniversalClient, prefixes []string, now time.Time) (Records, error) {
	for _, prefix := range prefixes {
		found, err := readUnder(ctx, client, prefix, now)
		if err != nil {
			return Records{}, err
		}
		if len(found.Masters)+len(found.Supervisors) > 0 {
			return found, nil
		}
	}
	none := Records{Masters: []Record{}, Supervisors: []Record{}}
	if len(prefixes) > 0 {
		none.Prefix = prefixes[0]
	}
	return none, nil
}

func readUnder(ctx context.Context, client redis.UniversalClient, prefix string, now time.Time) (Records, error) {
	r := Records{Prefix: prefix, Masters: []Record{}, Supervisors: []Record{}}
	for _, list := range []struct {
		key   string
		fresh time.Duration
		to    *[]Record
	}{{"master", masterFresh, &r.Masters}, {"supervisor", supervisorFresh, &r.Supervisors}} {
		names, err := client.ZRevRangeWithScores(ctx, prefix+list.key+"s", 0, maxRecords).Result()
		if err != nil {
			return Records{}, err
		}
		if len(names) > maxRecords {
			return Records{}, ErrTooMany
		}
		for _, z := range names {
			name, _ := z.Member.(string)
			fields, err := client.HGetAll(ctx, prefix+list.key+":"+name).Result()
			if err != nil {
				return Records{}, err
			}
			record := record(name, fields)
			record.SeenAt = time.Unix(int64(z.Score), 0)
			record.Fresh = now.Sub(record.SeenAt) < list.fresh
			*list.to = append(*list.to, record)
		}
		slices.SortFunc(*list.to, func(a, b Record) int { return strings.Compare(a.Name, b.Name) })
	}
	return r, nil
}

func record(name string, fields map[string]string) Record {
	r := Record{Name: name, Master: fields["master"], Status: fields["status"], Environment: fields["environment"]}
	r.PID, _ = strconv.Atoi(fields["pid"])                                // absent once it has expired
	if json.Unmarshal([]byte(fields["processes"]), &r.Processes) != nil { // PHP writes an empty object as a list
		r.Processes = nil
	}
	return r
}

// OfHost reports whether a master or supervisor of that name runs on a host:
// Horizon begins names with the host's, followed by four characters.
func OfHost(name, hostname string) bool {
	master, _, _ := strings.Cut(name, ":")
	at := strings.LastIndexByte(master, '-')
	return at >= 0 && master[:at] == hostSlug(hostname)
}

// hostSlug is how Horizon writes a host's name.
func hostSlug(hostname string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(hostname) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case r == '-' || r == '_' || r == ' ':
			gap = true
		}
	}
	return b.String()
}
