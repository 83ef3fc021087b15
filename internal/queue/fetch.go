package queue

import (
	"errors"
	"hash/maphash"
	"time"

	"github.com/redis/go-redis/v9"
)

// How payloads are kept from being fetched too often. Redis holds the replies
// of a pipeline in memory until they are sent, so the limits protect it as much
// as the network and this process.
//
//   - A payload up to Options.HeadBytes is fetched at every scrape.
//   - A larger one is fetched again when bytesPerSecond would have carried it,
//     after maxInterval at the most: one of 2 MB still at every scrape of the
//     usual 15 s, one of 10 MB every 40 s.
//   - One scrape fetches up to scrapeBytes of payloads by what they weighed
//     last, or one. What does not fit has its turn at the next scrape.
//   - Of queues with jobs whose payload was never seen, firstUnknown are asked
//     at the first scrape, and from then on by what those turned out to weigh,
//     growing eightfold at most: a thousand queues are all asked at the third
//     scrape, and a thousand queues of 10 MB payloads never flood anybody.
//     Asking a queue that had no jobs costs nothing and is not limited.
//   - A payload during whose transfer the pipeline ended, which is a connection
//     that counts as down, is left alone for firstPenalty and then for
//     maxInterval. The next scrape fetches none at all, so the connection is not
//     down twice in a row for the same reason, and then it begins with one. As
//     it may have been the sum that was too much, one scrape then fetches half
//     of what arrived, but leastBytes, and twice as much an hour later.
const (
	bytesPerSecond = 256 << 10
	maxInterval    = time.Hour
	firstPenalty   = 5 * time.Minute
	scrapeBytes    = 16 << 20
	leastBytes     = 1 << 20
	firstUnknown   = 128
	growth         = 8
	maxUnknown     = 1 << 20
)

// fetch is the memory of one place from which payloads are fetched.
type fetch struct {
	asked   bool  // at this scrape
	weighed bool  // size is that of the last payload
	idle    bool  // there was nothing at the last scrape
	size    int64 // bytes
	strikes uint  // transfers that ended the pipeline
	last    time.Time
	next    time.Time // a large one is not fetched before
}

// gone notes that the payload which was weighed is no longer there: another one
// may be fetched as soon as the bytes of the last one have been made up for.
func (f *fetch) gone() {
	if earliest := f.last.Add(transfer(f.size)); f.strikes == 0 && earliest.Before(f.next) {
		f.next = earliest
	}
}

func transfer(size int64) time.Duration {
	return time.Duration(float64(size) / bytesPerSecond * float64(time.Second))
}

// batch collects the commands of one scrape and keeps the account of its bytes.
type batch struct {
	now  time.Time
	cmds []redis.Cmder

	seed   maphash.Seed
	limit  int64 // Options.HeadBytes
	elided func(string) (string, string, int64, bool)

	unknown int       // unweighed payloads that one scrape may fetch
	careful bool      // weighed ones count among them, until all can be fetched again
	left    int       // of unknown, in this scrape
	carries int64     // bytes of payloads that one scrape may fetch
	review  time.Time // when it may be more again
	asked   int64     // bytes of payloads asked for in this scrape, as far as they were weighed
	waive   bool      // the queue's ticket has been taken already
	refused int       // payloads not asked for, for lack of a ticket or bytes

	weighed int   // unweighed payloads that arrived
	weight  int64 // their bytes
	arrived int64 // bytes of all payloads that arrived
	blamed  bool  // the pipeline ended during the transfer of a payload
}

func newBatch(o Options) batch {
	return batch{seed: maphash.MakeSeed(), limit: o.HeadBytes, elided: o.Elided, unknown: firstUnknown, carries: scrapeBytes}
}

// begin starts a scrape.
func (b *batch) begin(now time.Time) {
	b.now, b.cmds = now, emptied(b.cmds)
	b.left, b.asked, b.waive, b.refused = b.unknown, 0, false, 0
	b.weighed, b.weight, b.arrived, b.blamed = 0, 0, 0, false
	if b.carries < scrapeBytes && !now.Before(b.review) {
		b.carries, b.review = min(2*b.carries, scrapeBytes), now.Add(maxInterval)
	}
}

// emptied returns cmds with no command in it, and none kept alive by it. The
// first scrape has many times the commands of the others.
func emptied(cmds []redis.Cmder) []redis.Cmder {
	if n := len(cmds); cap(cmds) > 2*n {
		return make([]redis.Cmder, 0, n)
	}
	clear(cmds)
	return cmds[:0]
}

// add marks cmd as not run and adds it.
func (b *batch) add(cmd redis.Cmder) {
	cmd.SetErr(ErrNotRun)
	b.cmds = append(b.cmds, cmd)
}

// allow decides whether a payload is fetched at this scrape.
func (b *batch) allow(f *fetch) bool {
	large := f.weighed && f.size > b.limit
	switch {
	case b.now.Before(f.next) && (large || f.strikes > 0):
		return false
	case f.weighed && b.asked > 0 && b.asked+f.size > b.carries:
		b.refused++
		return false
	case b.waive || f.idle && f.strikes == 0:
	case !f.weighed || f.strikes > 0 || b.careful:
		if b.left == 0 {
			b.refused++
			return false
		}
		b.left--
	}
	b.asked += f.size
	return true
}

// fetched notes that a payload of size bytes arrived.
func (b *batch) fetched(f *fetch, size int64) {
	b.arrived += size
	if !f.weighed || b.careful {
		b.weighed++
		b.weight += size
	}
	f.weighed, f.size, f.strikes, f.last = true, size, 0, b.now
	if size > b.limit {
		f.next = b.now.Add(min(transfer(size), maxInterval))
	}
}

// failed notes that a payload cannot be used because of err. It may have
// arrived all the same: where a pipeline ends early, go-redis marks the
// commands before that with the error, too. Those behind it had no turn. So
// the one during which the pipeline ended is the one without a payload that is
// marked with neither the server's answer nor ErrNotRun.
func (b *batch) failed(f *fetch, err error, arrived bool, size int64) {
	switch {
	case err == nil || replied(err) || errors.Is(err, ErrNotRun):
	case arrived:
		b.fetched(f, size)
	default:
		b.blamed = true
		f.next = b.now.Add(firstPenalty)
		if f.strikes > 0 {
			f.next = b.now.Add(maxInterval)
		}
		f.strikes++
	}
}

// end draws the lesson from a scrape.
func (b *batch) end() {
	switch {
	case b.blamed:
		b.unknown, b.careful = 0, true
		b.carries = min(max(b.arrived/2, leastBytes), b.carries)
		b.review = b.now.Add(maxInterval)
	case b.unknown == 0:
		b.unknown = 1
	case b.weighed > 0:
		fits := b.carries / max(b.weight/int64(b.weighed), 1)
		b.unknown = int(max(1, min(int64(b.unknown)*growth, fits, maxUnknown)))
		b.careful = b.careful && b.refused > 0
	case b.refused == 0:
		b.careful = false
	}
}

// parts returns the two ends of a payload and its whole size. A payload that
// arrived whole is all beginning.
func (b *batch) parts(payload string) (head, tail string, size int64) {
	if b.elided != nil {
		if head, tail, size, ok := b.elided(payload); ok {
			return head, tail, size
		}
	}
	return payload, "", int64(len(payload))
}

// scan reads the fields of a payload, and its whole size.
func (b *batch) scan(payload string) (fields, int64) {
	head, tail, size := b.parts(payload)
	if size > int64(len(payload)) {
		return scanElided(head, tail), size
	}
	return scanPayload(payload), size
}
