package supervisor

import (
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// Some output does not tell that a job was released: such a worker must not
// seem busy, and be kept, for ever.
func TestDoubt(t *testing.T) {
	begin := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	worker := func(timeout time.Duration, silent bool) *worker {
		d := &definition{queue: &configs.Queue{Timeout: configs.Duration(timeout)}}
		return &worker{pool: &pool{def: d}, activity: Busy, job: "Work", jobSince: begin, silent: silent}
	}
	w := worker(time.Minute, true)
	over := begin.Add(time.Minute + time.Second)
	if at := w.doubt(begin); !at.Equal(over) || w.activity != Busy {
		t.Errorf("at first: %v, %v", at, w.activity)
	}
	if at := w.doubt(over); !at.IsZero() || w.activity != Unclear || w.job != "" {
		t.Errorf("when its time is over: %v, %v", at, w.activity)
	}
	for _, w := range []*struct {
		timeout time.Duration
		silent  bool
	}{{time.Minute, false}, {0, true}} {
		w := worker(w.timeout, w.silent)
		if at := w.doubt(begin.Add(time.Hour)); !at.IsZero() || w.activity != Busy {
			t.Errorf("where there is no doubt: %v, %v", at, w.activity)
		}
	}
}
