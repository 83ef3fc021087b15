// Package queue reads the state of work queues from Redis.
//
// A Reader owns the queues of one connection. For a scrape it adds its
// commands to a pipeline that the caller also uses for other things (Enqueue),
// and after the pipeline has run it interprets the replies (Results):
//
//	pipe := client.Pipeline()
//	reader.Enqueue(ctx, pipe, now)
//	_, err := pipe.Exec(ctx)
//	reader.Results(now, func(t *queue.Target, r *queue.Reading) { … })
//
// Exec returns the error of the first command that failed. An empty queue has
// no head, so redis.Nil from Exec is ordinary, and an error that the server
// replied (redis.Error) concerns one command only; neither says that the
// connection is down.
//
// Every command object is reused from scrape to scrape and is marked as not
// run before it is sent: only a reply that was read in this scrape is ever
// reported. An error reply stays with the figure whose command it answers.
package queue

import (
	"errors"
	"math"
)

// State is one of the states that a job of a queue can be in.
type State int

// The states, in the order in which they are reported.
const (
	Ready    State = iota // could be taken by a worker now
	Delayed               // has a due time; includes jobs that are due but not moved yet
	Reserved              // taken by a worker and not finished; includes what a dead worker left
	Retry                 // failed and waiting for its next try, where the framework keeps these apart
	Failed                // given up, kept for a human
	NumStates
)

var stateNames = [NumStates]string{"ready", "delayed", "reserved", "retry", "failed"}

// String returns the state's name as it stands in the label state.
func (s State) String() string {
	if s < 0 || s >= NumStates {
		return "unknown"
	}
	return stateNames[s]
}

// Target is one queue to read.
type Target struct {
	Application string // slug
	Connection  string // name of the Redis connection
	Queue       string // name as the application uses it
	Framework   string // a name out of Frameworks; empty = laravel

	// Prefix stands in front of the queue's keys. nil: it is found among
	// PrefixHints, once for all queues of the application on the connection.
	Prefix      *string
	PrefixHints []string // candidates, likeliest first; see LaravelPrefixes

	QueueConnection string // the connection's name within the application; empty = redis
	Cluster         bool   // the connection is a Redis Cluster
}

// Reading is what one scrape knows about one queue. Every figure is NaN where
// it is not known. It is valid until the callback that was given it returns.
type Reading struct {
	Jobs [NumStates]float64 // jobs by state; NaN for the states that the framework does not have

	OldestAge           float64 // seconds since the job at the head was made; 0 when the queue is empty
	OldestAgeLowerBound float64 // seconds for which this head has been seen; 0 when the queue is empty

	DelayedOverdue   float64 // delayed jobs that are due and not moved
	OldestOverdueAge float64 // seconds since the longest overdue one was due; 0 when there is none
	ReservedExpired  float64 // reserved jobs past their expiry

	Workers     float64 // live workers by the framework's own registry
	WorkersBusy float64
	Processed   float64 // finished attempts, failed ones included
	Failed      float64 // failed attempts

	Err     error // the queue could not be read; every figure is NaN
	Partial error // a figure is NaN because the server refused its command

	// Withheld tells that an age is NaN because the payload that tells it is
	// large, or not yet known to be small, and was not fetched this time.
	Withheld bool
}

// Unreadable returns the Reading of a queue of which nothing is known because
// of err.
func Unreadable(err error) Reading {
	var r Reading
	r.fail(err)
	return r
}

// ErrNotRun is the error of a queue whose commands got no reply because the
// pipeline was not run or did not get that far.
var ErrNotRun = errors.New("not read: the pipeline ended before this queue's turn")

// reset makes every figure unknown.
func (r *Reading) reset() {
	nan := math.NaN()
	*r = Reading{
		OldestAge: nan, OldestAgeLowerBound: nan,
		DelayedOverdue: nan, OldestOverdueAge: nan, ReservedExpired: nan,
		Workers: nan, WorkersBusy: nan, Processed: nan, Failed: nan,
	}
	for i := range r.Jobs {
		r.Jobs[i] = nan
	}
}

// fail makes the queue unreadable for the reason of err.
func (r *Reading) fail(err error) {
	r.reset()
	r.Err = err
}

// partly notes the first reason for which a figure is missing.
func (r *Reading) partly(err error) {
	if r.Partial == nil {
		r.Partial = err
	}
}

// Options tune a Reader. The zero value reads depths only.
type Options struct {
	// Ages adds ages, overdue and expired counts to the depths.
	Ages bool
	// HeadBytes is the size up to which a payload is fetched at every scrape;
	// larger ones are fetched at intervals that grow with their size.
	// 0 = DefaultHeadBytes.
	HeadBytes int64
	// Elided recognises a payload whose middle the connection has cut out: it
	// returns what is left of the beginning and of the end, and the whole
	// size. nil = payloads are always whole.
	Elided func(payload string) (head, tail string, size int64, ok bool)
}

// DefaultHeadBytes is the default of Options.HeadBytes.
const DefaultHeadBytes = 64 << 10
